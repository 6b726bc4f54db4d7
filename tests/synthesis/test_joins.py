"""Further tables: found, joined by their key, and never those that may hold answers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.scoring.harness import score_frame
from linguacodus_core.scoring.submission import validate
from linguacodus_core.synthesis.blocks.joins import join_table
from linguacodus_core.synthesis.plan import PipelinePlan
from linguacodus_core.synthesis.render import render
from linguacodus_core.taskfolder.read import read_task

PLAN = PipelinePlan.model_validate({"folds": 3, "learning_rate": "high", "size": "low"})


def make(folder: Path, **tables: pd.DataFrame) -> pd.DataFrame:
    """A regression whose target is the size of the row's shop; returns the answers."""
    random = np.random.default_rng(0)
    shops = random.permutation(np.arange(400) % 80)
    frame = pd.DataFrame(
        {"id": [f"{n:03d}" for n in range(400)], "shop": shops, "a": random.normal(size=400)}
    )
    frame["y"] = (10 * size(frame["shop"]) + random.normal(0, 0.1, 400)).round(3)
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text("How much?")
    (folder / "task.toml").write_text('metric = "rmse"\n')
    frame.iloc[:320].to_csv(folder / "data" / "train.csv", index=False)
    frame.iloc[320:].drop(columns="y").to_csv(folder / "data" / "test.csv", index=False)
    frame.iloc[320:][["id"]].assign(y=1.5).to_csv(folder / "data" / "sample_submission.csv", index=False)
    for name, table in tables.items():
        table.to_csv(folder / "data" / f"{name}.csv", index=False)
    return frame


def size(shop: pd.Series) -> pd.Series:
    return (shop * 37 % 80) / 80


def shops() -> pd.DataFrame:
    table = pd.DataFrame({"shop": np.arange(80)})
    return table.assign(m2=size(table["shop"]).round(1), town=np.where(table["shop"] % 2, "Ulm", "Bonn"))


@pytest.mark.parametrize("many", [False, True])
def test_a_table_of_the_key_is_joined_and_helps(
    many: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.concat([shops()] * 3) if many else shops()
    frame = make(tmp_path, shops=table)
    spec = read_task(tmp_path)
    assert [(t.file, t.key) for t in spec.tables] == [("shops.csv", "shop")]
    assert "shops.csv by shop" in spec.inferred["tables"]
    truth = frame.iloc[320:].reset_index(drop=True)
    monkeypatch.chdir(tmp_path)
    found = []
    for used in (spec, spec.model_copy(update={"tables": ()})):
        exec(compile(render(PLAN, used, effort="small"), "solution.py", "exec"), {"__name__": "__main__"})
        found.append(score_frame(spec, truth, validate(Path("submission.csv"), spec, truth[["id", "y"]])))
    assert found[0] < 0.8 * found[1]


def test_a_program_without_further_tables_says_nothing_of_them(tmp_path: Path) -> None:
    make(tmp_path)
    assert "join_table" not in render(PLAN, read_task(tmp_path), effort="small")


def answers(frame: pd.DataFrame, **columns: object) -> pd.DataFrame:
    return frame[["id"]].assign(**columns)


def test_tables_that_may_hold_answers_are_never_joined(tmp_path: Path) -> None:
    frame = make(tmp_path)
    late = frame["y"].where(frame.index >= 320)
    leaks = {
        "named": answers(frame, y=frame["y"]),
        "cased": answers(frame, Y=0.0),
        "renamed": answers(frame, truth=frame["y"]),
        "scaled": answers(frame, cents=frame["y"] * 100 + 3),
        "late": answers(frame, value=late),
        "only_test": answers(frame.iloc[320:], value=1.0),
        "many": pd.concat([answers(frame, value=frame["y"])] * 2),
    }
    for name, table in leaks.items():
        table.to_csv(tmp_path / "data" / f"{name}.csv", index=False)
    spec = read_task(tmp_path)
    assert spec.tables == ()
    assert "renamed.csv is not joined: its column truth may hold answers" in spec.warnings
    assert sum("is not joined" in line for line in spec.warnings) == 4


def test_labels_under_other_words_are_answers_too(tmp_path: Path) -> None:
    frame = make(tmp_path)
    frame["y"] = np.where(frame["y"] > 9.8, "yes", "no")
    frame.iloc[:320].to_csv(tmp_path / "data" / "train.csv", index=False)
    frame[["id"]].iloc[320:].assign(y="no").to_csv(tmp_path / "data" / "sample_submission.csv", index=False)
    (tmp_path / "task.toml").write_text('metric = "accuracy"\n')
    coded = answers(frame, flag=(frame["y"] == "yes").astype(int))
    coded.to_csv(tmp_path / "data" / "flags.csv", index=False)
    shops().to_csv(tmp_path / "data" / "shops.csv", index=False)
    rare = answers(frame, flag=np.arange(400) % 3 == 0)
    rare.to_csv(tmp_path / "data" / "rare.csv", index=False)
    assert [t.file for t in read_task(tmp_path).tables] == ["rare.csv", "shops.csv"]


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"shop": np.arange(80), "a": 1.0, "m2": 2.0}),
        pd.DataFrame({"other": np.arange(80), "m2": 2.0}),
        pd.DataFrame({"shop": np.arange(500, 580), "m2": 2.0}),
        pd.DataFrame({"shop": np.arange(80)}),
        pd.DataFrame({"a": np.linspace(-2, 2, 80), "m2": 2.0}),
    ],
    ids=["two shared", "none shared", "other keys", "key alone", "fractions as key"],
)
def test_tables_that_do_not_fit_are_left_alone(table: pd.DataFrame, tmp_path: Path) -> None:
    make(tmp_path, extra=table)
    assert read_task(tmp_path).tables == ()


def test_rows_keep_their_number_and_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "side.csv").write_text("k,v,y,w\n7,1,9,a\n7,3,9,b\n,5,9,c\n8,inf,9,d\n")
    monkeypatch.chdir(tmp_path)
    train = pd.DataFrame({"k": [8.0, 7.0, np.nan, 9.0], "y": 0}, index=[5, 3, 1, 0])
    test = pd.DataFrame({"k": ["7", "007"]})
    one, two = join_table(train, test, "side.csv", "k", ["y"])
    assert list(one.columns) == ["k", "y", "side mean v", "side rows"]
    assert list(one.index) == [5, 3, 1, 0]
    assert one["side rows"].fillna(0).tolist() == [1, 2, 0, 0]
    assert two["side mean v"].tolist() == [2, 2]
    same = join_table(train, test, "gone.csv", "k", ["y"])
    assert same[0] is train
