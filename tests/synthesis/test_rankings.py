"""Tasks whose cells hold several labels, best first, and metrics that need their own loss or score."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.scoring.blend import blend_classes
from linguacodus_core.scoring.blend_program import Recipe, write_blend
from linguacodus_core.scoring.harness import score_frame
from linguacodus_core.scoring.soft import decision, read_soft
from linguacodus_core.scoring.submission import validate
from linguacodus_core.synthesis.blocks import scores
from linguacodus_core.synthesis.objective import objective_of
from linguacodus_core.synthesis.plan import PipelinePlan
from linguacodus_core.synthesis.render import render
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec

PLAN = PipelinePlan.model_validate({"folds": 3, "learning_rate": "high", "size": "low"})


def make(folder: Path, metric: str, target: pd.Series, prediction: object) -> tuple[TaskSpec, pd.DataFrame]:
    """A task whose feature a tells the target (one value a row, in the order of a)."""
    rows = len(target)
    random = np.random.default_rng(0)
    table = pd.DataFrame({"id": np.arange(rows), "a": np.linspace(-2, 2, rows), "y": target.to_numpy()})
    table["b"] = random.normal(size=rows)
    table = table.sample(frac=1, random_state=1).reset_index(drop=True)
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text("Which ones?")
    (folder / "task.toml").write_text(f'metric = "{metric}"\n')
    train, test = table.iloc[: rows - 60], table.iloc[rows - 60 :].reset_index(drop=True)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns="y").to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(y=prediction).to_csv(folder / "data" / "sample_submission.csv", index=False)
    return read_task(folder), test.astype(str)


def run(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(folder)
    exec(compile(program, "solution.py", "exec"), {"__name__": "__main__"})
    return pd.read_csv("data/sample_submission.csv", dtype=str)


def letters(rows: int = 360) -> pd.Series:
    return pd.Series(np.array(list("ABCDEF"))[np.arange(rows) * 6 // rows])


@pytest.mark.parametrize("metric", ["map@5", "map@2", "precision@3", "ndcg@4"])
def test_as_many_labels_are_written_as_the_metric_counts(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, truth = make(tmp_path, metric, letters(), "A B")
    sample = run(render(PLAN, spec, effort="small"), tmp_path, monkeypatch)
    made = validate(Path("submission.csv"), spec, sample)
    assert set(made["y"].str.split().map(len)) == {int(metric[-1])}
    assert score_frame(spec, truth, made) > (0.3 if metric.startswith("precision") else 0.65)
    soft = read_soft(Path("soft.csv"), spec, sample, made)
    assert soft is not None
    assert decision(list(soft.columns), spec) == f"top {metric[-1]}"


def test_several_right_labels_a_cell_are_learned_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, truth = make(tmp_path, "map@3", letters().map({"A": "A B", "B": "B A C"}).fillna("10 9"), "A B C")
    assert spec.classes == ("9", "10", "A", "B", "C")
    sample = run(render(PLAN, spec, effort="small"), tmp_path, monkeypatch)
    made = validate(Path("submission.csv"), spec, sample)
    assert score_frame(spec, truth, made) > 0.85


@pytest.mark.parametrize("how", ["vote", "soft"])
def test_a_blend_writes_rankings(how: str, tmp_path: Path) -> None:
    spec, truth = make(tmp_path / "task", "map@2", letters(), "A B")
    members = []
    for cell, chances in (("A B", (0.6, 0.4, 0.0)), ("C A", (0.1, 0.3, 0.6)), ("C A", (0.2, 0.2, 0.6))):
        soft = dict(zip("ABCDEF", (*chances, 0, 0, 0), strict=True))
        program = f"""import pandas as pd
sample = pd.read_csv("data/sample_submission.csv").assign(y={cell!r})
sample.to_csv("submission.csv", index=False)
sample[["id"]].assign(**{soft!r}).to_csv("soft.csv", index=False)"""
        members.append((Candidate(route="whole", label=cell, program=program), 1.0))
    recipe = Recipe("vote") if how == "vote" else Recipe("soft", "top 2", tuple("ABCDEF"))
    text = write_blend(members, spec, recipe, columns=["y"], classes=blend_classes(spec, recipe.how))
    (tmp_path / "task" / "blend.py").write_text(text)
    subprocess.run([sys.executable, "blend.py"], cwd=tmp_path / "task", check=True)
    made = validate(tmp_path / "task" / "submission.csv", spec, truth[["id", "y"]])
    assert set(made["y"]) == {"C A"}


def test_cells_with_unknown_repeated_or_too_many_labels_are_refused(tmp_path: Path) -> None:
    spec, truth = make(tmp_path, "map@3", letters(), "A B")
    frame = truth[["id"]].assign(y="B  A C ")
    assert set(validate(frame, spec, frame)["y"]) == {"B A C"}
    for cell, words in (
        ("B Z", "60 labels of column 'y' are unknown: 'Z'"),
        ("A B C D", "hold more than 3 labels"),
        ("A B A", "repeat a label"),
        ("", "missing"),
    ):
        with pytest.raises(SubmissionInvalid, match=words):
            validate(frame.assign(y=cell), spec, frame)


def test_a_quantile_is_fitted_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = pd.Series(np.random.default_rng(3).exponential(1.0, 700).round(4))
    spec, truth = make(tmp_path, "quantile loss 0.9", noise, 1.5)
    program = render(PLAN, spec, effort="small")
    assert 'loss="quantile"' in program
    run(program, tmp_path, monkeypatch)
    made = pd.read_csv("submission.csv")["y"]
    assert (truth["y"].astype(float) < made).mean() > 0.75
    other = render(PLAN.model_copy(update={"family": "xgboost"}), spec, effort="small")
    assert 'loss="absolute"' in other


def test_linear_kappa_is_not_the_quadratic_one(tmp_path: Path) -> None:
    grades = pd.Series(np.arange(360) * 4 // 360)
    spec, _ = make(tmp_path, "linear weighted kappa", grades, 1)
    assert objective_of(spec).score == "score_linear_kappa"
    y = np.array([0, 1, 2, 3, 3, 1])
    p = np.array([0, 2, 2, 1, 3, 0])
    assert scores.score_linear_kappa(y, p) == pytest.approx(cohen_kappa_score(y, p, weights="linear"))
    assert scores.score_quadratic_kappa(y, p) == pytest.approx(cohen_kappa_score(y, p, weights="quadratic"))
    assert "score_linear_kappa" in render(PLAN, spec, effort="small")
