import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.blend import blend
from linguacodus_core.scoring.blend_program import literal
from linguacodus_core.scoring.combine import (
    decide,
    weighted_log_mean,
    weighted_mean,
    weighted_rank_mean,
    weighted_vote,
)
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.harness import evaluate, score_frame
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.scoring.predictions import (
    answers,
    predictions_path,
    read_predictions,
    write_predictions,
)
from linguacodus_core.scoring.rawcsv import read_raw

# A member sees the signal through noise of its own: the mean of several is better than any of them.
MEMBER = '''"""Member {seed} says 'hi'."""
from __future__ import annotations

import csv
import hashlib

SEED = {seed}
TEXT = """
    indented  \\t text \\\\ stays
"""


def noise(row):
    global SEED
    digest = hashlib.sha256(f"{{SEED}} {{row}}".encode()).hexdigest()
    return int(digest[:8], 16) / 2**32 - 0.5


def main():
    assert TEXT == "\\n    indented  \\t text \\\\ stays\\n"
    rows = [(row["id"], int(row["a"])) for row in csv.DictReader(open("data/test.csv"))]
    score = {{key: a / 101 + {size} * noise(key) for key, a in rows}}
    {write}


def write(name, table):
    with open(name, "w") as file:
        for key, value in [("id", "y"), *table]:
            print(key, value, sep=",", file=file)


if __name__ == "__main__":
    main()
'''.replace(
    '"""Member {seed} says \'hi\' and """ + \'"""quoted"""\' + r"""\\n"""', '"""Member {seed} says hi."""'
)

WRITES = {
    "probability": 'write("submission.csv", [(key, min(1, max(0, value))) for key, value in score.items()])',
    "value": 'write("submission.csv", [(key, (value + 1) * 50) for key, value in reversed(score.items())])',
    "soft": 'write("submission.csv", [(key, int(value >= 0.5)) for key, value in score.items()]); '
    'write("soft.csv", score.items())',
    "vote": 'write("submission.csv", [(key, float(value >= 0.5)) for key, value in score.items()])',
}


def member(kind: str, seed: int, size: float = 0.8) -> Candidate:
    program = MEMBER.format(seed=seed, size=size, write=WRITES[kind])
    return Candidate(
        route="whole", label=f'Member {seed}: it\'s "noisy"', program=program, calls=(f"call{seed}",)
    )


def task(make_task, kind: str, rows: int = 500, **fields):
    random = np.random.RandomState(0)
    a = random.randint(0, 101, rows)
    ids = np.arange(10, 10 + rows)
    y = a / 101 * 50 + 50 if kind in ("value", "log") else (a > 50).astype(int)
    train = pd.DataFrame({"id": ids, "a": a, "y": y})
    test = pd.DataFrame({"id": range(9000, 9030), "a": range(30)})
    known = {
        "value": {"metric": "rmse", "direction": "min", "prediction": "value", "problem": "regression"},
        "log": {"metric": "rmsle", "direction": "min", "prediction": "value", "problem": "regression"},
        "probability": {
            "metric": "auc",
            "direction": "max",
            "prediction": "probability",
            "problem": "binary",
        },
        "soft": {"metric": "accuracy", "direction": "max", "prediction": "label", "problem": "binary"},
        "vote": {"metric": "f1", "direction": "max", "prediction": "label", "problem": "binary"},
    }[kind]
    classes = () if kind in ("value", "log") else ("0", "1")
    return make_task(train, test, test[["id"]].assign(y=0), classes=classes, **known | fields)


def scored(spec, split, tmp_path, members):
    found = [
        (item, evaluate(item, spec, split, Limits.for_machine(60), "subprocess", work=tmp_path / "work", predictions_dir=tmp_path / "predictions"))
        for item in members
    ]  # fmt: skip
    assert all(evaluation.status == "scored" for _, evaluation in found), [item.error for _, item in found]
    return found


def split_of(spec, tmp_path):
    """One fold only: the programs run once each."""
    split = carve(spec, 0, tmp_path / "into")
    return split.model_copy(update={"folds": split.folds[:1]})


@pytest.mark.parametrize(
    ("kind", "how"),
    [("value", "mean"), ("log", "log mean"), ("probability", None), ("soft", "soft"), ("vote", "vote")],
)
def test_the_blend_program_predicts_what_the_blend_was_scored_on(make_task, tmp_path, kind, how):
    spec = task(make_task, kind, rows=2000)
    split = split_of(spec, tmp_path)
    members = scored(
        spec, split, tmp_path, [member("value" if kind == "log" else kind, seed, 0.8) for seed in (1, 2, 3)]
    )
    found = blend(members, spec, split, tmp_path / "blends")
    assert found is not None
    candidate, evaluation = found
    assert candidate.route == "blend"
    assert how in (None, candidate.origin["combination"])
    assert 2 <= len(candidate.members) <= 5
    assert sum(weight for _, weight in candidate.members) == pytest.approx(1)
    assert set(candidate.calls) <= {"call1", "call2", "call3"}
    sign = 1 if spec.direction == "max" else -1
    assert sign * evaluation.score > max(sign * item.score for _, item in members)

    [(_, again)] = scored(spec, split, tmp_path, [candidate])
    assert again.scores == pytest.approx(evaluation.scores, abs=1e-9)
    offline, online = (
        read_predictions(evaluation.predictions)[0][0],
        read_predictions(again.predictions)[0][0],
    )
    if spec.prediction == "label":
        assert (offline["y"] == online["y"]).all()
    else:
        np.testing.assert_allclose(offline["y"], online["y"], rtol=1e-12)


def test_the_blend_program_stands_alone_and_keeps_its_members_texts(make_task, tmp_path):
    spec = task(make_task, "value", rows=1500)
    split = split_of(spec, tmp_path)
    members = scored(spec, split, tmp_path, [member("value", seed) for seed in (1, 2)])
    candidate, _ = blend(members, spec, split, tmp_path / "blends")
    for item, _ in members:
        assert item.program in candidate.program
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(candidate.program))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
    }
    assert imported == {"subprocess", "sys", "collections", "pathlib", "numpy", "pandas"}
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "data").symlink_to(spec.data)
    (tmp_path / "alone" / "solution.py").write_text(candidate.program)
    subprocess.run([sys.executable, "solution.py"], cwd=tmp_path / "alone", check=True)
    assert len(pd.read_csv(tmp_path / "alone" / "submission.csv")) == 30
    assert sorted(path.name for path in (tmp_path / "alone").iterdir()) == [
        "data",
        "solution.py",
        "submission.csv",
    ]


def stored(spec, split, tmp_path, name, columns_of):
    """A scored candidate whose predictions are made here, not by a program."""
    candidate = Candidate(route="plan", label=name, program=f"# {name}")
    hard = [
        pd.DataFrame({"id": answers(fold)["id"], "y": columns_of(number, answers(fold))})
        for number, fold in enumerate(split.folds)
    ]
    path = predictions_path(tmp_path / "predictions", candidate.id, split)
    write_predictions(path, spec, split, hard, [None] * len(hard))
    scores = tuple(
        score_frame(spec, answers(fold), table) for fold, table in zip(split.folds, hard, strict=True)
    )
    return candidate, Evaluation(
        candidate=candidate.id,
        status="scored",
        score=float(np.mean(scores)),
        scores=scores,
        predictions=str(path),
    )


def noisy(seed, size):
    def predict(number, truth):
        random = np.random.RandomState(seed * 100 + number)
        return truth["y"].astype(float) + size * random.randn(len(truth))

    return predict


def test_no_blend_is_proposed_where_the_gain_is_noise(make_task, tmp_path):
    spec = task(make_task, "value", rows=500)
    split = carve(spec, 0, tmp_path / "into")
    good = stored(spec, split, tmp_path, "good", noisy(1, 1.0))
    poor = [stored(spec, split, tmp_path, f"poor {seed}", noisy(seed, 30.0)) for seed in (2, 3, 4)]
    assert blend([good, *poor], spec, split, tmp_path) is None


def test_no_blend_of_one_or_of_equals(make_task, tmp_path):
    spec = task(make_task, "value", rows=500)
    split = carve(spec, 0, tmp_path / "into")
    one = stored(spec, split, tmp_path, "one", noisy(1, 1.0))
    same = stored(spec, split, tmp_path, "same", noisy(1, 1.0))
    failed = one[0].model_copy(update={"program": "# failed"})
    assert blend([one], spec, split, tmp_path) is None
    assert blend([one, same], spec, split, tmp_path) is None
    assert (
        blend([one, (failed, Evaluation(candidate=failed.id, status="crashed"))], spec, split, tmp_path)
        is None
    )
    assert blend([], spec, split, tmp_path) is None


def test_a_blend_has_at_most_five_members(make_task, tmp_path):
    spec = task(make_task, "value", rows=1500)
    split = carve(spec, 0, tmp_path / "into")
    members = [stored(spec, split, tmp_path, f"m{seed}", noisy(seed, 5.0)) for seed in range(1, 9)]
    candidate, evaluation = blend(members, spec, split, tmp_path)
    assert 3 <= len(candidate.members) <= 5
    assert evaluation.score < min(item.score for _, item in members)
    assert len(evaluation.scores) == len(split.folds)


def test_ranks_are_taken_where_scales_differ_and_only_the_order_counts(make_task, tmp_path):
    spec = task(make_task, "probability", rows=4000)
    split = split_of(spec, tmp_path)

    def squeezed(seed, low, high):
        def predict(number, truth):
            random = np.random.RandomState(seed * 100 + number)
            chance = 1 / (1 + np.exp(-(2 * truth["y"].astype(float) - 1 + 1.5 * random.randn(len(truth)))))
            return low + (high - low) * chance

        return predict

    members = [
        stored(spec, split, tmp_path, "wide", squeezed(1, 0.0, 1.0)),
        stored(spec, split, tmp_path, "narrow", squeezed(2, 0.0, 0.001)),
    ]
    candidate, _ = blend(members, spec, split, tmp_path)
    assert candidate.origin["combination"] == "rank mean"


def test_weights_are_those_of_the_parts():
    parts = [pd.DataFrame({"y": [0.0, 3.0]}), pd.DataFrame({"y": [8.0, 3.0]})]
    assert list(weighted_mean(parts, [3, 1])["y"]) == [2.0, 3.0]
    assert list(weighted_log_mean(parts, [0.5, 0.5])["y"]) == pytest.approx([2.0, 3.0])
    assert list(weighted_rank_mean([pd.DataFrame({"y": [5.0, 9.0]})], [1.0])["y"]) == [0.5, 1.0]
    votes = [pd.DataFrame({"y": list(text)}) for text in ("ab", "ba", "bb")]
    assert list(weighted_vote(votes, [0.4, 0.3, 0.3])["y"]) == ["b", "b"]
    assert list(weighted_vote(votes[:2], [0.5, 0.5])["y"]) == ["a", "b"]


def test_soft_predictions_become_labels_by_threshold_rounding_or_the_largest_column():
    assert list(decide(pd.DataFrame({"y": [0.4, 0.5]}), ["y"], ["no", "yes"], "threshold")["y"]) == [
        "no",
        "yes",
    ]
    assert list(decide(pd.DataFrame({"y": [-2.0, 3.6, 9]}), ["y"], ["3", "4", "5"], "round")["y"]) == [
        "3",
        "4",
        "5",
    ]
    wide = pd.DataFrame({"p": [0.2, 0.9], "q": [0.8, 0.1]})
    assert list(decide(wide, ["y"], ["p", "q"], "largest")["y"]) == ["q", "p"]


@pytest.mark.parametrize(
    "source",
    [
        "print('x')\n",
        "a = '''x'''\n",
        "a = \"\"\"x\"\"\"\nb = '''y'''\n",
        "a = '\\n\\\\'",
        "ends with quote'",
        'x = "\\',
        "",
        "a\r\nb\n",
        "tab\tü\x0c\n",
    ],
)
def test_a_member_is_embedded_exactly(source):
    assert ast.literal_eval(literal(source)) == source


def test_samples_of_a_blend_are_read_raw(make_task):
    spec = task(make_task, "value", rows=20)
    assert list(read_raw(Path(spec.data / spec.sample_file)).frame["id"])[:2] == ["9000", "9001"]
