"""The command `linguacodus` with all its groups; heavy imports wait until a command runs."""

from typing import Annotated

import typer

import linguacodus_core
from linguacodus_core.cli import adapters, dataset, doctor, example, finetune, generate, models, score

app = typer.Typer(
    name="linguacodus",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="From the description of a machine-learning task to a program that writes a good submission.",
    epilog="Try it: [bold]linguacodus example breast-cancer task[/] and "
    "[bold]linguacodus generate task --out result[/]",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"linguacodus {linguacodus_core.__version__}")
        raise typer.Exit


@app.callback()
def linguacodus(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold the options of the command itself."""


app.command("generate")(generate.generate)
app.command("score")(score.score)
app.command("finetune")(finetune.finetune)
app.command("doctor")(doctor.doctor)
app.command("example")(example.example)
app.add_typer(adapters.app, name="adapters")
app.add_typer(dataset.app, name="dataset")
app.add_typer(models.app, name="models")
