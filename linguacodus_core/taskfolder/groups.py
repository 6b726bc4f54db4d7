"""Time and groups: the columns by which train and test are kept apart, for validation to do the same."""

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype, is_numeric_dtype

_DATE_TEXT = re.compile(
    r"\s*(\d{4}([-/.]\d{1,2}){1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[ -]?[A-Za-z]{3,9}[ -,]+\d{2,4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})([ T]+\d{1,2}:\d{2}.*)?\s*"
)
_TIME_NAME = re.compile(
    r"(^|[_\W])(date|datetime|time|timestamp|year|month|week|day|period|quarter|dt|ds|yyyymm\w*)([_\W]|$)"
    r"|date_?block|(Date|Time|Year|Month|Week)(?![a-z])"
)
_LOOK = 200


@dataclass(frozen=True)
class TimeColumn:
    """A column of dates or counted periods, and what it says about train and test.

    later: all of test comes at or after the end of train. series: the rows form one or several
    time series (test later, a regular grid with gaps to fill, or one row a date and series).
    """

    name: str
    found: str
    later: bool
    series: bool


def find_time(
    train: pd.DataFrame, test: pd.DataFrame, skip: Collection[str] = (), *, given: str | None = None
) -> TimeColumn | None:
    """The column that orders the rows in time, None when none does so in a way that matters.

    A date column alone is not enough: train and test must be apart in time, or the rows be one a
    date and series. `given` is the column that task.toml names, used whatever it shows.
    """
    if given is not None:
        found = _judge(given, train, test) if given in train.columns and given in test.columns else None
        return TimeColumn(given, "task.toml", found is not None and found.later, True)
    judged = [
        found
        for name in train.columns
        if name in test.columns and name not in skip
        if (found := _judge(name, train, test)) is not None and found.series
    ]
    return next((t for t in judged if t.later), judged[0] if judged else None)


def date_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """The columns that hold dates, as text or as numbers such as 20170131 or seconds since 1970."""
    return tuple(c for c in frame.columns if _is_date(frame[c]))


def parse_dates(values: pd.Series) -> pd.Series:
    """Dates of a column for which date_columns holds, NaT where a value is none."""
    if is_numeric_dtype(values):
        number = values.astype("float64")
        typical = float(number.median())
        if 19_000_101 <= typical <= 21_001_231:
            return pd.to_datetime(number.astype("Int64").astype("string"), format="%Y%m%d", errors="coerce")
        seconds = number if typical < 1e11 else number / 1000
        return pd.Series(pd.to_datetime(seconds, unit="s", errors="coerce"))
    known = pd.Series(values.dropna().astype(str).unique())
    parsed = _parse_text(known)
    return values.astype(object).map(dict(zip(known, parsed, strict=True))).astype("datetime64[ns]")


def _parse_text(known: pd.Series) -> pd.Series:
    first = known.str.extract(r"^\s*(\d{1,2})[-/.]\d{1,2}[-/.]\d{2,4}", expand=False).dropna().astype(int)
    dayfirst = bool(len(first) and first.max() > 12)
    parsed = pd.to_datetime(known, errors="coerce", utc=True, format="mixed", dayfirst=dayfirst)
    return parsed.dt.tz_localize(None)


def _is_date(values: pd.Series) -> bool:
    if is_bool_dtype(values) or values.isna().mean() > 0.5:
        return False
    some = values.dropna().iloc[:: max(1, len(values) // _LOOK)].iloc[:_LOOK]
    if some.empty:
        return False
    if is_numeric_dtype(values):
        if not _TIME_NAME.search(str(values.name)) or bool((some % 1 != 0).any()):
            return False
        if bool(some.between(19_000_101, 21_001_231).all()):
            return bool(
                pd.to_datetime(some.astype("int64").astype(str), format="%Y%m%d", errors="coerce")
                .notna()
                .all()
            )
        return bool(some.between(3e8, 4e9).all() or some.between(3e11, 4e12).all())
    text = some.astype(str)
    if text.str.fullmatch(_DATE_TEXT).mean() < 0.95:
        return False
    return bool(_parse_text(text).notna().mean() >= 0.95)


def _judge(name: str, train: pd.DataFrame, test: pd.DataFrame) -> TimeColumn | None:
    if _is_date(train[name]) and name in test.columns and _is_date(test[name]):
        return _judge_dates(name, train, test)
    numeric = is_numeric_dtype(train[name]) and not is_bool_dtype(train[name])
    if numeric and name in test.columns and is_numeric_dtype(test[name]) and _TIME_NAME.search(name):
        before, after = train[name].dropna(), test[name].dropna()
        if len(before) and len(after) and after.min() > before.max():
            end, start = before.max(), after.min()
            return TimeColumn(name, f"{name}: train ends at {end:g}, test starts at {start:g}", True, True)
    return None


def _judge_dates(name: str, train: pd.DataFrame, test: pd.DataFrame) -> TimeColumn:
    before, after = parse_dates(train[name]).dropna(), parse_dates(test[name]).dropna()
    if after.min() > before.max() or (after.min() == before.max() and before.min() < before.max()):
        found = f"{name}: train ends {_day(before.max())}, test starts {_day(after.min())}"
        return TimeColumn(name, found, True, True)
    stamps, others = np.unique(before.to_numpy()), np.unique(after.to_numpy())
    if len(others) >= 5 and not np.isin(others, stamps).any() and _regular(np.concatenate([stamps, others])):
        return TimeColumn(name, f"{name}: a regular series in which test fills gaps of train", False, True)
    keys = _series_keys(name, train, len(stamps))
    if keys is not None:
        per = f" and {', '.join(keys)}" if keys else ""
        return TimeColumn(name, f"{name}: one row for each date{per}", False, True)
    return TimeColumn(name, f"{name}: dates, but train and test lie in the same time", False, False)


def _regular(stamps: np.ndarray) -> bool:
    """Whether most neighbouring moments are the same step apart."""
    steps = np.diff(np.sort(stamps)).astype("int64")
    steps = steps[steps > 0]
    if len(steps) < 10:
        return False
    _, counts = np.unique(steps, return_counts=True)
    return bool(counts.max() >= 0.8 * len(steps))


def _series_keys(name: str, train: pd.DataFrame, dates: int) -> tuple[str, ...] | None:
    """Columns that together with the date tell the rows of a dense panel apart, None when there are none."""
    rows = len(train)
    if rows < 3 * dates or dates < 10:
        return None
    few = [
        c
        for c in train.columns
        if c != name and not is_float_dtype(train[c]) and 2 <= train[c].nunique() <= max(2, rows // dates)
    ][:8]
    for size in (1, 2, 3):
        for keys in itertools.combinations(few, size):
            columns = list(keys)
            if train.duplicated([name, *columns]).any():
                continue
            series = len(train[columns].drop_duplicates())
            if series >= 2 and rows >= 0.5 * dates * series:
                return keys
    return None


def _day(moment: pd.Timestamp) -> str:
    return moment.strftime("%Y-%m-%d" if moment == moment.normalize() else "%Y-%m-%d %H:%M")


def find_group(train: pd.DataFrame, test: pd.DataFrame, skip: Collection[str] = ()) -> tuple[str, str] | None:
    """The column whose repeated values in test never occur in train, with how it was found.

    Of several, the coarsest with at least five groups in train: whoever keeps those apart keeps the
    finer ones apart too.
    """
    found: list[tuple[int, str, str]] = []
    for name in train.columns:
        if name not in test.columns or name in skip or is_bool_dtype(train[name]):
            continue
        if not is_integer_dtype(train[name]) and is_numeric_dtype(train[name]):
            continue
        known, new = train[name].dropna(), test[name].dropna()
        if len(known) < 0.9 * len(train) or len(new) < 0.9 * len(test):
            continue
        groups, others = known.unique(), new.unique()
        if len(groups) < 5 or len(others) < 2 or 2 * len(groups) > len(known) or 2 * len(others) > len(new):
            continue
        if not set(groups.tolist()).isdisjoint(others.tolist()):
            continue
        found.append(
            (len(groups), name, f"{name}: {len(groups)} values in train, {len(others)} others in test")
        )
    if not found:
        return None
    _, name, how = min(found)
    return name, how
