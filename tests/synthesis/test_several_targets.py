"""Several targets of labels: read, carved, solved, validated and scored in their own labels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import SubmissionInvalid, TaskError
from linguacodus_core.scoring.blend_program import Recipe, write_blend
from linguacodus_core.scoring.combine import decide
from linguacodus_core.scoring.harness import score_frame
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.scoring.predictions import answers
from linguacodus_core.scoring.soft import decision, read_soft, two_classes
from linguacodus_core.scoring.submission import validate
from linguacodus_core.synthesis.constant import constant_candidate
from linguacodus_core.synthesis.plan import PipelinePlan
from linguacodus_core.synthesis.render import render
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec

PLAN = PipelinePlan.model_validate({"folds": 3, "learning_rate": "high", "size": "low"})


def make(
    folder: Path, metric: str, first: list[object], second: list[object], prediction: object
) -> tuple[TaskSpec, pd.DataFrame]:
    """A task of two targets, each told by a column of its own; `prediction` fills the sample."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"id": np.arange(320), "a": random.normal(size=320), "b": random.normal(size=320)})
    table["x"] = pd.qcut(table["a"], len(first), labels=False).map(dict(enumerate(first)))
    table["y"] = pd.qcut(table["b"], len(second), labels=False).map(dict(enumerate(second)))
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text("Two labels a row.")
    (folder / "task.toml").write_text(f'metric = "{metric}"\n')
    train, test = table.iloc[:260], table.iloc[260:].reset_index(drop=True)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns=["x", "y"]).to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(x=prediction, y=prediction).to_csv(
        folder / "data" / "sample_submission.csv", index=False
    )
    return read_task(folder), test.astype(str)


def run(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(folder)
    exec(compile(program, "solution.py", "exec"), {"__name__": "__main__"})
    return pd.read_csv("data/sample_submission.csv", dtype=str)


@pytest.mark.parametrize("metric", ["accuracy", "f1 macro"])
def test_several_classes_a_target_come_back_in_their_own_labels(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, truth = make(tmp_path, metric, [0, 1, 2, 3], ["lo", "hi"], 0)
    assert (spec.problem, spec.target_classes) == ("multilabel", (("0", "1", "2", "3"), ("hi", "lo")))
    assert TaskSpec.model_validate_json(spec.model_dump_json()) == spec
    sample = run(render(PLAN, spec, effort="small"), tmp_path, monkeypatch)
    made = validate(Path("submission.csv"), spec, sample)
    assert set(made["x"]) == {"0", "1", "2", "3"}
    assert set(made["y"]) == {"lo", "hi"}
    assert score_frame(spec, truth, made) > 0.8
    assert not Path("soft.csv").exists()


def test_the_same_two_words_in_every_target_have_soft_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, truth = make(tmp_path, "accuracy", ["no", "yes"], ["no", "yes"], "no")
    sample = run(render(PLAN, spec, effort="small"), tmp_path, monkeypatch)
    made = validate(Path("submission.csv"), spec, sample)
    assert score_frame(spec, truth, made) > 0.85
    soft = read_soft(Path("soft.csv"), spec, sample, made)
    assert soft is not None
    assert decision(["x", "y"], spec) == "threshold"
    assert (decide(soft, ["x", "y"], two_classes(spec), "threshold") == made[["x", "y"]]).all().all()


def test_two_classes_that_differ_by_target_are_voted_on(tmp_path: Path) -> None:
    spec, _ = make(tmp_path, "accuracy", ["no", "yes"], ["hi", "lo"], "no")
    assert decision(["x", "y"], spec) is None


@pytest.mark.parametrize("metric", ["mean columnwise log loss", "mean column auc"])
def test_probabilities_of_words_are_those_of_the_second(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, truth = make(tmp_path, metric, ["no", "yes"], [True, False], 0.5)
    assert (spec.prediction, spec.target_classes) == ("probability", (("no", "yes"), ("False", "True")))
    sample = run(render(PLAN, spec, effort="small"), tmp_path, monkeypatch)
    made = validate(Path("submission.csv"), spec, sample)
    assert made["x"][truth["x"] == "yes"].mean() > made["x"][truth["x"] == "no"].mean() + 0.4
    assert made["y"][truth["y"] == "True"].mean() > made["y"][truth["y"] == "False"].mean() + 0.4
    score = score_frame(spec, truth, made)
    assert score > 0.9 if spec.direction == "max" else score < 0.4
    run(constant_candidate(spec).program, tmp_path, monkeypatch)
    flat = validate(Path("submission.csv"), spec, sample)
    assert flat["x"].iloc[0] == pytest.approx(0.5, abs=0.05)


def test_a_hold_out_with_one_of_two_words_is_scored(tmp_path: Path) -> None:
    spec, truth = make(tmp_path, "mean columnwise log loss", ["no", "yes"], ["no", "yes"], 0.5)
    truth[["x", "y"]] = "no"
    frame = truth[["id"]].assign(x=0.1, y=0.1)
    assert score_frame(spec, truth, frame) == pytest.approx(-np.log(0.9))


@pytest.mark.parametrize("how", ["vote", "soft"])
def test_a_blend_writes_each_targets_labels(how: str, tmp_path: Path) -> None:
    second = ["hi", "lo"] if how == "vote" else ["no", "yes"]
    spec, truth = make(tmp_path / "task", "accuracy", ["no", "yes"], second, "no")
    members = []
    for x, y, soft in (("no", second[0], 0.4), ("yes", second[1], 0.9), ("yes ", second[1], 0.8)):
        program = f"""import pandas as pd
sample = pd.read_csv("data/sample_submission.csv").assign(x={x!r}, y={y!r})
sample.to_csv("submission.csv", index=False)
sample.assign(x={soft}, y={soft}).to_csv("soft.csv", index=False)"""
        members.append((Candidate(route="whole", label=f"member {soft}", program=program), 1.0))
    recipe = Recipe("vote") if how == "vote" else Recipe("soft", "threshold", ("x", "y"))
    program = write_blend(members, spec, recipe, columns=["x", "y"], classes=two_classes(spec))
    (tmp_path / "task" / "blend.py").write_text(program)
    subprocess.run([sys.executable, "blend.py"], cwd=tmp_path / "task", check=True)
    made = validate(tmp_path / "task" / "submission.csv", spec, truth[["id", "x", "y"]])
    assert set(made["x"]) == {"yes"}
    assert set(made["y"]) == {second[1]}


def test_each_target_knows_its_own_labels_only(tmp_path: Path) -> None:
    spec, truth = make(tmp_path, "accuracy", [0, 1, 2, 3], ["lo", "hi"], 0)
    frame = truth[["id", "x", "y"]]
    assert list(validate(frame, spec, frame)["y"]) == list(truth["y"])
    with pytest.raises(SubmissionInvalid, match="column 'x' are unknown labels: 'lo'"):
        validate(frame.assign(x="lo"), spec, frame)
    with pytest.raises(SubmissionInvalid, match="column 'y' are unknown labels: '1'"):
        validate(frame.assign(y="1"), spec, frame)


def test_the_hold_outs_sample_holds_labels_of_its_own_target(tmp_path: Path) -> None:
    spec, _ = make(tmp_path / "task", "accuracy", [0, 1, 2, 3], ["lo", "hi"], 0)
    split = carve(spec, 0, tmp_path / "split")
    sample = pd.read_csv(split.folds[0].data[spec.sample_file], dtype=str)
    assert set(sample["x"]) < set(spec.target_classes[0])
    assert set(sample["y"]) < {"lo", "hi"}
    assert set(answers(split.folds[0])["y"]) == {"lo", "hi"}


def test_one_probability_for_three_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="one probability is asked for x, which has 3 labels"):
        make(tmp_path, "mean columnwise log loss", ["a", "b", "c"], ["no", "yes"], 0.5)
