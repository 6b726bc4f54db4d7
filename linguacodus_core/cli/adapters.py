"""`linguacodus adapters`: what fine-tunes have left, which of them is promoted, and how to serve one."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from linguacodus_core.adapters.metrics import Metrics
    from linguacodus_core.adapters.registry import Adapter

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Adapters: what a fine-tune adds to a base model.\n\n"
    "`linguacodus finetune` leaves one here, with how it was measured. The promoted one writes the "
    "instructions of [bold]linguacodus generate ... --profile tuned[/]; any other with "
    "--profile adapter:NAME.",
)

Name = Annotated[str, typer.Argument(help="An adapter, the beginning of its name, 'latest' or 'promoted'.")]


@app.command("list")
def list_() -> None:
    """Which adapters there are, newest first; the promoted one has a star."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from linguacodus_core.adapters import registry

    found, promoted = registry.list_adapters(), registry.promoted()
    if not found:
        typer.echo(f"there is no adapter yet: {registry.TRAIN}")
        return
    console = Console(highlight=False)
    console.print(Text(f"   {'created':16}  {'gate':6}  adapter", style="bold"))
    for adapter in found:
        manifest = adapter.manifest
        mark, gate = "*" if adapter.name == promoted else " ", "passed" if manifest.passed else "failed"
        created = manifest.created[:16].replace("T", " ")
        console.print(Text(f" {mark} {created:16}  {gate:6}  {adapter.name}"), soft_wrap=True)
        words = ", ".join(filter(None, (f"on {manifest.base}", manifest.summary)))
        console.print(Padding(Text(words, style="dim"), (0, 0, 0, 5)))


@app.command()
def show(name: Name = "promoted") -> None:
    """An adapter's origin, measures and files, and how to use it.

    Example: linguacodus adapters show latest
    """
    from linguacodus_core.adapters import registry
    from linguacodus_core.adapters.metrics import read_metrics

    adapter = registry.open_adapter(name)
    manifest = adapter.manifest
    star = " (promoted)" if adapter.name == registry.promoted() else ""
    typer.echo(f"{adapter.name}{star}  {manifest.created}, linguacodus {manifest.code_version}")
    typer.echo(f"{adapter.folder}\n")
    about = {
        "kind": manifest.kind,
        "base": f"{manifest.base} ({manifest.base_identity}, {manifest.architecture})",
        "parent": manifest.parent or "none",
        "datasets": ", ".join(manifest.datasets),
        "configuration": manifest.config,
        "prompt set": manifest.prompt_set,
        "gate": "passed" if manifest.passed else "failed",
        "summary": manifest.summary,
    }
    for key, value in about.items():
        typer.echo(f"{key:>14}  {value}")
    if metrics := read_metrics(adapter.folder):
        _show_measures(metrics)
    typer.echo("\nfiles")
    for file in manifest.files:
        path = adapter.folder / file
        size = f"{path.stat().st_size:,}" if path.is_file() else "missing"
        typer.echo(f"{size:>14}  {file}")
    _show_ways(adapter)


def _show_measures(metrics: "Metrics") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    what = metrics.comparison
    typer.echo(f"\non {what.competitions} held-out competitions; differences with their 95 % interval")
    table = Table(box=None, pad_edge=False)
    for column in ("", what.base, what.tuned, "difference", "interval", "better is"):
        table.add_column(column, justify="left" if column in ("", "better is") else "right")
    for row in what.rows:
        bounds = f"{_number(row.low)} to {_number(row.high)}" if row.low is not None else ""
        numbers = (_number(row.base), _number(row.tuned), _number(row.difference, sign=True), bounds)
        table.add_row(row.metric, *numbers, row.better)
    console = Console(highlight=False)
    console.print(table)
    for check in metrics.verdict.checks:
        style = "green" if check.passed else "red"
        said = "passed" if check.passed else "failed"
        console.print(Text.assemble((f"{said:>8}", style), f"  {check.name}: {check.words}"), soft_wrap=True)


def _number(value: float | None, *, sign: bool = False) -> str:
    return "" if value is None else f"{value:+.3f}" if sign else f"{value:.3f}"


def _show_ways(adapter: "Adapter") -> None:
    typer.echo("\nto use it")
    if adapter.gguf and adapter.manifest.embedded_base:
        typer.echo(f"  linguacodus generate TASK --out OUT --profile adapter:{adapter.name}")
        engines = "llama, or transformers, or vllm"
    else:
        engines = "vllm, or transformers"
    typer.echo(f"  linguacodus adapters serve {adapter.name} --engine {engines}")
    typer.echo(f"  linguacodus adapters promote {adapter.name}   (then: --profile tuned)")


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="An adapter, the beginning of its name, or 'latest'.")],
    force: Annotated[
        bool, typer.Option("--force", help="Even one that its gate refused; it is kept that it was forced.")
    ] = False,
) -> None:
    """Make an adapter the one that `--profile tuned` writes instructions with.

    One that did not beat its base is refused, with what it failed by. Runs under way keep
    theirs. Example: linguacodus adapters promote latest
    """
    from linguacodus_core.adapters import registry

    before = registry.promoted()
    adapter = registry.promote(name, force=force)
    was = f" (before: {before})" if before and before != adapter.name else ""
    typer.echo(f"{adapter.name} is promoted{was}")
    if not adapter.manifest.passed:
        typer.echo("its gate had refused it", err=True)
    typer.echo("linguacodus generate TASK --out OUT --profile tuned")


@app.command()
def verify(name: Name = "promoted") -> None:
    """Whether an adapter's files are whole and unchanged; exit status 1 when not."""
    from linguacodus_core.adapters import registry

    adapter = registry.open_adapter(name)
    problems = registry.verify(adapter)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{adapter.name} is whole: {len(adapter.manifest.files)} files are as the manifest says")


@app.command()
def serve(
    name: Name = "promoted",
    engine: Annotated[
        Literal["llama", "transformers", "vllm"],
        typer.Option(
            help="llama: llama.cpp, on a GGUF base. transformers: merged into its base, slow on a CPU. "
            "vllm: beside its base, on a GPU."
        ),
    ] = "llama",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens, on loopback only.")] = 8000,
) -> None:
    """Serve an adapter through an OpenAI-compatible API until Ctrl-C.

    Its name is the model's name. `generate --profile tuned` asks the server that TUNED_BASE_URL
    names; `--profile tuned-vllm` has vLLM play every role.

    Example: linguacodus adapters serve latest --engine llama --port 8001
    """
    from linguacodus_core.adapters import registry
    from linguacodus_core.cli.console import LiveProgress
    from linguacodus_core.llm import engines

    adapter = registry.open_adapter(name)
    engines.require_free(port)
    url = f"http://{engines.HOST}:{port}/v1"
    if engine == "vllm":
        command = engines.vllm_command(adapter, port)
        if port != 8000:
            typer.echo(f"export VLLM_BASE_URL={url}")
        typer.echo(f"serving {adapter.name} at {url}, once vLLM is ready (Ctrl-C ends)")
        engines.become_vllm(command)
    by = engines.by_llama if engine == "llama" else engines.by_transformers
    try:
        with LiveProgress(), by(adapter, port) as url:
            typer.echo(f"serving {adapter.name} at {url} (Ctrl-C ends)")
            profile = "tuned" if adapter.name == registry.promoted() else f"adapter:{adapter.name}"
            typer.echo(f"TUNED_BASE_URL={url} linguacodus generate TASK --out OUT --profile {profile}")
            engines.watch(url)
    except KeyboardInterrupt:
        typer.echo("\nstopped")
