"""`linguacodus generate`: one task folder, one program, one submission."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from linguacodus_core.cli import EARLY, Stopped
from linguacodus_core.cli.flows import quiet_prefect

SOURCES_HELP = """Where candidates come from, comma-separated.
prior: plans that need no model;
plan: the model fills a plan;
staged: the paper's four code stages;
whole: a whole program;
direct: one prompt, no help;
random: random valid plans.
[dim]\\[default: prior,plan,staged,whole][/]"""


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def generate(
    task_dir: Annotated[
        Path, typer.Argument(help="Task folder: description.md and data/ (train, test, sample_submission).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the results go.")],
    profile: Annotated[
        str,
        typer.Option(
            help="Language model: local, openai, vllm, tuned (the promoted adapter), embedded:NAME, "
            "adapter:NAME, or a .toml file."
        ),
    ] = "local",
    time_limit: Annotated[float, typer.Option(help="Seconds for everything, 20 or more.")] = 600,
    budget_usd: Annotated[float, typer.Option(help="Most US dollars for LLM calls.")] = 0,
    seed: Annotated[int, typer.Option(help="Seeds split, sampling and programs.")] = 0,
    sources: Annotated[str, typer.Option(help=SOURCES_HELP, show_default=False)] = "prior,plan,staged,whole",
    floor: Annotated[bool, typer.Option(help="Run a baseline first; it also may win.")] = True,
    places: Annotated[
        str,
        typer.Option(
            help="Which ranked instructions the model writes: one or more of 1 (as the winner would), 2, 3."
        ),
    ] = "1,2,3",
    refine: Annotated[bool, typer.Option(help="Refine the instructions by critique.")] = True,
    blend: Annotated[bool, typer.Option(help="Blend the best candidates where that wins.")] = True,
    prompt_set: Annotated[str, typer.Option(help="Prompt set: default or paper; empty: the profile's.")] = "",
    max_ideas: Annotated[int, typer.Option(help="Most programs that the model writes.")] = 12,
    sandbox: Annotated[
        str, typer.Option(help="auto, bubblewrap, or subprocess (limits only, no isolation).")
    ] = "auto",
) -> None:
    """Turn a task folder into a program that runs and a valid, scored submission.

    Leaves submission.csv, solution.py, instruction.md, report.html, run.json and
    Parquet tables in OUT. Press Ctrl-C to stop early and keep the best so far.
    The same command again goes on where a killed run was.
    """
    quiet_prefect()
    from pydantic import ValidationError

    from linguacodus_core.cli.console import LiveProgress
    from linguacodus_core.cli.flows import flow
    from linguacodus_core.errors import LinguacodusError
    from linguacodus_core.generation.request import GenerateRequest

    try:
        request = GenerateRequest.model_validate(
            {
                "task_dir": task_dir.resolve(),
                "out": out.resolve(),
                "profile": profile,
                "time_limit": time_limit,
                "budget_usd": budget_usd,
                "seed": seed,
                "sources": _list(sources),
                "floor": floor,
                "places": _list(places),
                "refine": refine,
                "blend": blend,
                "prompt_set": prompt_set,
                "max_ideas": max_ideas,
                "sandbox": sandbox,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        option, wrong = str(first["loc"][0]).replace("_", "-"), first["msg"].removeprefix("Value error, ")
        raise LinguacodusError(f"--{option}: {wrong}", "linguacodus generate --help") from None
    with LiveProgress(), _told_when_stopped(request.out):
        from linguacodus_core.generation.clock import STARTED
        from linguacodus_core.generation.preflight import preflight

        fetching = preflight(request)
        STARTED.set(_process_start() + fetching)
        result = flow("generate")(request)
    typer.echo(f"\n{result.winner}")
    if result.score is not None:
        baseline = "" if result.floor_score is None else f" (floor: {result.floor_score:.5g})"
        typer.echo(f"{result.metric} on the hold-out: {result.score:.5g}{baseline}")
    stopped = "stopped by hand; " if result.status == "interrupted" else ""
    typer.echo(f"{stopped}{result.seconds:.0f} s, {result.candidates} candidates")
    typer.echo(f"see {result.out / 'report.html'}")


@contextmanager
def _told_when_stopped(out: Path) -> Iterator[None]:
    """Turn a Ctrl-C that the flow does not handle into Stopped, with words for the user."""
    try:
        yield
    except KeyboardInterrupt:
        if (out / "submission.csv").exists():
            raise Stopped("stopped; the same command goes on where it was") from None
        raise Stopped(EARLY) from None


def _process_start() -> float:
    """When this process began, in time.monotonic()."""
    import time

    import psutil

    return time.monotonic() - (time.time() - psutil.Process().create_time())
