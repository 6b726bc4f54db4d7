"""Verified blocks that turn raw columns into numbers, dates and categories."""

import re

import numpy as np
import pandas as pd

DATE = re.compile(r"^\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?\s*$")


def stack_tables(train: pd.DataFrame, test: pd.DataFrame, drop: list[str]) -> pd.DataFrame:
    """The rows of train, then those of test, with the columns that both have, less those in `drop`."""
    columns = [column for column in test.columns if column in train.columns and column not in drop]
    return pd.concat([train[columns], test[columns]], ignore_index=True)


def parse_dates(column: pd.Series) -> pd.Series | None:
    """The column as dates when nearly all of its values look like dates, else None."""
    values = pd.Series(column.dropna().astype(str).unique())
    looks = values.head(500).map(lambda value: DATE.match(value) is not None)
    if len(values) == 0 or looks.mean() < 0.95:
        return None
    parts = values.str.extract(r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]")
    first, second = pd.to_numeric(parts[0]).max(), pd.to_numeric(parts[1]).max()
    day_first = bool(first > 12 and not second > 12)
    try:
        parsed = pd.to_datetime(values, errors="coerce", dayfirst=day_first, utc=True)
        if parsed.notna().mean() < 0.9:
            parsed = pd.to_datetime(values, errors="coerce", dayfirst=day_first, utc=True, format="mixed")
    except (ValueError, OverflowError):
        return None
    if parsed.notna().mean() < 0.9:
        return None
    dates = dict(zip(values, parsed.dt.tz_localize(None), strict=True))
    return pd.to_datetime(column.astype(object).map(lambda value: dates.get(str(value), pd.NaT)))


def tidy_column(column: pd.Series) -> pd.Series:
    """One column as float64 (no infinities), as dates, or as text with None where it is missing."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        numbers = pd.to_numeric(column).astype("float64")
        return numbers.where(np.isfinite(numbers)).clip(-1e30, 1e30)
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    present = column.notna()
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    if numbers.notna().sum() >= 0.98 * present.sum():
        return numbers.where(np.isfinite(numbers)).clip(-1e30, 1e30)
    dates = parse_dates(column)
    if dates is not None:
        return dates
    text = column.astype(object).where(present, None)
    return text.map(lambda value: None if value is None else str(value).strip())


def tidy_table(table: pd.DataFrame, keep: list[str]) -> pd.DataFrame:
    """Every column tidied; columns with a single value are dropped, those in `keep` never."""
    columns = {name: tidy_column(table[name]) for name in table.columns}
    useful = [name for name in columns if name in keep or columns[name].nunique(dropna=False) > 1]
    return pd.DataFrame({name: columns[name] for name in useful}, index=table.index)


def date_columns(table: pd.DataFrame) -> list[str]:
    """The columns that hold dates."""
    return [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name])]


def category_columns(table: pd.DataFrame) -> list[str]:
    """The columns that hold text, whether categories or anything else."""
    dates = date_columns(table)
    return [
        name for name in table.columns if name not in dates and not pd.api.types.is_numeric_dtype(table[name])
    ]


def number_columns(table: pd.DataFrame) -> list[str]:
    """The columns that hold numbers."""
    return [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]


def as_dates(column: pd.Series) -> pd.Series:
    """A column of dates; numbers are read as yyyymmdd, years, seconds since 1970 or else as days."""
    if not pd.api.types.is_numeric_dtype(column):
        return (
            column
            if pd.api.types.is_datetime64_any_dtype(column)
            else pd.to_datetime(column, errors="coerce")
        )
    low, high = column.min(), column.max()
    whole = column.fillna(low).round().astype("int64")
    if low >= 19000101 and high <= 21001231:
        return pd.to_datetime(whole.astype(str), format="%Y%m%d", errors="coerce")
    if low >= 1900 and high <= 2100:
        return pd.to_datetime(whole.astype(str), format="%Y", errors="coerce")
    if low > 1e8:
        return pd.to_datetime(whole // (1000 if high > 1e11 else 1), unit="s", errors="coerce")
    return pd.to_datetime(whole.clip(-20000, 40000), unit="D")
