"""`linguacodus score DIR TASK_DIR`: a submission's score on the task's private answers."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def score(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `generate` wrote (its submission.csv), or a CSV file.")
    ],
    task_dir: Annotated[
        Path, typer.Argument(metavar="TASK_DIR", help="A task folder with private/answers.csv.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score a submission on the answers in TASK_DIR/private, and place it on the leaderboard there."""
    from linguacodus_core.scoring.answers import score_submission

    found = score_submission(directory, task_dir)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    better = "smaller is better" if found.direction == "min" else "larger is better"
    typer.echo(f"{found.task}: {found.metric} {found.score:.6g} ({better})")
    if found.stands_in_for:
        typer.echo(f"{found.metric} stands in for {found.stands_in_for}, which cannot be computed: no rank")
        return
    if found.rank is not None and found.teams is not None and found.percentile is not None:
        medal = f", {found.medal} medal" if found.medal else ""
        typer.echo(f"rank {found.rank:,} of {found.teams:,} teams: top {found.percentile:.1f} %{medal}")
    else:
        typer.echo("no leaderboard in private/: no rank")
