import numpy as np
import pandas as pd
import pytest

from linguacodus_core.taskfolder.groups import date_columns, find_group, find_time, parse_dates

HOURS = pd.Series(pd.date_range("2011-01-01", periods=2_000, freq="h"))


def frame(dates: pd.Series, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"when": dates.dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy()} | columns)


def test_a_test_that_lies_later_makes_a_time_column() -> None:
    found = find_time(frame(HOURS[:1500]), frame(HOURS[1500:]))
    assert found is not None
    assert (found.name, found.later, found.series) == ("when", True, True)
    assert "train ends" in found.found


def test_gaps_in_a_regular_series_make_a_time_column() -> None:
    gap = HOURS.dt.day > 19
    found = find_time(frame(HOURS[~gap]), frame(HOURS[gap]))
    assert found is not None
    assert not found.later
    assert found.series


def test_dates_of_a_random_split_make_none() -> None:
    random = np.random.default_rng(0)
    stamps = pd.Series(pd.Timestamp("2015-01-01") + pd.to_timedelta(random.integers(0, 3e7, 3_000), unit="s"))
    assert find_time(frame(stamps[:2400]), frame(stamps[2400:])) is None


def test_one_row_for_each_date_and_shop_is_a_series() -> None:
    days = pd.date_range("2017-01-01", periods=120)
    panel = pd.MultiIndex.from_product(
        [days, ["a", "b", "c"], ["x", "y"]], names=["day", "shop", "item"]
    ).to_frame(index=False)
    panel["day"] = panel["day"].astype(str)
    part = np.random.default_rng(0).random(len(panel)) < 0.2
    found = find_time(panel[~part], panel[part])
    assert found is not None
    assert found.found == "day: one row for each date and shop, item"


@pytest.mark.parametrize("name", ["year", "date_block_num", "week", "saleYear"])
def test_counted_time_that_goes_on_in_test_is_a_time_column(name: str) -> None:
    train, test = pd.DataFrame({name: [1, 2, 3, 3]}), pd.DataFrame({name: [4, 4]})
    found = find_time(train, test)
    assert found is not None
    assert found.later


def test_a_number_that_only_happens_to_grow_is_none() -> None:
    assert find_time(pd.DataFrame({"weight": [1, 2, 3]}), pd.DataFrame({"weight": [4, 5]})) is None


def test_the_given_column_is_used() -> None:
    found = find_time(pd.DataFrame({"step": [1, 2]}), pd.DataFrame({"step": [1, 2]}), given="step")
    assert found is not None
    assert (found.name, found.found) == ("step", "task.toml")


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["2017-01-31", "2017-02-01"], "2017-01-31"),
        (["31.01.2017", "01.02.2017"], "2017-01-31"),
        (["01/31/2017", "02/01/2017"], "2017-01-31"),
        (["31/01/2017 12:00", "01/02/2017 13:00"], "2017-01-31 12:00"),
        (["Jan 31, 2017", "Feb 1, 2017"], "2017-01-31"),
        (["2017-01-31T12:00:00Z", "2017-02-01T12:00:00Z"], "2017-01-31 12:00"),
        ([20170131, 20170201], "2017-01-31"),
        ([1485820800, 1485907200], "2017-01-31"),
        ([1485820800000, 1485907200000], "2017-01-31"),
    ],
)
def test_dates_are_known_in_their_usual_forms(values: list[object], first: str) -> None:
    table = pd.DataFrame({"date": values * 5})
    assert date_columns(table) == ("date",)
    assert parse_dates(table["date"]).iloc[0] == pd.Timestamp(first)


@pytest.mark.parametrize(
    "values",
    [
        ["12-34", "56-78"],
        ["1.5.2", "v2.0"],
        [1.5, 2.5],
        ["A/5 21171", "PC 17599"],
        [True, False],
        [None, None],
        [0, 1],
    ],
)
def test_other_values_are_no_dates(values: list[object]) -> None:
    assert date_columns(pd.DataFrame({"date": values * 5})) == ()


def test_groups_that_train_and_test_divide_are_found_and_the_coarsest_taken() -> None:
    sequence = np.repeat(np.arange(60), 10)
    table = pd.DataFrame(
        {"sequence": sequence, "subject": sequence // 6, "x": np.random.default_rng(0).normal(size=600)}
    )
    found = find_group(table[:480], table[480:])
    assert found is not None
    assert found[0] == "subject"
    assert found[1] == "subject: 8 values in train, 2 others in test"


def test_categories_that_both_have_and_unique_values_are_no_groups() -> None:
    table = pd.DataFrame(
        {
            "town": ["a", "b", "c", "d", "e", "f"] * 20,
            "row": range(120),
            "x": np.linspace(0, 1, 120).repeat(1),
        }
    )
    assert find_group(table[:90], table[90:]) is None
