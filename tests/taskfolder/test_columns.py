import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import OpenQuestion, TaskError
from linguacodus_core.taskfolder.columns import Columns, as_text, find_columns
from linguacodus_core.taskfolder.settings_file import TaskSettings

TRAIN = pd.DataFrame({"id": [1, 2, 3, 4], "x": [0.1, 0.2, 0.3, 0.4], "y": [1, 0, 1, 0]})
TEST = pd.DataFrame({"id": [5, 6, 7], "x": [0.5, 0.6, 0.7]})
SAMPLE = pd.DataFrame({"id": [5, 6, 7], "y": [0, 0, 0]})


def find(
    train: pd.DataFrame = TRAIN, test: pd.DataFrame = TEST, sample: pd.DataFrame = SAMPLE, **settings: object
) -> Columns:
    return find_columns(train, test, sample, TaskSettings.model_validate(settings))


def test_id_and_target_come_from_the_sample() -> None:
    found = find()
    assert (found.id_column, found.targets, found.layout) == ("id", ("y",), "targets")
    assert found.warnings == ()


@pytest.mark.parametrize(
    "ids",
    [
        ["a", "b", "c"],
        ["007", "008", "009"],
        ["2011-01-16 00:00:00", "2011-01-16 01:00:00", "2011-01-17 00:00:00"],
    ],
)
def test_ids_may_be_words_or_dates(ids: list[str]) -> None:
    assert find(test=TEST.assign(id=ids), sample=SAMPLE.assign(id=ids)).id_column == "id"


def test_whole_numbers_written_as_floats_are_the_same_ids() -> None:
    assert find(test=TEST.assign(id=[5.0, 6.0, 7.0])).id_column == "id"


def test_an_id_that_train_lacks_is_a_warning() -> None:
    assert any("train has no id column id" in w for w in find(train=TRAIN.drop(columns="id")).warnings)


def test_an_id_that_test_lacks_goes_by_the_order_of_rows() -> None:
    found = find(test=TEST.drop(columns="id"))
    assert found.id_column == "id"
    assert "order" in found.found["id_column"]
    with pytest.raises(TaskError, match="3 rows, test has 2"):
        find(test=TEST.drop(columns="id").iloc[:2])


def test_a_sample_of_targets_only_needs_no_id() -> None:
    assert find(sample=SAMPLE[["y"]], test=TEST.drop(columns="id")).id_column is None


@pytest.mark.parametrize("which", ["test", "sample"])
def test_repeated_ids_are_refused(which: str) -> None:
    frames = {which: {"test": TEST, "sample": SAMPLE}[which].assign(id=[5, 6, 6])}
    with pytest.raises(TaskError, match=r"repeats 1 values of its id id \(6\)"):
        find(**frames)  # type: ignore[arg-type]


def test_repeated_ids_in_train_are_a_warning() -> None:
    assert "train repeats 2 values of its id column id" in find(train=TRAIN.assign(id=[1, 1, 2, 2])).warnings


def test_missing_ids_are_refused() -> None:
    with pytest.raises(TaskError, match="rows without id"):
        find(test=TEST.assign(id=[5, 6, np.nan]), sample=SAMPLE, id_column="id")


def test_ids_that_disagree_are_counted_and_shown() -> None:
    with pytest.raises(TaskError, match="1 id of test are not in the sample submission") as caught:
        find(sample=SAMPLE.assign(id=[5, 6, 99]))
    assert "99" in caught.value.problem


def test_a_shorter_sample_is_refused() -> None:
    with pytest.raises(TaskError, match="disagree"):
        find(sample=SAMPLE.iloc[:2])


def test_ids_in_another_order_are_a_warning() -> None:
    assert any("another order" in w for w in find(sample=SAMPLE.iloc[::-1]).warnings)


def test_an_id_spelled_differently_is_said() -> None:
    with pytest.raises(TaskError, match="'ID', test calls it 'id'"):
        find(sample=SAMPLE.rename(columns={"id": "ID"}))


def test_two_columns_that_only_together_are_unique_are_refused() -> None:
    test = pd.DataFrame({"shop": [1, 1, 2], "day": [1, 2, 1], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(TaskError, match="no single id column"):
        find(test=test, sample=test[["shop", "day"]].assign(y=0))


def test_a_column_copied_from_test_is_no_target() -> None:
    found = find(sample=SAMPLE.assign(x=TEST["x"]))
    assert found.targets == ("y",)
    assert any("copied" in w for w in found.warnings)
    assert find(sample=SAMPLE.assign(x=TEST["x"]), targets=["y"]).targets == ("y",)


def test_a_target_left_in_test_is_told() -> None:
    found = find(test=TEST.assign(y=np.nan))
    assert found.targets == ("y",)
    assert any("test holds the target y" in w for w in found.warnings)


def test_a_target_written_differently_is_found() -> None:
    found = find(sample=SAMPLE.rename(columns={"y": " Y"}))
    assert (found.targets, found.layout) == (("y",), "targets")


def test_a_target_that_train_lacks_is_a_question_with_its_columns() -> None:
    with pytest.raises(OpenQuestion, match="asks for prediction") as caught:
        find(sample=SAMPLE.rename(columns={"y": "prediction"}))
    assert 'targets = ["y"]' in caught.value.remedy
    assert find(sample=SAMPLE.rename(columns={"y": "prediction"}), targets=["y"]).targets == ("y",)


def test_a_train_without_any_target_is_refused() -> None:
    with pytest.raises(TaskError, match="asks for y") as caught:
        find(train=TRAIN.drop(columns="y"))
    assert not isinstance(caught.value, OpenQuestion)


@pytest.mark.parametrize(
    ("key", "value"),
    [("id_column", "Idd"), ("targets", ["yy"]), ("time_column", "xx"), ("text_columns", ["xx"])],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(key: str, value: object) -> None:
    with pytest.raises(TaskError, match=f"{key} = ") as caught:
        find(**{key: value})  # type: ignore[arg-type]
    assert "its columns are" in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        (["red", "blue", "green"], ["blue", "green", "red"]),
        (["C", "CL", "D"], ["Status_C", "Status_CL", "Status_D"]),
        ([0, 1, 2], ["class_0", "class_1", "class_2"]),
        ([1, 2, 10], ["1", "2", "10"]),
        (["Light Rain", "Dry", "Snow"], ["light_rain", "dry", "snow"]),
        (["Cover_A", "Cover_B", "Cover_C"], ["a", "b", "c"]),
    ],
)
def test_one_column_a_class_is_matched_to_the_values_of_train(
    values: list[object], columns: list[str]
) -> None:
    train = pd.DataFrame({"id": range(1, 7), "x": range(6), "kind": values * 2})
    sample = pd.DataFrame({"id": [5, 6, 7]} | dict.fromkeys(columns, 0.3))
    if columns == ["a", "b", "c"]:
        with pytest.raises(OpenQuestion):
            find(train=train, sample=sample)
        return
    for found in (find(train=train, sample=sample), find(train=train, sample=sample, targets=["kind"])):
        assert (found.layout, found.targets) == ("class_columns", ("kind",))
        assert set(found.classes) == {str(v) for v in values}
        assert len(found.classes) == len(columns)
    normal = [c.split("_")[-1] if c.split("_")[0] in ("Status", "class") else c for c in columns]
    assert [c.lower().replace(" ", "_") for c in found.classes] == [c.lower() for c in normal]


def test_classes_without_a_column_do_not_match() -> None:
    train = TRAIN.assign(y=["a", "b", "c", "d"])
    with pytest.raises(TaskError, match="are not the values of y"):
        find(train=train, sample=SAMPLE.drop(columns="y").assign(a=0.5, b=0.5), targets=["y"])


def test_a_sample_without_a_target_is_refused() -> None:
    with pytest.raises(TaskError, match="single column id"):
        find(sample=SAMPLE[["id"]])


def test_values_have_one_spelling() -> None:
    assert as_text(pd.Series([1.0, 2.0, np.nan])).tolist()[:2] == ["1", "2"]
    assert as_text(pd.Series([0.5, 2.0])).tolist() == ["0.5", "2.0"]
    assert as_text(pd.Series([True, False])).tolist() == ["True", "False"]
    assert as_text(pd.Series([1, 2])).tolist() == ["1", "2"]
