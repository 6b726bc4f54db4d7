from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.scoring.submission import validate

SAMPLE = pd.DataFrame({"id": ["1", "2", "3"], "y": ["0.5"] * 3})


@pytest.fixture
def spec(binary_task):
    return binary_task(20)


@pytest.fixture
def label_spec(binary_task):
    return binary_task(20, slug="labels", prediction="label", metric="accuracy", classes=("cat", "dog"))


def test_columns_and_rows_come_in_the_samples_order(spec):
    given = pd.DataFrame({"y": [0.3, 0.1, 0.2], "id": [3, 1, 2]})
    found = validate(given, spec, SAMPLE)
    assert list(found.columns) == ["id", "y"]
    assert list(found["id"]) == ["1", "2", "3"]
    assert list(found["y"]) == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["1", "2"], [1.0, 2.0]),
        (["001", "002"], [1, 2]),
        (["a.jpg", "b.jpg"], [" a.jpg", "b.jpg "]),
        (["2011-01-20 00:00:00", "2011-01-21 00:00:00"], ["2011-01-20", "2011-01-21"]),
        (["2011-01-20 00:00:00", "2011-01-20 01:00:00"], ["2011-01-20T00:00:00", "2011-01-20T01:00:00"]),
        (["9007199254740993", "9007199254740992"], [9007199254740993, 9007199254740992]),
        (["0.5", "1.5"], [0.5, 1.5]),
    ],
)
def test_ids_may_be_spelled_otherwise(spec, wanted, given):
    sample = pd.DataFrame({"id": wanted, "y": 0.5})
    found = validate(pd.DataFrame({"id": given, "y": [0.1, 0.2]})[::-1], spec, sample)
    assert list(found["id"]) == wanted
    assert list(found["y"]) == [0.1, 0.2]


def test_ids_that_differ_only_by_zeros_are_kept_apart(spec):
    sample = pd.DataFrame({"id": ["1", "01"], "y": 0.5})
    found = validate(pd.DataFrame({"id": ["01", "1"], "y": [0.1, 0.2]}), spec, sample)
    assert list(found["y"]) == [0.2, 0.1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id": [1, 2], "y": [0.1, 0.2]}, "2 rows, 3 are expected; 1 values of 'id' are missing: '3'"),
        ({"id": [1, 2, 2], "y": [0.1] * 3}, "1 duplicate values of 'id': '2'"),
        ({"id": [1, 2, 9], "y": [0.1] * 3}, "1 values of 'id' are not known: '9'"),
        ({"id": [1, 2, 3], "z": [0.1] * 3}, "no column 'y'; the sample submission has no column 'z'"),
        ({"Unnamed: 0": [0, 1, 2], "id": [1, 2, 3], "y": [0.1] * 3}, "index=False"),
        (
            {"id": [1, 2, 3], "y": [0.1, None, 0.2]},
            "1 of 3 values of column 'y' are missing, e.g. in row '2'",
        ),
        ({"id": [1, 2, 3], "y": [0.1, np.inf, 0.2]}, "are infinite, e.g. in row '2'"),
        ({"id": [1, 2, 3], "y": [0.1, "high", 0.2]}, "are no numbers: 'high'"),
        ({"id": [1, 2, 3], "y": [0.1, -0.2, 1.7]}, "2 of 3 values of column 'y' are no probabilities"),
    ],
)
def test_what_is_wrong_is_said_with_counts_and_examples(spec, given, message):
    with pytest.raises(SubmissionInvalid) as caught:
        validate(pd.DataFrame(given), spec, SAMPLE)
    assert message in str(caught.value)


def test_rounding_just_outside_of_zero_and_one_is_clipped(spec):
    found = validate(pd.DataFrame({"id": [1, 2, 3], "y": [-1e-9, 1 + 1e-9, 0.5]}), spec, SAMPLE)
    assert list(found["y"]) == [0.0, 1.0, 0.5]


def test_values_may_be_anything_finite(make_task, spec):
    values = spec.model_copy(update={"prediction": "value", "problem": "regression"})
    assert list(validate(pd.DataFrame({"id": [1, 2, 3], "y": [-5, 1e9, 0]}), values, SAMPLE)["y"]) == [
        -5,
        1e9,
        0,
    ]


def test_labels_come_back_in_the_tasks_spelling(label_spec):
    numbered = label_spec.model_copy(update={"classes": ("0", "1")})
    assert list(validate(pd.DataFrame({"id": [1, 2, 3], "y": [0.0, 1.0, 1.0]}), numbered, SAMPLE)["y"]) == [
        "0",
        "1",
        "1",
    ]
    assert list(
        validate(pd.DataFrame({"id": [1, 2, 3], "y": [True, False, True]}), numbered, SAMPLE)["y"]
    ) == ["1", "0", "1"]
    assert list(
        validate(pd.DataFrame({"id": [1, 2, 3], "y": ["cat", " dog", "cat"]}), label_spec, SAMPLE)["y"]
    ) == ["cat", "dog", "cat"]


def test_unknown_labels_are_named(label_spec):
    with pytest.raises(SubmissionInvalid, match=r"1 of 3 values of column 'y' are unknown labels: 'cow'"):
        validate(pd.DataFrame({"id": [1, 2, 3], "y": ["cat", "cow", "dog"]}), label_spec, SAMPLE)


def test_a_class_may_be_called_none(label_spec):
    spec = label_spec.model_copy(update={"classes": ("None", "dog")})
    found = validate(pd.DataFrame({"id": [1, 2, 3], "y": ["None", "dog", "dog"]}), spec, SAMPLE)
    assert list(found["y"]) == ["None", "dog", "dog"]


def class_columns(spec, metric):
    return spec.model_copy(
        update={
            "layout": "class_columns",
            "problem": "multiclass",
            "metric": metric,
            "submission_columns": ("id", "p", "q"),
            "classes": ("p", "q"),
        }
    )


def test_class_probabilities_are_rescaled_where_the_metric_does_it_and_must_sum_to_one_elsewhere(spec):
    sample = pd.DataFrame({"id": ["1", "2"], "p": 0.5, "q": 0.5})
    given = pd.DataFrame({"id": [1, 2], "p": [0.5, 0.2], "q": [0.5, 0.2]})
    found = validate(given, class_columns(spec, "multiclass log loss"), sample)
    assert found[["p", "q"]].to_numpy().tolist() == [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(SubmissionInvalid, match="of 1 of 2 rows do not sum to 1"):
        validate(given, class_columns(spec, "accuracy"), sample)
    with pytest.raises(SubmissionInvalid, match="do not sum to 1"):
        validate(given.assign(p=[0.5, 0], q=[0.5, 0]), class_columns(spec, "multiclass log loss"), sample)


def test_without_an_id_column_the_rows_count(spec):
    plain = spec.model_copy(update={"id_column": None, "submission_columns": ("y",)})
    sample = pd.DataFrame({"y": [0.5, 0.5]})
    assert list(validate(pd.DataFrame({"y": [0.1, 0.2]}), plain, sample)["y"]) == [0.1, 0.2]
    with pytest.raises(SubmissionInvalid, match="1 rows, 2 are expected"):
        validate(pd.DataFrame({"y": [0.1]}), plain, sample)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01garbage", b'id,y\n1,"0.5\n2', b"\x00\x00\x00"])
def test_a_file_that_is_no_csv_is_invalid(spec, tmp_path, content):
    path = tmp_path / "submission.csv"
    path.write_bytes(content)
    with pytest.raises(SubmissionInvalid):
        validate(path, spec, SAMPLE)


def test_a_missing_file_and_a_link_are_invalid(spec, tmp_path):
    path = tmp_path / "submission.csv"
    with pytest.raises(SubmissionInvalid, match="was not written"):
        validate(path, spec, SAMPLE)
    (tmp_path / "secret.csv").write_text("id,y\n1,0.1\n2,0.2\n3,0.3\n")
    path.symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SubmissionInvalid, match="cannot be read"):
        validate(path, spec, SAMPLE)


def test_the_submission_given_is_not_changed(spec):
    given = pd.DataFrame({"y": [0.3, 0.1, 0.2], "id": [3, 1, 2]})
    before = given.copy()
    validate(given, spec, SAMPLE)
    pd.testing.assert_frame_equal(given, before)


def test_a_submission_is_found_right_whatever_the_row_order(spec):
    random = np.random.RandomState(0)
    sample = pd.DataFrame({"id": [str(number) for number in range(100)], "y": 0.5})
    given = pd.DataFrame({"id": range(100), "y": np.arange(100) / 100}).iloc[random.permutation(100)]
    assert list(validate(given, spec, sample)["y"]) == list(np.arange(100) / 100)


def test_path_objects_are_read(spec, tmp_path: Path):
    (tmp_path / "submission.csv").write_text("id,y\n2,0.25\n1,0.5\n3,1\n")
    assert list(validate(tmp_path / "submission.csv", spec, SAMPLE)["y"]) == [0.5, 0.25, 1.0]
