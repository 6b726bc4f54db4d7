from pathlib import Path

import pandas as pd
import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring import harness
from linguacodus_core.scoring.harness import evaluate, score_frame, submit
from linguacodus_core.scoring.holdout import Split, carve
from linguacodus_core.scoring.predictions import answers, read_predictions

# No pandas: the tests run many programs, and its import is most of their time.
GOOD = """import csv
rows = list(csv.DictReader(open("data/test.csv")))
print("claimed score: 0.1")
print("claimed score: 0.75")
with open("submission.csv", "w") as file:
    for line in ["y,id", *(f"{int(row['a']) / 101},{row['id']}" for row in reversed(rows))]:
        print(line, file=file)
"""


def candidate(program: str) -> Candidate:
    return Candidate(route="whole", label="test", program=program)


def two_folds(split: Split) -> Split:
    return split.model_copy(update={"folds": split.folds[:2]})


@pytest.fixture
def run(binary_task, tmp_path):
    """Evaluates programs on a task with two hold-outs of 60 rows."""

    class Run:
        spec = binary_task(300)
        split = two_folds(carve(spec, 0, tmp_path / "into"))
        work = tmp_path / "work"

        def __call__(self, program, limits=None, **kwargs):
            return evaluate(
                candidate(program), self.spec, self.split, limits or Limits.for_machine(60), "subprocess",
                work=self.work, predictions_dir=tmp_path / "predictions", **kwargs,
            )  # fmt: skip

    return Run()


def test_a_good_program_is_scored_on_every_hold_out(run):
    found = run(GOOD)
    assert found.status == "scored"
    assert len(found.scores) == len(run.split.folds) == 2
    assert found.score == pytest.approx(sum(found.scores) / 2)
    assert found.score > 0.9
    assert found.claimed == 0.75
    assert found.seconds > 0
    assert found.isolation
    assert list(run.work.iterdir()) == []


def test_predictions_are_kept_in_the_order_of_the_answers_and_give_the_score(run):
    found = run(GOOD)
    hard, soft = read_predictions(found.predictions)
    assert soft is None
    for number, fold in enumerate(run.split.folds):
        frame = hard[number].assign(id=answers(fold)["id"])
        assert score_frame(run.spec, answers(fold), frame) == pytest.approx(found.scores[number])
    assert Path(found.predictions).name.startswith(found.candidate)


def test_the_answers_cannot_be_found_where_the_program_runs(run):
    found = run(
        """import os
for folder, _, files in os.walk("."):
    assert not any(name.endswith(".parquet") for name in files), files
assert open("data/test.csv").readline() == "id,a,b\\n"
assert len({line.split(",")[1] for line in list(open("data/sample_submission.csv"))[1:]}) == 1
assert sorted(os.listdir("data")) == ["sample_submission.csv", "test.csv", "train.csv"]
"""
        + GOOD
    )
    assert found.status == "scored", found.error


def test_what_a_program_claims_is_never_its_score(run):
    assert run(GOOD.replace("0.75", "0.999999")).score == run(GOOD).score


@pytest.mark.parametrize("claim", ["nan", "excellent", "inf"])
def test_a_claim_that_is_no_number_is_no_claim(run, claim):
    assert run(GOOD.replace("0.75", claim)).claimed is None


def test_a_crash_stops_at_the_first_hold_out_with_the_reason(run, monkeypatch):
    runs = []
    original = harness.run_program
    monkeypatch.setattr(harness, "run_program", lambda *a, **k: runs.append(1) or original(*a, **k))
    found = run("raise KeyError('no such column')", Limits(wall_seconds=60, threads=1))
    assert found.status == "crashed"
    assert found.score is None
    assert "no such column" in found.error
    assert len(runs) == 1
    assert list(run.work.iterdir()) == []


def test_a_wrong_submission_is_invalid_with_the_reason(run):
    found = run(GOOD.replace("/ 101", "+ 7"))
    assert found.status == "invalid"
    assert "no probabilities" in found.error


def test_no_submission_is_invalid(run):
    found = run("print('done')")
    assert (found.status, found.score) == ("invalid", None)
    assert "was not written" in found.error


def test_a_link_to_another_file_is_no_submission(run, tmp_path):
    (tmp_path / "stolen.csv").write_text("id,y\n1,1\n")
    found = run(f"import os; os.symlink({str(tmp_path / 'stolen.csv')!r}, 'submission.csv')")
    assert found.status == "invalid"


def test_time_is_for_all_hold_outs_together(run):
    slow = "import time; time.sleep(1.6)\n" + GOOD
    found = run(slow, Limits(wall_seconds=2.5, threads=1))
    assert found.status == "timeout"
    assert found.seconds < 6


def test_a_hold_out_that_fails_ends_the_ones_beside_it(run, tmp_path):
    first = pd.read_csv(run.split.folds[0].data["test.csv"]).iloc[0, 0]
    program = (
        "import time, pandas as pd\n"
        f"if pd.read_csv('data/test.csv').iloc[0, 0] == {first!r}:\n    raise SystemExit(3)\n"
        "time.sleep(50)\n"
    )
    found = run(program, Limits(wall_seconds=60, threads=2))
    assert found.status == "crashed"
    assert found.seconds < 30
    assert list(run.work.iterdir()) == []


def test_the_working_folder_is_removed_on_interrupt(run, monkeypatch):
    def interrupted(*args, workdir, **kwargs):
        (workdir / "half.txt").write_text("x")
        raise KeyboardInterrupt

    monkeypatch.setattr(harness, "run_program", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(GOOD)
    assert list(run.work.iterdir()) == []


def label_run(binary_task, tmp_path, soft: str):
    spec = binary_task(300, slug="labels", prediction="label", metric="f1", metric_category="F-score binary")
    program = f"""import csv
rows = [(row["id"], int(row["a"])) for row in csv.DictReader(open("data/test.csv"))]
def write(name, lines):
    with open(name, "w") as file:
        file.writelines(f"{{key}},{{value}}\\n" for key, value in [("id", "y"), *lines])
write("submission.csv", [(key, int(a > 50)) for key, a in rows])
write("soft.csv", [({soft}) for key, a in rows])
"""
    split = two_folds(carve(spec, 0, tmp_path / "into_labels"))
    found = evaluate(
        candidate(program), spec, split, Limits.for_machine(60), "subprocess",
        work=tmp_path / "work", predictions_dir=tmp_path / "predictions",
    )  # fmt: skip
    assert found.status == "scored", found.error
    return read_predictions(found.predictions)[1]


def test_soft_predictions_are_kept_where_they_give_the_labels(binary_task, tmp_path):
    soft = label_run(binary_task, tmp_path, "key, a / 101")
    assert soft is not None
    assert list(soft[0].columns) == ["y"]
    assert soft[0]["y"].dtype == float


@pytest.mark.parametrize("soft", ["key, 1 - a / 101", "key, 'nan'", "1, a / 101"])
def test_soft_predictions_that_contradict_the_labels_are_left_out(binary_task, tmp_path, soft):
    assert label_run(binary_task, tmp_path, soft) is None


def test_submit_runs_on_the_full_data(run, tmp_path):
    found = submit(candidate(GOOD), run.spec, Limits.for_machine(60), "subprocess", work=run.work)
    assert list(found.frame["id"]) == [str(number) for number in range(5000, 5020)]
    assert found.execution.status == "ok"
    assert found.soft is None
    assert list(run.work.iterdir()) == []


def test_submit_says_why_it_failed(run):
    with pytest.raises(SubmissionInvalid, match="boom"):
        submit(
            candidate("raise ValueError('boom')"),
            run.spec,
            Limits.for_machine(60),
            "subprocess",
            work=run.work,
        )
    with pytest.raises(SubmissionInvalid, match="was not written"):
        submit(candidate("pass"), run.spec, Limits.for_machine(60), "subprocess", work=run.work)


def test_private_answers_are_not_among_the_data(run):
    (run.spec.folder / "private").mkdir()
    (run.spec.folder / "private" / "answers.csv").write_text("id,y\n")
    shown = [harness.full_data(run.spec), *(fold.data for fold in run.split.folds)]
    assert not any(
        path.is_relative_to(run.spec.folder / "private") for data in shown for path in data.values()
    )


def test_labels_score_whatever_their_spelling(binary_task):
    spec = binary_task(20, prediction="label", metric="accuracy", classes=("cat", "dog"))
    truth = pd.DataFrame({"id": ["1", "2"], "y": ["cat", "dog"]})
    assert score_frame(spec, truth, pd.DataFrame({"id": ["1", "2"], "y": ["cat", "dog"]})) == 1.0
    numbered = spec.model_copy(update={"classes": ("0", "1")})
    given = pd.DataFrame({"id": ["1", "2"], "y": ["0", "1"]})
    assert score_frame(numbered, truth.assign(y=["0.0", "1.0"]), given) == 1.0
