"""What text columns say: ids, numbers, counts, addresses; what they do not say is null."""

import pyarrow as pa
import pytest

from linguacodus_core.sources.text_columns import counts, ids, links, numbers, texts


def column(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def test_texts_lose_the_space_around_them() -> None:
    assert texts(column(" a b\n", "", "  ", None)).to_pylist() == ["a b", None, None, None]


def test_ids_that_pandas_made_decimal_are_whole_again() -> None:
    assert ids(column("12.0", "7", " x.0", "1.5", "")).to_pylist() == ["12", "7", "x.0", "1.5", None]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.5", 0.5), ("+2", 2.0), ("-1e-3", -0.001), (".25", 0.25), ("3.", 3.0), (" 7 ", 7.0)],
)
def test_numbers(text: str, number: float) -> None:
    assert numbers(column(text)).to_pylist() == [number]


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1e999", "0,5", "12%", "1.2.3", "None", "0x10", "", None]
)
def test_what_is_no_number_is_null(text: str | None) -> None:
    assert numbers(column(text, "1")).to_pylist() == [None, 1.0]


def test_counts_are_whole_numbers_only() -> None:
    assert counts(column("3", " 12 ")).to_pylist() == [3, 12]
    values = column("3", "4.0", "-2", "2.5", "many", "9" * 30, "", None)
    assert counts(values).to_pylist() == [3, 4, -2, None, None, None, None, None]


@pytest.mark.parametrize(
    "text",
    [
        "/me/mine",
        "me/mine",
        "kaggle.com/me/mine",
        "www.kaggle.com/me/mine",
        "https://kaggle.com/me/mine",
        " /me/mine ",
    ],
)
def test_addresses_on_kaggle_are_full(text: str) -> None:
    assert links(column(text)).to_pylist() == ["https://www.kaggle.com/me/mine"]


def test_other_addresses_stay_and_none_is_null() -> None:
    found = links(column("https://example.org/x", "", None)).to_pylist()
    assert found == ["https://example.org/x", None, None]
