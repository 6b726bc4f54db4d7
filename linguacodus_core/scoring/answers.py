"""Scores a submission against a task's private answers: the one place that opens `private/`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.alignment import order_of
from linguacodus_core.scoring.harness import score_frame
from linguacodus_core.scoring.leaderboard import Medal, medal, place
from linguacodus_core.scoring.rawcsv import read_raw
from linguacodus_core.scoring.submission import validate
from linguacodus_core.taskfolder.frames import read_csv
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec


class Scored(BaseModel):
    """A submission's private score, and its place where there is a leaderboard (percentile 1 = top 1 %).

    stands_in_for: the metric that was asked for, where `metric` stands in for it; there is no place then.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    metric: str
    direction: str
    stands_in_for: str | None = None
    score: float
    rank: int | None = None
    teams: int | None = None
    percentile: float | None = None
    medal: Medal | None = None


def score_submission(submission: Path, task_dir: Path) -> Scored:
    """Score a submission file, or DIR/submission.csv, with the answers in TASK_DIR/private.

    Raises TaskError when there are no answers or they do not fit the sample submission,
    SubmissionInvalid when the submission is wrong.
    """
    path = submission / "submission.csv" if submission.is_dir() else submission
    if not path.is_file():
        raise TaskError(
            f"{path} does not exist", "give the folder that `linguacodus generate` wrote, or a CSV file"
        )
    spec = read_task(task_dir)
    key = task_dir / "private" / "answers.csv"
    if not key.is_file():
        raise TaskError(f"{key} does not exist", _how_to_make_answers(spec))
    sample = read_raw(spec.data / spec.sample_file).frame
    frame = validate(path.resolve(), spec, sample)
    truth = read_raw(key).with_points()
    if absent := [name for name in spec.targets if name not in truth]:
        raise TaskError(f"{key} has no column {', '.join(absent)}", "give it the id column and the targets")
    if spec.id_column is not None and spec.id_column in sample and spec.id_column in truth:
        order = order_of(sample[spec.id_column], truth[spec.id_column])
        if order is None:
            raise TaskError(
                f"{key} has other ids than {spec.sample_file}", "give it one row for each row of the test"
            )
        truth = truth.iloc[order].reset_index(drop=True)
    elif len(truth) != len(sample):
        raise TaskError(
            f"{key} has {len(truth):,} rows, the sample has {len(sample):,}", "give it the test's rows"
        )
    value = score_frame(spec, truth, frame)
    found = Scored(
        task=spec.slug,
        metric=spec.metric,
        direction=spec.direction,
        stands_in_for=spec.stands_in_for,
        score=value,
    )
    board = task_dir / "private" / "leaderboard.csv"
    if spec.stands_in_for or not board.is_file():
        return found
    at = place(value, read_csv(board), spec.direction)
    standing = {
        "rank": at.rank,
        "teams": at.teams,
        "percentile": at.percentile,
        "medal": medal(at.rank, at.teams),
    }
    return found.model_copy(update=standing)


def _how_to_make_answers(spec: TaskSpec) -> str:
    columns = [*([spec.id_column] if spec.id_column else []), *spec.targets]
    named = ", ".join(columns[:6]) + (f" and {len(columns) - 6:,} more" if len(columns) > 6 else "")
    return (
        f"write private/answers.csv with the columns {named} as in {spec.train_file}, "
        f"one row for each row of {spec.sample_file}; "
        "for a rank too, write private/leaderboard.csv with the column score, one row a team"
    )
