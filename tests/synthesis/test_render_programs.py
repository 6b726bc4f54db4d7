"""Rendered programs run on small tasks of every kind and write what the sample submission asks for."""

import ast
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.synthesis.objective import problem_of
from linguacodus_core.synthesis.plan import Feature, PipelinePlan
from linguacodus_core.synthesis.render import render
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

FAST: dict[str, Any] = {"folds": 3, "learning_rate": "high", "size": "low"}


def spec_of(**changes: Any) -> TaskSpec:
    """A binary task with AUC, changed where asked."""
    values: dict[str, Any] = {
        "folder": Path("nowhere"),
        "slug": "tiny",
        "title": "Tiny",
        "description": "",
        "data_types": (DataType.TABULAR,),
        "metric": "auc",
        "metric_category": "AUC",
        "direction": "max",
        "id_column": "id",
        "targets": ("target",),
        "submission_columns": ("id", "target"),
        "prediction": "probability",
        "problem": "binary",
        "classes": ("0", "1"),
        "train_file": "train.csv",
        "test_file": "test.csv",
        "sample_file": "sample_submission.csv",
        "train_rows": 300,
        "test_rows": 60,
        "inferred": {},
        "data_sha256": "0" * 64,
    }
    return TaskSpec.model_validate(values | changes)


def frame(rows: int = 360, seed: int = 0) -> pd.DataFrame:
    """Two informative numbers, a category, a key, a date and a column full of trouble."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "id": [f"{n:04d}" for n in range(rows)],
            "a": draw.normal(size=rows),
            "b": draw.normal(size=rows),
            "colour": draw.choice(["red", "green", "blue"], rows),
            "ticket": [f"{draw.choice(['PC', 'A'])} {draw.integers(1, 99999)}" for _ in range(rows)],
            "day": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
            "flag": draw.choice([True, False], rows),
        }
    )
    table["trouble"] = np.where(draw.random(rows) < 0.2, np.nan, draw.normal(size=rows))
    table.loc[3, "trouble"] = np.inf
    table["empty"] = np.nan
    table["same"] = 7
    return table


def signal(table: pd.DataFrame) -> np.ndarray:
    """What the targets are made of."""
    return np.asarray(
        table["a"] + 2 * (table["colour"] == "red") + 0.3 * np.random.default_rng(1).normal(size=len(table))
    )


def write(
    folder: Path, table: pd.DataFrame, targets: list[str], columns: list[str], value: object = 0
) -> pd.DataFrame:
    """train, test and sample_submission in folder/data; returns the answers of test."""
    (folder / "data").mkdir()
    train, test = table.iloc[:300], table.iloc[300:]
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns=targets).to_csv(folder / "data" / "test.csv", index=False)
    sample = test[["id"]].assign(**dict.fromkeys(columns, value))
    sample.iloc[::-1].to_csv(folder / "data" / "sample_submission.csv", index=False)
    return test[["id", *targets]].iloc[::-1].reset_index(drop=True)


def run(
    program: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> float:
    """Run a program in folder; returns its claimed score."""
    monkeypatch.chdir(folder)
    capsys.readouterr()
    exec(compile(program, "solution.py", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out.splitlines()
    return float(next(line for line in printed if line.startswith("claimed score:")).split()[-1])


def submission(folder: Path, name: str = "submission.csv") -> pd.DataFrame:
    return pd.read_csv(folder / name, dtype={"id": str})


FAMILIES = [
    "lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "random_forest", "extra_trees",
    "linear", "elastic_net", "svm", "knn", "mlp", "naive_bayes",
]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_a_binary_task(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    answers = write(tmp_path, table, ["target"], ["target"])
    plan = PipelinePlan.model_validate(FAST | {"family": family})
    assert run(render(plan, spec_of(), effort="small"), tmp_path, monkeypatch, capsys) > 0.8
    made = submission(tmp_path)
    assert list(made["id"]) == list(answers["id"])
    assert made["target"].between(0, 1).all()
    assert made["target"][answers["target"] == 1].mean() > made["target"][answers["target"] == 0].mean() + 0.2


@pytest.mark.parametrize("encode", ["native", "ordinal", "onehot", "target", "frequency", "hash"])
def test_every_encoding_runs_with_every_feature(
    encode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    write(tmp_path, table, ["target"], ["target"])
    features = [
        [
            ("ratio", "a", "b"),
            ("difference", "a", "trouble"),
            ("product", "a", "b"),
            ("sum", "a", "b"),
            ("rotate", "a", "b"),
        ],
        [
            ("log", "a", ""),
            ("square", "a", ""),
            ("bin", "a", ""),
            ("cyclic", "a", ""),
            ("group_mean", "a", "colour"),
        ],
        [
            ("group_deviation", "a", "colour"),
            ("count", "ticket", ""),
            ("prefix", "ticket", ""),
            ("title", "ticket", ""),
        ],
        [
            ("first_word", "ticket", ""),
            ("length", "ticket", ""),
            ("digits", "ticket", ""),
            ("missing", "trouble", ""),
        ],
        [
            ("date_parts", "day", ""),
            ("cross", "colour", "ticket"),
            ("ratio", "a", "nowhere"),
            ("count", "gone", ""),
        ],
        [],
    ][["native", "ordinal", "onehot", "target", "frequency", "hash"].index(encode)]
    chosen = tuple(Feature.model_validate({"op": op, "a": a, "b": b}) for op, a, b in features)
    plan = PipelinePlan.model_validate(
        FAST | {"encode": encode, "rare": 5, "features": chosen, "family": "lightgbm"}
    )
    assert run(render(plan, spec_of(), effort="small"), tmp_path, monkeypatch, capsys) > 0.8


def test_class_columns_get_probabilities_that_sum_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(
        target=lambda t: pd.cut(signal(t), [-9, 0, 1.5, 99], labels=["low", "mid", "high"])
    )
    write(tmp_path, table, ["target"], ["P_high", "P_low", "P_mid"])
    spec = spec_of(
        metric="log loss", direction="min", problem="multiclass", layout="class_columns",
        classes=("high", "low", "mid"), submission_columns=("id", "P_high", "P_low", "P_mid"),
    )  # fmt: skip
    assert (
        run(render(PipelinePlan.model_validate(FAST), spec, effort="small"), tmp_path, monkeypatch, capsys)
        < 0.9
    )
    made = submission(tmp_path)
    assert list(made.columns) == ["id", "P_high", "P_low", "P_mid"]
    assert np.allclose(made.iloc[:, 1:].sum(axis=1), 1)
    truth = table.iloc[300:].iloc[::-1]["target"].astype(str).to_numpy()
    assert (
        np.array(["high", "low", "mid"])[made.iloc[:, 1:].to_numpy().argmax(axis=1)] == truth
    ).mean() > 0.6


@pytest.mark.parametrize("metric", ["f1 macro", "categorization accuracy", "mcc"])
def test_text_labels_come_back_as_they_were(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: pd.cut(signal(t), [-9, 0, 1.5, 99], labels=["None", "NA", "c d"]))
    write(tmp_path, table, ["target"], ["target"], "NA")
    spec = spec_of(metric=metric, problem="multiclass", prediction="label", classes=("NA", "None", "c d"))
    assert (
        run(render(PipelinePlan.model_validate(FAST), spec, effort="small"), tmp_path, monkeypatch, capsys)
        > 0.4
    )
    made = pd.read_csv(tmp_path / "submission.csv", keep_default_na=False)
    truth = table.iloc[300:].iloc[::-1]["target"].astype(str).to_numpy()
    assert (made["target"].to_numpy() == truth).mean() > 0.6
    assert set(made["target"]) <= {"NA", "None", "c d"}
    soft = submission(tmp_path, "soft.csv")
    assert list(
        np.array(["NA", "None", "c d"])[soft[["NA", "None", "c d"]].to_numpy().argmax(axis=1)]
    ) == list(made["target"])


def test_a_tuned_threshold_lies_at_one_half_of_the_soft_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 2.3).astype(int))
    write(tmp_path, table, ["target"], ["target"])
    spec = spec_of(metric="f1", prediction="label")
    assert (
        run(render(PipelinePlan.model_validate(FAST), spec, effort="small"), tmp_path, monkeypatch, capsys)
        > 0.5
    )
    made, soft = submission(tmp_path), submission(tmp_path, "soft.csv")
    assert ((soft["target"] >= 0.5).astype(int) == made["target"]).mean() > 0.99


@pytest.mark.parametrize("labels", ["separate", "exclusive"])
def test_several_labels(
    labels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(x=lambda t: (signal(t) > 1.5).astype(int), y=lambda t: (signal(t) < 0).astype(int))
    write(tmp_path, table, ["x", "y"], ["x", "y"])
    spec = spec_of(
        metric="mean column auc",
        problem="multilabel",
        targets=("x", "y"),
        submission_columns=("id", "x", "y"),
    )
    plan = PipelinePlan.model_validate(FAST | {"labels": labels})
    assert run(render(plan, spec, effort="small"), tmp_path, monkeypatch, capsys) > 0.85
    assert submission(tmp_path)[["x", "y"]].to_numpy().max() <= 1


def test_several_values_on_a_log_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(x=lambda t: np.exp(signal(t)), y=lambda t: np.exp(-signal(t)))
    write(tmp_path, table, ["x", "y"], ["x", "y"])
    spec = spec_of(
        metric="mean columnwise rmsle", direction="min", problem="multiregression", prediction="value", classes=(),
        targets=("x", "y"), submission_columns=("id", "x", "y"),
    )  # fmt: skip
    assert (
        run(render(PipelinePlan.model_validate(FAST), spec, effort="small"), tmp_path, monkeypatch, capsys)
        < 0.5
    )
    made = submission(tmp_path)
    assert (made[["x", "y"]] >= 0).all().all()


@pytest.mark.parametrize(
    ("target", "loss"),
    [("none", "poisson"), ("yeo_johnson", "absolute"), ("log1p", "huber"), ("auto", "auto")],
)
def test_values_on_every_scale_and_loss_are_kept_in_the_range_of_train(
    target: str,
    loss: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = frame().assign(target=lambda t: np.rint(np.exp(signal(t))))
    write(tmp_path, table, ["target"], ["target"])
    spec = spec_of(metric="mae", direction="min", problem="regression", prediction="value", classes=())
    plan = PipelinePlan.model_validate(FAST | {"target": target, "loss": loss})
    baseline = (table["target"] - table["target"].median()).abs().mean()
    assert run(render(plan, spec, effort="small"), tmp_path, monkeypatch, capsys) < 0.8 * baseline
    made = submission(tmp_path)["target"]
    assert made.min() >= table["target"][:300].min()
    assert made.max() <= table["target"][:300].max()


def test_grades_are_cut_where_kappa_is_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: np.digitize(signal(t), [-1, 0.5, 2.5]) + 3)
    write(tmp_path, table, ["target"], ["target"], 5)
    spec = spec_of(
        metric="quadratic weighted kappa", metric_category="kappa", problem="ordinal", prediction="label",
        classes=("3", "4", "5", "6"),
    )  # fmt: skip
    assert problem_of(spec) == "regression"
    assert (
        run(render(PipelinePlan.model_validate(FAST), spec, effort="small"), tmp_path, monkeypatch, capsys)
        > 0.7
    )
    made, soft = submission(tmp_path)["target"], submission(tmp_path, "soft.csv")["target"]
    assert set(made) <= {3, 4, 5, 6}
    assert (np.rint(soft).astype(int) == made).all()


def series(ahead: bool) -> pd.DataFrame:
    """Three years of two growing series with a weekly pattern; test is the last year, or every fifth day."""
    days = pd.date_range("2018-01-01", "2020-12-31")
    parts = []
    for place, name in enumerate(("north", "south")):
        growth = np.exp(0.4 * np.arange(len(days)) / 365)
        week = 1 + 0.5 * (days.dayofweek >= 5)
        parts.append(pd.DataFrame({"date": days, "shop": name, "target": 100 * (place + 1) * growth * week}))
    table = pd.concat(parts, ignore_index=True)
    table["test"] = table["date"].dt.year == 2020 if ahead else table["date"].dt.day % 5 == 0
    table["id"] = np.arange(len(table))
    return table


@pytest.mark.parametrize("time", ["calendar", "trend", "lags"])
@pytest.mark.parametrize("ahead", [True, False])
def test_time_series_ahead_and_between(
    time: str,
    ahead: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = series(ahead)
    (tmp_path / "data").mkdir()
    with gzip.open(tmp_path / "data" / "train.csv.gz", "wt") as file:
        table[~table["test"]].drop(columns="test").to_csv(file, index=False)
    test = table[table["test"]].drop(columns="test")
    test.drop(columns="target").to_csv(tmp_path / "data" / "test.csv", index=False)
    test[["id"]].assign(target=0).to_csv(tmp_path / "data" / "sample_submission.csv", index=False)
    spec = spec_of(
        metric="smape", metric_category="percentage errors", direction="min", problem="regression", prediction="value",
        classes=(), time_column="date", data_types=(DataType.TIME_SERIES,),
    )  # fmt: skip
    plan = PipelinePlan.model_validate(FAST | {"time": time, "validation": "time"})
    run(render(plan, spec, effort="small"), tmp_path, monkeypatch, capsys)
    made = submission(tmp_path)["target"].to_numpy()
    error = 200 * np.mean(np.abs(made - test["target"]) / (made + test["target"]))
    assert error < (45 if ahead else 8)


def test_text_beside_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    words = np.where(table["target"] == 1, "the storm destroyed a bridge", "what a lovely sunny morning")
    table["text"] = [f"{word} number {n % 7}" for n, word in enumerate(words)]
    write(tmp_path, table, ["target"], ["target"])
    spec = spec_of(metric="f1", prediction="label", text_columns=("text",), data_types=(DataType.TEXT,))
    for family, text in (
        ("linear", "word_char"),
        ("lightgbm", "svd"),
        ("xgboost", "word"),
        ("naive_bayes", "char"),
        ("mlp", "svd"),
    ):
        plan = PipelinePlan.model_validate(FAST | {"family": family, "text": text, "encode": "onehot"})
        assert run(render(plan, spec, effort="small"), tmp_path, monkeypatch, capsys) > 0.9, family


def test_hostile_names_neither_break_nor_inject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = 'a"]); raise SystemExit("injected") #\n\'\'\'"""\\ {x} [y] <z> \u202e'
    table = frame().rename(columns={"a": evil}).assign(**{"ta'r\"get\\": lambda t: (t[evil] > 0).astype(int)})
    target = "ta'r\"get\\"
    write(tmp_path, table, [target], [target])
    spec = spec_of(targets=(target,), submission_columns=("id", target), title=evil, metric='auc"""')
    features = (Feature(op="ratio", a=evil, b="b"), Feature(op="cross", a="colour", b=evil))
    plan = PipelinePlan.model_validate(FAST | {"features": features, "idea": 'end it """ \\ \nimport os'})
    program = render(plan, spec, instruction_note='""" + evil', effort="small")
    assert run(program, tmp_path, monkeypatch, capsys) > 0.9
    assert list(submission(tmp_path).columns) == ["id", target]
    assert not any(
        isinstance(node, ast.Name) and node.id == "SystemExit" for node in ast.walk(ast.parse(program))
    )


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("problem", ["binary", "regression"])
def test_a_handful_of_rows_is_enough(
    rows: int,
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = frame().assign(target=lambda t: (t["a"] > 0).astype(int))
    write(tmp_path, table, ["target"], ["target"])
    table.head(rows).to_csv(tmp_path / "data" / "train.csv", index=False)
    changes: dict[str, Any] = {"problem": problem}
    if problem == "regression":
        changes |= {"metric": "rmse", "direction": "min", "prediction": "value", "classes": ()}
    run(
        render(PipelinePlan.model_validate(FAST), spec_of(**changes), effort="small"),
        tmp_path,
        monkeypatch,
        capsys,
    )
    assert submission(tmp_path)["target"].notna().all()


def test_a_spent_time_budget_still_ends_in_a_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    write(tmp_path, table, ["target"], ["target"])
    plan = PipelinePlan.model_validate({"folds": 10, "seeds": 3, "learning_rate": "low", "size": "high"})
    run(render(plan, spec_of(), effort="normal", seconds=0.0), tmp_path, monkeypatch, capsys)
    assert len(submission(tmp_path)) == 60


def test_columns_and_categories_that_only_one_table_has_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    write(tmp_path, table.assign(leak=1), ["target", "leak"], ["target"])
    test = pd.read_csv(tmp_path / "data" / "test.csv", dtype={"id": str}).assign(new="x")
    test.loc[0, "colour"] = "never seen"
    test.to_csv(tmp_path / "data" / "test.csv", index=False)
    for encode in ("native", "target", "onehot"):
        plan = PipelinePlan.model_validate(FAST | {"encode": encode})
        run(render(plan, spec_of(), effort="small"), tmp_path, monkeypatch, capsys)
        assert submission(tmp_path)["target"].notna().all()


@pytest.mark.parametrize("kind", ["probability", "label"])
def test_a_target_that_the_submission_calls_otherwise_is_written_under_its_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = frame().assign(target=lambda t: (signal(t) > 0.7).astype(int))
    answers = write(tmp_path, table, ["target"], ["Target"])
    metric = {"probability": "auc", "label": "accuracy"}[kind]
    spec = spec_of(
        metric=metric,
        problem="binary",
        prediction=kind,
        classes=("0", "1"),
        submission_columns=("id", "Target"),
    )
    plan = PipelinePlan.model_validate(FAST)
    assert run(render(plan, spec, effort="small"), tmp_path, monkeypatch, capsys) > 0.7
    made = submission(tmp_path)
    assert list(made.columns) == ["id", "Target"]
    assert ((made["Target"] > 0.5) == (answers["target"] == 1)).mean() > 0.7
