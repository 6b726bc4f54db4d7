"""`linguacodus generate`: one task folder, one program, one submission."""

import os
from pathlib import Path
from typing import Annotated

import typer

QUIET_PREFECT = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
}
"""Defaults for a run from the command line; what the user has set stays."""


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def generate(
    task_dir: Annotated[
        Path, typer.Argument(help="Task folder: description.md and data/ (train, test, sample_submission).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the results go.")],
    profile: Annotated[
        str, typer.Option(help="LLM profile: local, openai, vllm, or a .toml file.")
    ] = "local",
    time_limit: Annotated[float, typer.Option(help="Seconds for everything.", min=20)] = 600,
    budget_usd: Annotated[float, typer.Option(help="Most money for LLM calls.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Seeds split, sampling and programs.", min=0)] = 0,
    sources: Annotated[
        str, typer.Option(help="Where candidates come from: prior, plan, staged, whole, direct, random.")
    ] = "prior,plan,staged,whole",
    floor: Annotated[bool, typer.Option(help="Run a baseline first; it also may win.")] = True,
    places: Annotated[str, typer.Option(help="Which ranked instructions are written.")] = "1,2,3",
    refine: Annotated[bool, typer.Option(help="Refine the instructions by critique.")] = True,
    blend: Annotated[bool, typer.Option(help="Blend the best candidates where that wins.")] = True,
    prompt_set: Annotated[str, typer.Option(help="Prompt set: default or paper; empty: the profile's.")] = "",
    max_ideas: Annotated[int, typer.Option(help="Most programs that the model writes.", min=0)] = 12,
    sandbox: Annotated[
        str, typer.Option(help="auto, bubblewrap, or subprocess (limits only, no isolation).")
    ] = "auto",
) -> None:
    """Turn a task folder into a program that runs and a valid, scored submission.

    Leaves submission.csv, solution.py, instruction.md, report.html, run.json and Parquet tables in OUT.
    Press Ctrl-C to stop early and keep the best so far. The same command again goes on where a killed
    run was, and uses what is cached.
    """
    for name, value in QUIET_PREFECT.items():
        os.environ.setdefault(name, value)
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
        raise LinguacodusError(
            f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}", "linguacodus generate --help"
        ) from None
    with LiveProgress():
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


def _process_start() -> float:
    """When this process began, in time.monotonic()."""
    import time

    import psutil

    return time.monotonic() - (time.time() - psutil.Process().create_time())
