"""Blocks that read, tidy, encode and make features."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.synthesis.blocks import encode, features, read, table
from linguacodus_core.taskfolder import frames


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be"])
@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", "."), ("\t", "."), (";", ",")])
@pytest.mark.parametrize("zipped", [False, True])
def test_tables_are_read_as_the_reader_says_they_are_written(
    encoding: str,
    separator: str,
    decimal: str,
    zipped: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = (["id", "name", "size"], ["007", "Köln", f"1{decimal}5"], ["008", "Ulm", f"2{decimal}5"])
    content = "".join(separator.join(line) + "\n" for line in lines).encode(encoding)
    path = tmp_path / "data" / ("train.csv.gz" if zipped else "train.csv")
    path.parent.mkdir()
    path.write_bytes(gzip.compress(content) if zipped else content)
    found = read.read_table("train.csv", ["id"], **frames.read_table(path)[1].options)
    assert found.to_dict("list") == {"id": ["007", "008"], "name": ["Köln", "Ulm"], "size": [1.5, 2.5]}


def test_a_table_is_found_compressed_or_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with gzip.open(tmp_path / "data" / "a.csv.gz", "wt") as file:
        file.write("x\n1\n")
    (tmp_path / "data" / "b.csv").write_text("x\n2\n")
    assert read.read_table("a.csv", [])["x"].tolist() == [1]
    assert read.read_table("b.csv.gz", [])["x"].tolist() == [2]
    with pytest.raises(FileNotFoundError, match=r"no c\.csv"):
        read.read_table("c.csv", [])


def test_labels_that_look_missing_stay_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("label,x\nNone,1\nNA,\nnull,NA\n")
    found = read.read_table("train.csv", ["label", "not there"])
    assert found["label"].tolist() == ["None", "NA", "null"]
    assert found["x"].isna().sum() == 2


def test_a_missing_sample_is_made_from_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    test = pd.DataFrame({"id": ["a", "b"]})
    assert read.read_sample("sample.csv", test, "id", ["y"]).to_dict("list") == {
        "id": ["a", "b"],
        "y": [0, 0],
    }


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["2020-01-31", "2021-12-05"], "2020-01-31"),
        (["31/01/2020", "05/12/2021"], "2020-01-31"),
        (["01/31/2020", "12/05/2021"], "2020-01-31"),
        (["2020-01-31 10:30:00", None], "2020-01-31 10:30:00"),
        (["2020-01-31T10:30:00Z", "2020-02-01T00:00:00Z"], "2020-01-31 10:30:00"),
        (["2020-01", "2020-02"], "2020-01-01"),
    ],
)
def test_dates_are_recognised(values: list[str | None], first: str) -> None:
    tidy = table.tidy_column(pd.Series(values))
    assert pd.api.types.is_datetime64_any_dtype(tidy)
    assert tidy.iloc[0] == pd.Timestamp(first)


@pytest.mark.parametrize("values", [["a-1", "b-2"], ["1.5", "x"], ["10-4", "3-2"], [None, None]])
def test_what_is_no_date_is_none(values: list[str | None]) -> None:
    assert table.parse_dates(pd.Series(values, dtype=object)) is None


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([20200131, 20210101], "2020-01-31"),
        ([2020, 2021], "2020-01-01"),
        ([1580428800, 1580428801], "2020-01-31"),
    ],
)
def test_numbers_as_dates(values: list[int], first: str) -> None:
    assert table.as_dates(pd.Series(values, dtype=float)).iloc[0] == pd.Timestamp(first)


def test_numbers_lose_infinities_and_text_numbers_become_numbers() -> None:
    assert table.tidy_column(pd.Series([1.0, np.inf, -np.inf])).isna().tolist() == [False, True, True]
    assert table.tidy_column(pd.Series(["1", "2.5", None])).tolist()[:2] == [1.0, 2.5]
    assert table.tidy_column(pd.Series([True, False])).tolist() == [1.0, 0.0]


def test_constant_columns_go_unless_they_are_to_stay() -> None:
    given = pd.DataFrame({"same": [1, 1], "empty": [None, None], "x": [1, 2]})
    assert list(table.tidy_table(given, []).columns) == ["x"]
    assert list(table.tidy_table(given, ["same"]).columns) == ["same", "x"]


def test_only_shared_columns_are_stacked() -> None:
    train, test = pd.DataFrame({"a": [1], "y": [2], "id": [3]}), pd.DataFrame({"id": [4], "a": [5], "b": [6]})
    assert table.stack_tables(train, test, ["id"]).to_dict("list") == {"a": [1, 5]}


TABLE = pd.DataFrame(
    {
        "a": [1.0, 4.0, 9.0, np.nan],
        "b": [0.0, 2.0, 3.0, 5.0],
        "key": ["C85", "PC 17", "C85", None],
        "name": ["Smith, Mr. John", "Doe, Mrs. Ann", "Roe, Mr. Al", None],
        "day": pd.to_datetime(["2020-01-01", "2020-07-01", "2020-12-31", None]),
    }
)


def test_arithmetic_features() -> None:
    assert features.ratio(TABLE, "a", "b").tolist()[1:3] == [2.0, 3.0]
    assert np.isnan(features.ratio(TABLE, "a", "b")[0])
    assert features.difference(TABLE, "a", "b").tolist()[:3] == [1.0, 2.0, 6.0]
    assert features.product(TABLE, "a", "b")[2] == 27
    assert features.total(TABLE, "a", "b").tolist() == [1.0, 6.0, 12.0, 5.0]
    assert features.square(TABLE, "b").tolist() == [0, 4, 9, 25]
    assert features.logarithm(pd.DataFrame({"x": [-1.0, 1.0]}), "x").tolist() == pytest.approx(
        [-np.log(2), np.log(2)]
    )
    assert features.binned(pd.DataFrame({"x": range(10)}), "x").tolist() == list(range(10))


def test_features_of_text() -> None:
    assert features.prefix(TABLE, "key").tolist() == ["C", "PC", "C", "MISSING"]
    assert features.digits(TABLE, "key").tolist()[:3] == [85, 17, 85]
    assert features.first_word(TABLE, "name").tolist()[:2] == ["Smith", "Doe"]
    assert features.count(TABLE, "key").tolist() == [2, 1, 2, 1]
    assert features.length(TABLE, "key").iloc[1].tolist() == [5, 2]
    many = pd.DataFrame({"name": ["X, Mr. A"] * 9 + ["Y, Dr. B"]})
    assert features.title(many, "name").unique().tolist() == ["Mr", "other"]


def test_group_features_and_pairs() -> None:
    assert features.group_mean(TABLE, "b", "key").tolist() == [1.5, 2.0, 1.5, 5.0]
    assert features.group_deviation(TABLE, "b", "key").tolist() == [-1.5, 0.0, 1.5, 0.0]
    assert features.cross(TABLE, "key", "b")[0] == "C85 & 0.0"
    assert features.missing(TABLE, "a").tolist() == [0, 0, 0, 1]


def test_a_turned_pair_keeps_its_length() -> None:
    turned = features.rotated(TABLE.iloc[:3], "a", "b").to_numpy()
    assert turned[:, 0] ** 2 + turned[:, 1] ** 2 == pytest.approx([1.0, 20.0, 90.0])


def test_the_calendar_has_only_parts_that_vary() -> None:
    parts = features.calendar(TABLE, "day")
    assert "day month" in parts
    assert "day hour" not in parts
    assert parts["day days"].tolist()[:3] == [0, 182, 365]
    assert features.calendar(TABLE, "a").shape == (4, 0)


def test_a_column_that_is_not_there_counts_as_missing() -> None:
    assert features.ratio(TABLE, "a", "gone").isna().all()
    assert features.count(TABLE, "gone").tolist() == [4] * 4
    assert features.add(TABLE, "x", features.missing(TABLE, "gone"))["x"].tolist() == [1] * 4


def test_added_features_have_no_infinities_and_replace_nothing() -> None:
    made = features.add(TABLE, "new", pd.Series([np.inf, 1.0, 2.0, 3.0]))
    assert np.isnan(made["new"][0])
    assert features.add(TABLE, "a", pd.Series([0.0] * 4))["a"].equals(TABLE["a"])


@pytest.mark.parametrize(
    ("how", "value"), [("median", 4.0), ("mean", 14 / 3), ("zero", 0.0), ("below", -8.0)]
)
def test_missing_numbers_are_filled(how: str, value: float) -> None:
    assert encode.fill_numbers(TABLE, ["a"], how)["a"][3] == pytest.approx(value)


def test_an_empty_column_is_filled_with_zero() -> None:
    assert encode.fill_numbers(pd.DataFrame({"x": [np.nan, np.nan]}), ["x"], "median")["x"].tolist() == [0, 0]


def test_encodings_of_categories() -> None:
    given = encode.fill_categories(pd.DataFrame({"c": ["x", "y", "x", None], "n": [1.0, 2, 3, 4]}), ["c"])
    assert given["c"].tolist() == ["x", "y", "x", "missing"]
    assert encode.group_rare(given, ["c"], 2)["c"].tolist() == ["x", "rare", "x", "rare"]
    assert encode.encode_ordinal(given, ["c"])["c"].tolist() == [1, 2, 1, 0]
    assert encode.encode_frequency(given, ["c"])["c"].tolist() == [0.5, 0.25, 0.5, 0.25]
    assert encode.encode_onehot(given, ["c"], most=1).columns.tolist() == ["n", "c is x"]
    assert encode.encode_native(given, ["c"], most=1)["c"].cat.categories.tolist() == ["rare", "x"]
    hashed = encode.encode_hash(given, ["c"], buckets=4)
    assert hashed.filter(like="hash").sum(axis=1).tolist() == [1] * 4


def test_target_means_are_out_of_fold_on_the_rows_they_are_learned_from() -> None:
    draw = np.random.default_rng(0)
    keys = pd.DataFrame({"key": [f"k{n}" for n in range(400)], "x": 0.0})
    y = draw.integers(0, 2, 400)
    known, (other,) = encode.encode_target(keys, y, [keys], ["key"], "binary")
    assert abs(np.corrcoef(known["t0"], y)[0, 1]) < 0.3
    assert "key" not in other


def test_scaling_centres_and_cuts_off() -> None:
    given = pd.DataFrame({"x": [*range(999), 1e9], "same": 1.0})
    assert encode.scale_standard(given).to_numpy().max() <= 8
    assert abs(encode.scale_rank(given)["x"].mean()) < 0.01
    assert encode.scale_unit(given)["x"].max() == 1
    assert np.isfinite(encode.scale_unit(given).to_numpy()).all()


def test_plain_names_are_unique_and_never_none() -> None:
    _, names = encode.plain_names(pd.DataFrame({"a[1]": [1], "b<": [2]}))
    assert names == {"a[1]": "f0", "b<": "f1"}
    assert encode.plain_names(pd.DataFrame(index=[0, 1]))[0].shape == (2, 1)
