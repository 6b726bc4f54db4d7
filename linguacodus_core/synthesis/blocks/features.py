"""Verified blocks for features made from named columns; each gives one column (or a few) for all rows.

`table` holds the rows of train, then those of test. A column that is not there counts as missing.
"""

import re

import numpy as np
import pandas as pd


def number(table: pd.DataFrame, name: str) -> pd.Series:
    """The column as numbers: codes for text, seconds for dates, all missing when it is not there."""
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    column = table[name]
    if pd.api.types.is_datetime64_any_dtype(column):
        return (column - pd.Timestamp("1970-01-01")).dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(column):
        return pd.Series(pd.factorize(column, sort=True)[0], index=table.index).astype(float)
    return column.astype(float)


def category(table: pd.DataFrame, name: str) -> pd.Series:
    """The column as text, "missing" where it is missing."""
    if name not in table:
        return pd.Series("missing", index=table.index, dtype=object)
    column = table[name]
    return column.astype(object).where(column.notna(), "missing").astype(str).astype(object)


def ratio(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """a / b, missing where b is 0."""
    return number(table, a) / number(table, b).replace(0.0, np.nan)


def difference(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """a - b."""
    return number(table, a) - number(table, b)


def product(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """a * b."""
    return number(table, a) * number(table, b)


def total(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """a + b; a missing one counts as 0 unless both are missing."""
    return pd.concat([number(table, a), number(table, b)], axis=1).sum(axis=1, min_count=1)


def logarithm(table: pd.DataFrame, a: str) -> pd.Series:
    """log(1 + |a|) with the sign of a."""
    values = number(table, a)
    return pd.Series(np.sign(values) * np.log1p(values.abs()))


def square(table: pd.DataFrame, a: str) -> pd.Series:
    """a squared."""
    return number(table, a) ** 2


def binned(table: pd.DataFrame, a: str, bins: int = 10) -> pd.Series:
    """Which tenth of the values a falls into, 0 to 9."""
    ranks = number(table, a).rank(pct=True)
    return pd.Series(np.ceil(ranks * bins)).clip(1, bins) - 1


def rotated(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The pair turned by 15, 30, 45 and 60 degrees: lets trees cut maps and planes at an angle."""
    x, y = number(table, a), number(table, b)
    turned = {}
    for degrees in (15, 30, 45, 60):
        angle = np.deg2rad(degrees)
        turned[f"{a}, {b} at {degrees}"] = x * np.cos(angle) + y * np.sin(angle)
        turned[f"{b}, {a} at {degrees}"] = y * np.cos(angle) - x * np.sin(angle)
    return pd.DataFrame(turned, index=table.index)


def group_mean(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """The mean of a among the rows with the same b."""
    values = number(table, a)
    return pd.Series(values.groupby(category(table, b)).transform("mean"))


def group_deviation(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """How far a lies from the mean among the rows with the same b."""
    return number(table, a) - group_mean(table, a, b)


def count(table: pd.DataFrame, a: str) -> pd.Series:
    """How many rows, of train and test, have the same value of a."""
    keys = category(table, a)
    return keys.map(keys.value_counts()).astype(float)


def cyclic(table: pd.DataFrame, a: str) -> pd.DataFrame:
    """Sine and cosine of a number that goes round (hour, month, weekday), over its own range."""
    values = number(table, a)
    span = values.max() - values.min() + 1
    angle = 2 * np.pi * (values - values.min()) / span
    return pd.DataFrame({f"sin {a}": np.sin(angle), f"cos {a}": np.cos(angle)}, index=table.index)


def prefix(table: pd.DataFrame, a: str) -> pd.Series:
    """The leading letters of a text, or its first character: C of "C85", PC of "PC 17599"."""
    leading = category(table, a).str.extract(r"^([^\W\d_]+|.)", expand=False)
    return leading.str.upper().fillna("missing").astype(object)


def title(table: pd.DataFrame, a: str) -> pd.Series:
    """The first word that ends in a full stop ("Mr." of "Smith, Mr. John"), rare ones together."""
    words = category(table, a).str.extract(r"\b([^\W\d_]+)\.", expand=False)
    counts = words.value_counts()
    return words.where(words.map(counts) >= max(5, 0.005 * len(words)), "other").astype(object)


def first_word(table: pd.DataFrame, a: str) -> pd.Series:
    """The first word of a text: a surname, a maker, a street number."""
    return category(table, a).str.extract(r"([^\W_]+)", expand=False).fillna("missing").astype(object)


def length(table: pd.DataFrame, a: str) -> pd.DataFrame:
    """Characters and words of a text."""
    text = category(table, a)
    return pd.DataFrame(
        {f"characters of {a}": text.str.len().astype(float), f"words of {a}": text.str.count(r"\S+") * 1.0},
        index=table.index,
    )


def digits(table: pd.DataFrame, a: str) -> pd.Series:
    """The last whole number inside a text: 85 of "C85"."""
    return category(table, a).map(lambda text: float((re.findall(r"\d{1,15}", text) or ["nan"])[-1]))


def missing(table: pd.DataFrame, a: str) -> pd.Series:
    """1 where a is missing, else 0."""
    column = table[a] if a in table else number(table, a)
    return column.isna().astype(float)


def cross(table: pd.DataFrame, a: str, b: str) -> pd.Series:
    """The pair of two categories as one category."""
    return (category(table, a) + " & " + category(table, b)).astype(object)


def calendar(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The parts of a date: year to hour where they vary, days since the start, whether it is a weekend."""
    if name not in table or not pd.api.types.is_datetime64_any_dtype(table[name]):
        return pd.DataFrame(index=table.index)
    date = table[name]
    parts = {
        "year": date.dt.year,
        "month": date.dt.month,
        "day": date.dt.day,
        "weekday": date.dt.day_of_week,
        "day of year": date.dt.day_of_year,
        "week": date.dt.isocalendar().week,
        "hour": date.dt.hour,
        "minute": date.dt.minute,
        "weekend": (date.dt.day_of_week >= 5),
        "days": (date - date.min()).dt.total_seconds() / 86400,
    }
    found = pd.DataFrame({f"{name} {part}": values.astype(float) for part, values in parts.items()})
    found[f"{name} sin year"] = np.sin(2 * np.pi * date.dt.day_of_year / 365.25)
    found[f"{name} cos year"] = np.cos(2 * np.pi * date.dt.day_of_year / 365.25)
    if date.dt.hour.nunique() > 1:
        found[f"{name} sin day"] = np.sin(2 * np.pi * (date.dt.hour + date.dt.minute / 60) / 24)
        found[f"{name} cos day"] = np.cos(2 * np.pi * (date.dt.hour + date.dt.minute / 60) / 24)
        found[f"{name} hour and weekend"] = date.dt.hour + 24.0 * (date.dt.day_of_week >= 5)
    return found.loc[:, found.nunique() > 1]


def add(table: pd.DataFrame, name: str, made: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """The table with one made column, or several, and no infinities in them."""
    columns = made.to_frame(name) if isinstance(made, pd.Series) else made
    columns = columns.replace([np.inf, -np.inf], np.nan)
    fresh = [column for column in columns.columns if column not in table.columns]
    return pd.concat([table, columns[fresh]], axis=1)
