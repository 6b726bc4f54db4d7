import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.holdout import Split, carve
from linguacodus_core.scoring.predictions import answers
from linguacodus_core.scoring.schemes import hold_outs


def raw(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def parts(split: Split, fold: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    data = split.folds[fold].data
    return (
        raw(data["train.csv"]),
        raw(data["test.csv"]),
        raw(data["sample_submission.csv"]),
        answers(split.folds[fold]),
    )


@pytest.mark.parametrize(("rows", "folds"), [(10, 5), (700, 5), (1650, 4), (2500, 2), (5000, 1), (10**6, 1)])
def test_small_tasks_get_more_hold_outs(rows, folds):
    assert hold_outs(rows) == folds


def test_classes_keep_their_shares_and_folds_are_disjoint(binary_task, tmp_path):
    spec = binary_task(700)
    split = carve(spec, 0, tmp_path / "into")
    whole = raw(spec.data / "train.csv")["y"].astype(int).mean()
    held = [parts(split, fold)[3] for fold in range(5)]
    assert split.scheme == "stratified"
    assert all(abs(part["y"].astype(int).mean() - whole) < 0.01 for part in held)
    assert len(set().union(*(set(part["id"]) for part in held))) == sum(map(len, held)) == 700
    for fold in range(5):
        train, test, _, _ = parts(split, fold)
        assert not set(train["id"]) & set(test["id"])
        assert len(train) + len(test) == 700
        assert (split.folds[fold].train_rows, split.folds[fold].test_rows) == (len(train), len(test))


def test_the_candidate_sees_the_columns_of_the_real_files_and_no_answer(binary_task, tmp_path):
    spec = binary_task(300)
    train_path = spec.data / "train.csv"
    raw(train_path).assign(leak="only in train").to_csv(train_path, index=False)
    split = carve(spec, 0, tmp_path / "into")
    train, test, sample, truth = parts(split)
    assert list(train.columns) == ["id", "a", "b", "y", "leak"]
    assert list(test.columns) == ["id", "a", "b"]
    assert list(sample.columns) == ["id", "y"]
    assert sample["y"].nunique() == 1
    assert float(sample["y"].iloc[0]) == pytest.approx(train["y"].astype(float).mean(), abs=1e-5)
    assert list(sample["id"]) == list(test["id"]) == list(truth["id"])
    seen = {path.resolve() for path in split.folds[0].data.values()}
    assert not any(fold.answers.resolve().is_relative_to(path) for fold in split.folds for path in seen)


def test_answers_belong_to_the_rows_they_stand_beside(binary_task, tmp_path):
    spec = binary_task(300)
    whole = raw(spec.data / "train.csv").set_index("id")
    for fold in carve(spec, 3, tmp_path / "into").folds:
        truth = answers(fold).set_index("id")["y"]
        assert (whole.loc[truth.index, "y"] == truth).all()


def test_rows_are_shuffled_where_their_order_does_not_matter(binary_task, tmp_path):
    train, test, _, _ = parts(carve(binary_task(300), 0, tmp_path / "into"))
    for part in (train, test):
        ids = part["id"].astype(int)
        assert not ids.is_monotonic_increasing
        assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 0.5


def test_values_are_copied_as_they_are_written(make_task, tmp_path):
    odd = ["NA", "001", "1e3", "", " x ", 'say ""hi"", you', "a\nb", "ünï", "1.50", "True"]
    lines = "".join(f'{number:03d},"{odd[number % 10]}",{number % 7}.500\n' for number in range(40))
    train = "id,text,y\n" + lines
    spec = make_task(train, "id,text\n900,x\n", "id,y\n900,1.5\n")
    split = carve(spec, 0, tmp_path / "into")
    source = raw(spec.data / "train.csv").set_index("id")
    for fold in range(len(split.folds)):
        left, held, _, truth = parts(split, fold)
        assert (left.set_index("id") == source.loc[left["id"]]).all().all()
        assert (held.set_index("id")["text"] == source.loc[held["id"], "text"]).all()
        assert set(truth["y"]) <= set(source["y"])


def test_gzip_and_encoding_are_those_of_the_task(make_task, tmp_path):
    rows = "".join(f"{number};Müller {number};{number % 9}\n" for number in range(30))
    text = ("id;name;y\n" + rows).encode("cp1252")
    spec = make_task(
        "x", "id;name\n99;Zoë\n", "id;y\n99;1\n", train_file="train.csv.gz", submission_columns=("id", "y")
    )
    (spec.data / "train.csv.gz").write_bytes(gzip.compress(text))
    split = carve(spec, 0, tmp_path / "into")
    inner = gzip.decompress(split.folds[0].data["train.csv.gz"].read_bytes()).decode("cp1252")
    assert inner.startswith("id;name;y\n")
    assert "Müller" in inner


def test_the_same_task_gives_the_same_split_anywhere_and_another_seed_another(binary_task, tmp_path):
    spec = binary_task(300)
    first, again, other = (
        carve(spec, seed, tmp_path / name) for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert first == again
    assert hash(first) == hash(again)
    assert first.sha256 == again.sha256 != other.sha256
    assert Split.model_validate_json(first.model_dump_json()) == first


def test_other_data_are_passed_by_their_own_path_but_no_second_copy_of_the_answers(binary_task, tmp_path):
    spec = binary_task(300)
    (spec.data / "images").mkdir()
    (spec.data / "images" / "1.png").write_bytes(b"x")
    (spec.data / "stores.csv").write_text("store,city\n1,Bonn\n")
    whole = raw(spec.data / "train.csv")
    (spec.data / "train.csv.gz").write_bytes(gzip.compress(whole.to_csv(index=False).encode()))
    whole.drop(columns="a").to_csv(spec.data / "labels_again.csv", index=False)
    split = carve(spec, 0, tmp_path / "into")
    for fold in split.folds:
        assert fold.data["images"] == (spec.data / "images").resolve()
        assert fold.data["stores.csv"] == (spec.data / "stores.csv").resolve()
        assert "train.csv.gz" not in fold.data
        assert not set(raw(fold.data["labels_again.csv"])["id"]) & set(answers(fold)["id"])
        assert len(raw(fold.data["labels_again.csv"])) == fold.train_rows


def test_targets_that_stand_in_the_test_file_are_blanked(make_task, tmp_path):
    train = pd.DataFrame({"id": range(50), "a": range(50), "y": range(1000, 1050)})
    test = pd.DataFrame({"id": [90, 91], "a": [1, 2], "y": [0, 0]})
    split = carve(make_task(train, test, test[["id", "y"]]), 0, tmp_path / "into")
    assert set(parts(split)[1]["y"]) == {"0"}


def test_ids_are_made_up_where_train_has_none(make_task, tmp_path):
    train = pd.DataFrame({"a": range(50), "y": range(50)})
    test = pd.DataFrame({"id": range(700, 710), "a": range(10)})
    _, inner, sample, truth = parts(
        carve(make_task(train, test, test[["id"]].assign(y=0)), 0, tmp_path / "into")
    )
    assert list(inner["id"]) == list(sample["id"]) == [str(700 + row) for row in range(10)]
    assert list(truth["id"]) == list(sample["id"])


def test_rows_that_share_an_id_are_not_torn_apart(make_task, tmp_path):
    ids = [number // 2 if number < 20 else number for number in range(100)]
    train = pd.DataFrame({"id": ids, "a": range(100), "y": range(100)})
    split = carve(
        make_task(train, train[["id", "a"]].tail(5), train[["id", "y"]].tail(5)), 0, tmp_path / "into"
    )
    for fold in range(len(split.folds)):
        left, inner, _, _ = parts(split, fold)
        assert inner["id"].is_unique
        assert not set(left["id"]) & set(inner["id"])


def test_a_class_with_one_row_stays_in_train(make_task, tmp_path):
    train = pd.DataFrame({"id": range(61), "a": range(61), "y": ["p", "q"] * 30 + ["rare"]})
    test = pd.DataFrame({"id": [90], "a": [1]})
    fields = {
        "metric": "accuracy",
        "direction": "max",
        "prediction": "label",
        "problem": "multiclass",
        "classes": ("p", "q", "rare"),
    }
    split = carve(make_task(train, test, test[["id"]].assign(y="p"), **fields), 0, tmp_path / "into")
    for fold in range(len(split.folds)):
        left, _, sample, truth = parts(split, fold)
        assert "rare" in set(left["y"])
        assert "rare" not in set(truth["y"])
        assert set(sample["y"]) <= {"p", "q"}
    assert "alone in their class" in split.why


def test_label_combinations_keep_their_shares(make_task, tmp_path):
    random = np.random.RandomState(0)
    labels = pd.DataFrame(
        {
            name: (random.rand(400) < share).astype(int)
            for name, share in (("p", 0.5), ("q", 0.2), ("r", 0.02))
        }
    )
    train = pd.concat([pd.DataFrame({"id": range(400), "a": range(400)}), labels], axis=1)
    test = pd.DataFrame({"id": [900], "a": [1]})
    spec = make_task(
        train,
        test,
        pd.DataFrame({"id": [900], "p": 0.5, "q": 0.5, "r": 0.5}),
        targets=("p", "q", "r"),
        prediction="probability",
        problem="multilabel",
        metric="mean column auc",
        direction="max",
    )
    split = carve(spec, 0, tmp_path / "into")
    assert split.scheme == "multilabel"
    for fold in range(len(split.folds)):
        truth = parts(split, fold)[3][["p", "q", "r"]].astype(int)
        assert (truth.mean() - labels.mean()).abs().max() < 0.03


def test_class_columns_show_the_shares_of_train(make_task, tmp_path):
    train = pd.DataFrame({"id": range(100), "a": range(100), "y": ["C"] * 60 + ["D"] * 40})
    test = pd.DataFrame({"id": [900], "a": [1]})
    spec = make_task(
        train,
        test,
        pd.DataFrame({"id": [900], "Status_C": 0.5, "Status_D": 0.5}),
        layout="class_columns",
        prediction="probability",
        problem="multiclass",
        classes=("C", "D"),
        metric="multiclass log loss",
    )
    sample = parts(carve(spec, 0, tmp_path / "into"))[2]
    assert sample[["Status_C", "Status_D"]].iloc[0].astype(float).tolist() == pytest.approx(
        [0.6, 0.4], abs=0.01
    )


def grouped(make_task, overlap: bool, **fields):
    train = pd.DataFrame(
        {"id": range(200), "g": [f"g{number % 17}" for number in range(200)], "y": range(200)}
    )
    test = pd.DataFrame(
        {"id": range(900, 920), "g": [f"g{number}" if overlap else f"new{number}" for number in range(20)]}
    )
    return make_task(train, test, test[["id"]].assign(y=0), group_column="g", **fields)


def test_groups_of_the_hold_out_are_new_where_the_tests_are(make_task, tmp_path):
    split = carve(grouped(make_task, overlap=False), 0, tmp_path / "into")
    assert split.scheme == "group"
    assert 3 <= len(split.folds) <= 5
    for fold in range(len(split.folds)):
        left, inner, _, _ = parts(split, fold)
        assert not set(left["g"]) & set(inner["g"])
        assert 15 <= len(inner) <= 80


def test_groups_are_ignored_where_the_test_has_the_same_unless_the_task_says_so(make_task, tmp_path):
    assert carve(grouped(make_task, overlap=True), 0, tmp_path / "a").scheme == "random"
    declared = grouped(make_task, overlap=True, slug="declared", inferred={"group_column": "task.toml"})
    assert carve(declared, 0, tmp_path / "b").scheme == "group"


def daily(make_task, train_days: pd.DatetimeIndex, test_days: pd.DatetimeIndex, each: int = 1, **fields):
    train = pd.DataFrame({"when": train_days.repeat(each)})
    train.insert(0, "id", range(len(train)))
    test = pd.DataFrame({"when": test_days.repeat(each)})
    test.insert(0, "id", range(10**6, 10**6 + len(test)))
    return make_task(
        train.assign(y=range(len(train))), test, test[["id"]].assign(y=0), time_column="when", **fields
    )


def test_a_forecast_holds_out_the_last_stretch_as_long_as_the_tests(make_task, tmp_path):
    days = pd.date_range("2020-01-01", "2021-12-31")
    spec = daily(make_task, days, pd.date_range("2022-01-01", "2022-03-01"), each=20)
    split = carve(spec, 0, tmp_path / "into")
    left, inner, _, _ = parts(split)
    assert split.scheme == "time"
    assert len(split.folds) == 1
    assert left["when"].max() < inner["when"].min()
    assert inner["when"].max() == "2021-12-31"
    assert inner["when"].nunique() == 60
    assert left["id"].astype(int).is_monotonic_increasing


def test_a_small_forecast_has_two_hold_outs_one_before_the_other(make_task, tmp_path):
    spec = daily(
        make_task, pd.date_range("2020-01-01", "2021-12-31"), pd.date_range("2022-01-01", "2022-03-01")
    )
    split = carve(spec, 0, tmp_path / "into")
    (left, inner, _, _), (earlier_left, earlier, _, _) = parts(split, 0), parts(split, 1)
    assert earlier["when"].max() < inner["when"].min()
    assert earlier_left["when"].max() < earlier["when"].min()
    assert earlier["when"].max() <= left["when"].max()


def test_a_gap_between_train_and_test_is_kept_in_the_hold_out(make_task, tmp_path):
    spec = daily(
        make_task, pd.date_range("2020-01-01", "2021-12-31"), pd.date_range("2022-01-31", "2022-03-01")
    )
    left, inner, _, _ = parts(carve(spec, 0, tmp_path / "into"))
    assert (pd.Timestamp(inner["when"].min()) - pd.Timestamp(left["when"].max())).days >= 30


def test_days_of_the_month_that_only_the_test_has_are_mimicked(make_task, tmp_path):
    days = pd.date_range("2020-01-01", "2020-12-31")
    spec = daily(make_task, days[days.day <= 15], days[(days.day > 15) & (days.day <= 19)], each=24)
    split = carve(spec, 0, tmp_path / "into")
    left, inner, _, _ = parts(split)
    assert split.scheme == "time"
    assert set(pd.to_datetime(inner["when"]).dt.day) == {13, 14, 15}
    assert set(pd.to_datetime(left["when"]).dt.day) == set(range(1, 13))


def test_gaps_in_time_are_mimicked_by_blocks_as_long(make_task, tmp_path):
    days = pd.date_range("2020-01-01", periods=400)
    gaps = np.isin(np.arange(400) // 10 % 4, [2])
    split = carve(daily(make_task, days[~gaps], days[gaps], each=10), 0, tmp_path / "into")
    left, inner, _, _ = parts(split)
    assert split.scheme == "time"
    assert "blocks of 10 days" in split.why
    assert not set(left["when"]) & set(inner["when"])


def test_time_that_does_not_tell_test_from_train_is_ignored(make_task, tmp_path):
    days = pd.date_range("2020-01-01", periods=100)
    assert carve(daily(make_task, days, days), 0, tmp_path / "into").scheme == "random"


def test_unreadable_times_are_ignored(make_task, tmp_path):
    train = pd.DataFrame({"id": range(50), "when": "soon", "y": range(50)})
    test = train.drop(columns="y").head(5)
    spec = make_task(train, test, test[["id"]].assign(y=0), time_column="when")
    assert carve(spec, 0, tmp_path / "into").scheme == "random"


def test_a_large_task_holds_out_at_most_20000_rows(make_task, tmp_path):
    train = pd.DataFrame({"id": range(130_000), "y": 1.5})
    test = train[["id"]].tail(3)
    split = carve(make_task(train, test, test.assign(y=0.0)), 0, tmp_path / "into")
    assert [fold.test_rows for fold in split.folds] == [20_000]


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@pytest.mark.parametrize("problem", ["regression", "binary"])
def test_tiny_data_still_give_a_hold_out(make_task, tmp_path, rows, problem):
    train = pd.DataFrame({"id": range(rows), "a": range(rows), "y": [number % 2 for number in range(rows)]})
    test = train[["id", "a"]].head(1)
    spec = make_task(train, test, test[["id"]].assign(y=0), problem=problem, classes=("0", "1"))
    split = carve(spec, 0, tmp_path / "into")
    for fold in split.folds:
        assert fold.train_rows >= 1
        assert fold.test_rows >= 1
    assert rows > 1 or "only one row" in split.why


def test_rows_without_an_answer_stay_in_train(make_task, tmp_path):
    train = pd.DataFrame({"id": range(100), "y": [None if number < 40 else number for number in range(100)]})
    test = train[["id"]].head(2)
    split = carve(make_task(train, test, test.assign(y=0)), 0, tmp_path / "into")
    for fold in split.folds:
        assert answers(fold)["id"].astype(int).min() >= 40
    assert "40 rows without an answer" in split.why


def test_no_answer_at_all_is_said(make_task, tmp_path):
    train = pd.DataFrame({"id": range(5), "y": [None] * 5})
    spec = make_task(train, train[["id"]], train[["id"]].assign(y=0))
    with pytest.raises(TaskError, match=r"no row of train\.csv has an answer in y"):
        carve(spec, 0, tmp_path / "into")


def test_a_target_that_train_lacks_is_said(make_task, tmp_path):
    train = pd.DataFrame({"id": range(5), "z": 1})
    with pytest.raises(TaskError, match="no column y"):
        carve(make_task(train, train[["id"]], train[["id"]].assign(y=0)), 0, tmp_path / "into")


def test_a_submission_without_ids_goes_by_row(make_task, tmp_path):
    train = pd.DataFrame({"a": range(60), "y": range(60)})
    spec = make_task(train, train[["a"]].head(5), train[["y"]].head(5), id_column=None)
    _, inner, sample, truth = parts(carve(spec, 0, tmp_path / "into"))
    assert list(sample.columns) == ["y"]
    assert list(truth.columns) == ["row", "y"]
    assert list(truth["y"]) == list(inner["a"])
