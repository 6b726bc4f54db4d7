"""Metrics that no function computes: another one stands in, is said to, and scores the task."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from linguacodus_core.cli.score import app
from linguacodus_core.errors import OpenQuestion
from linguacodus_core.metrics.scoring import FUNCTIONS
from linguacodus_core.metrics.table import METRICS
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.answers import score_submission
from linguacodus_core.scoring.harness import evaluate, score_frame
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.scoring.rawcsv import read_raw
from linguacodus_core.scoring.submission import validate
from linguacodus_core.synthesis.constant import constant_candidate
from linguacodus_core.synthesis.objective import objective_of
from linguacodus_core.taskfolder import metric_choice
from linguacodus_core.taskfolder.read import read_task

ASKED = sorted(m.name for m in METRICS.values() if m.base not in FUNCTIONS and m.prediction != "mask")
ANSWERS = {"value": [1.5, 2.25, 4.0, 8.5], "probability": [0, 1, 1, 0], "label": ["s", "b", "b", "s"]}
SHOWN = {"value": 2.5, "probability": 0.5, "label": "s"}


def write_task(folder: Path, metric: str, kind: str, toml: str = "") -> Path:
    """A task whose description names the metric, with the answers and a leaderboard in private/."""
    rows = 80
    table = pd.DataFrame({"id": range(rows), "x": [(7 * row) % 31 for row in range(rows)]})
    table["y"] = ANSWERS[kind] * (rows // 4)
    for name in ("data", "private"):
        (folder / name).mkdir(parents=True)
    text = f"# Y\n\n## Evaluation\n\nSubmissions are evaluated on the {metric}.\n"
    (folder / "description.md").write_text(text)
    (folder / "task.toml").write_text(toml or f'metric = "{metric}"\n')
    train, test = table[:60], table[60:]
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns="y").to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(y=SHOWN[kind]).to_csv(folder / "data" / "sample_submission.csv", index=False)
    test[["id", "y"]].to_csv(folder / "private" / "answers.csv", index=False)
    (folder / "private" / "leaderboard.csv").write_text("rank,score\n1,0.1\n2,0.2\n")
    return folder


def test_many_metrics_need_one_that_stands_in() -> None:
    assert len(ASKED) > 15


@pytest.mark.parametrize("name", ASKED)
def test_a_task_is_scored_by_the_metric_that_stands_in(name: str, tmp_path: Path) -> None:
    kind = METRICS[name].prediction
    spec = read_task(write_task(tmp_path / "task", name, kind))
    stand_in = METRICS[METRICS[name].stand_in or ""]
    assert (spec.metric, spec.direction, spec.metric_category) == (
        stand_in.name, stand_in.direction, stand_in.category,
    )  # fmt: skip
    assert (spec.stands_in_for, spec.prediction) == (name, kind)
    better = "higher" if stand_in.direction == "max" else "lower"
    assert spec.warnings == (
        f"{name} cannot be computed from predictions and answers alone: {stand_in.name} "
        f"({better} is better) stands in for it, and every score is {stand_in.name}",
    )
    assert spec.inferred["metric"] == f"task.toml; {stand_in.name} stands in for {name}"
    assert f"which stands in for {name}" in spec.inferred["direction"]
    sample = read_raw(spec.data / spec.sample_file).frame
    truth = read_raw(spec.folder / "private" / "answers.csv").frame
    assert score_frame(spec, truth, validate(sample, spec, sample)) >= 0
    objective_of(spec)


def test_a_constant_program_is_scored_on_a_hold_out(tmp_path: Path) -> None:
    spec = read_task(
        write_task(tmp_path / "task", "weighted mean absolute error (WMAE)", "value", "# none\n")
    )
    assert (spec.metric, spec.stands_in_for) == ("mae", "wmae")
    assert spec.inferred["metric"].startswith("description: '")
    split = carve(spec, 0, tmp_path / "split")
    found = evaluate(
        constant_candidate(spec),
        spec,
        split.model_copy(update={"folds": split.folds[:1]}),
        Limits.for_machine(60),
        "subprocess",
        work=tmp_path / "work",
        predictions_dir=tmp_path / "predictions",
    )
    assert found.status == "scored", found.error
    assert found.score is not None
    assert 1 < found.score < 4
    assert objective_of(spec).score == "score_mae"


def test_the_direction_of_the_metric_asked_for_does_not_count_for_the_stand_in(tmp_path: Path) -> None:
    toml = 'metric = "laplace log likelihood"\ndirection = "max"\n'
    spec = read_task(write_task(tmp_path / "task", "x", "value", toml))
    assert (spec.metric, spec.direction) == ("mae", "min")
    assert "the direction in task.toml (max) does not count" in spec.warnings[0]


def test_a_metric_that_nothing_stands_in_for_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = METRICS["wmae"].model_copy(update={"stand_in": None})
    monkeypatch.setattr(metric_choice, "find", {"wmae": alone, "rmse": alone, "mae": alone, "r2": alone}.get)
    with pytest.raises(OpenQuestion, match="wmae cannot be computed") as caught:
        read_task(write_task(tmp_path / "task", "wmae", "value"))
    assert 'task.toml one line such as metric = "rmse" or metric = "mae"' in caught.value.remedy


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ("f-beta", 'metric = "f2"'),
        ("quantile loss", 'metric = "quantile loss 0.5"'),
        ("lwlrap", 'metric = "categorization accuracy"'),
        ("cosine similarity", 'metric = "rmse"'),
    ],
)
def test_a_metric_that_lacks_something_is_asked_about(metric: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(OpenQuestion, match=f"the metric {metric} needs") as caught:
        read_task(write_task(tmp_path / "task", metric, METRICS[metric].prediction))
    assert line in caught.value.remedy


def test_the_score_command_says_so_and_gives_no_rank(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "task", "wmae", "value")
    sample = folder / "data" / "sample_submission.csv"
    found = score_submission(sample, folder)
    assert (found.metric, found.stands_in_for, found.rank, found.teams) == ("mae", "wmae", None, None)
    done = CliRunner().invoke(app, [str(sample), str(folder)])
    assert done.exit_code == 0
    assert "task: mae 2.1875 (smaller is better)" in done.output
    assert "mae stands in for wmae, which cannot be computed: no rank" in done.output
