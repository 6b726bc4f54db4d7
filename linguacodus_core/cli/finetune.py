"""`linguacodus finetune`: tune the model that writes instructions, and judge it against its base."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from linguacodus_core.cli.flows import quiet_prefect

if TYPE_CHECKING:
    from linguacodus_core.training.request import FinetuneRequest, FinetuneResult

PREFERENCES_HELP = """A second stage (DPO) on pairs; may be repeated.
places: of two instructions for one competition the better place's is preferred;
DIR: of two that `generate` ran, the one whose program scored better
(DIR holds results of generate)."""


def _list_configs(wanted: bool) -> None:
    if not wanted:
        return
    from linguacodus_core.training.config import list_configs, load_config

    for name in list_configs():
        config = load_config(name)
        typer.echo(f"{name:22}  {config.description}\n{'':22}  base {config.base}")
    raise typer.Exit


def finetune(
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="Dataset version to tune on: its name, the beginning of it, latest; may be repeated.",
            show_default="latest",
        ),
    ] = None,
    config: Annotated[
        str, typer.Option(help="Configuration: one of --list-configs, or a .toml file.")
    ] = "smollm2-135m-cpu",
    preferences: Annotated[list[str] | None, typer.Option(help=PREFERENCES_HELP, show_default="none")] = None,
    from_adapter: Annotated[
        str, typer.Option(help="Go on from this adapter: a name, latest, or promoted.")
    ] = "",
    promote: Annotated[
        bool,
        typer.Option("--promote", help="When the gate passes it, let `generate --profile tuned` use it."),
    ] = False,
    max_steps: Annotated[
        int | None,
        typer.Option(help="Stop each stage after so many steps.", show_default="the configuration's"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything drawn.", show_default="the configuration's")
    ] = None,
    track: Annotated[
        Literal["none", "tensorboard", "trackio"],
        typer.Option(help="Also write the curves for one of these."),
    ] = "none",
    shuffle_completions: Annotated[
        bool,
        typer.Option(
            "--shuffle-completions",
            help="The control: train on completions of other competitions. The gate must refuse it.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count examples, steps and tokens; train nothing.")
    ] = False,
    list_configs: Annotated[
        bool,
        typer.Option(
            "--list-configs", callback=_list_configs, is_eager=True, help="Show the configurations there are."
        ),
    ] = False,
) -> None:
    """Tune the model that writes instructions, and judge it against its base.

    The tuned model must beat its base on competitions that it never saw; the gate says by how much. It is
    kept as an adapter either way; one that the gate refuses ends the command with exit status 3. A killed
    run goes on from its last checkpoint; the same command again finds the adapter. Start with --dry-run.

    Examples:

    linguacodus finetune

    linguacodus finetune --config llama3.1-8b --dataset latest --promote

    linguacodus finetune --preferences places --preferences results/
    """
    quiet_prefect()
    from linguacodus_core.cli.console import LiveProgress
    from linguacodus_core.cli.flows import flow
    from linguacodus_core.training.preflight import preflight

    request = _request(
        {
            "datasets": tuple(dataset or ["latest"]),
            "config": str(Path(config).resolve()) if config.endswith(".toml") else config,
            "preferences": tuple(
                name if name == "places" else str(Path(name).expanduser().resolve())
                for name in preferences or []
            ),
            "from_adapter": from_adapter or None,
            "promote": promote,
            "max_steps": max_steps,
            "seed": seed,
            "track": track,
            "shuffle_completions": shuffle_completions,
        }
    )
    preflight(request, training=not dry_run)
    if dry_run:
        _project(request)
        return
    with LiveProgress():
        result = flow("finetune")(request)
    _tell(result)


def _request(fields: dict[str, object]) -> "FinetuneRequest":
    from pydantic import ValidationError

    from linguacodus_core.errors import LinguacodusError
    from linguacodus_core.training.request import FinetuneRequest

    try:
        return FinetuneRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-").replace("datasets", "dataset") if first["loc"] else ""
        option = f"--{name}: " if name else ""
        raise LinguacodusError(
            f"{option}{first['msg'].removeprefix('Value error, ')}", "linguacodus finetune --help"
        ) from None


def _project(request: "FinetuneRequest") -> None:
    from linguacodus_core.cli.console import LiveProgress
    from linguacodus_core.training.config import load_config
    from linguacodus_core.training.examples import prepare
    from linguacodus_core.training.handover import found
    from linguacodus_core.training.projection import project

    with LiveProgress():
        job = prepare(request, load_config(request.config))
    for line in project(job).lines():
        typer.echo(line)
    if known := found(job):
        typer.echo(f"this very fine-tune is done: {known.adapter.name}")
    else:
        typer.echo("nothing was trained; the same without --dry-run does")


def _tell(result: "FinetuneResult") -> None:
    how = "new" if result.new else "it was there: nothing was trained"
    typer.echo(f"\n{result.adapter}  ({how}{', promoted' * result.promoted})")
    for check in result.checks:
        typer.echo(f"  {check}")
    typer.echo(f"{result.steps:,} steps, loss {result.loss:.3f}; {result.seconds:.0f} s")
    typer.echo(f"see {result.folder}/report.html")
    if result.promoted:
        typer.echo("next: linguacodus generate TASK_DIR --out DIR --profile tuned")
    else:
        typer.echo(f"next: linguacodus adapters promote {result.adapter}")
        typer.echo("then: linguacodus generate TASK_DIR --out DIR --profile tuned")
