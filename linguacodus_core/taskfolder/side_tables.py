"""Further tables in data/ that programs may join to train and test by one key column."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.columns import as_text
from linguacodus_core.taskfolder.frames import Dialect, read_csv, read_table
from linguacodus_core.taskfolder.spec import SideTable

MOST_BYTES = 100_000_000
_MOST_TABLES = 5
_MOST_COLUMNS = 200
_COVERED = 0.5
"""The share of rows, of train and of test, whose keys the table must have."""


def find_side_tables(
    data: Path,
    files: Sequence[str],
    train: pd.DataFrame,
    test: pd.DataFrame,
    targets: Sequence[str],
    own: Collection[str],
) -> tuple[dict[SideTable, Dialect], list[str]]:
    """The tables that can be joined, how each is written, and warnings about those that may hold answers.

    files: paths relative to data/. own: names of train, test, sample submission and of the columns that
    are predicted. A table shares exactly one column with train and test, its key, which most rows of both
    have; it never has a column that is predicted, one that is known for test but hardly for train, or one
    that tells the target outright. Large tables, and those in folders, are left alone.
    """
    found: dict[SideTable, Dialect] = {}
    warnings: list[str] = []
    predicted = {name.casefold().strip() for name in (*targets, *own)}
    for name in files:
        path = data / name
        if "/" in name or name in own or not name.lower().endswith((".csv", ".csv.gz")):
            continue
        if path.stat().st_size > MOST_BYTES or len(found) == _MOST_TABLES:
            continue
        try:
            columns = [str(c) for c in read_csv(path, nrows=20).columns]
            shared = [c for c in columns if c in train.columns or c in test.columns]
            if len(shared) != 1 or not 1 < len(columns) <= _MOST_COLUMNS:
                continue
            key = shared[0]
            if any(c.casefold().strip() in predicted for c in columns) or not _joins(key, train, test):
                continue
            side, dialect = read_table(path)
        except TaskError:
            continue
        if not _joins(key, side, side) or not all(_covers(side, frame, key) for frame in (train, test)):
            continue
        if suspect := _suspect(side, key, train, test, targets):
            warnings.append(f"{name} is not joined: its column {suspect} may hold answers")
            continue
        found[SideTable(file=name, key=key)] = dialect
    return found, warnings


def _joins(key: str, *frames: pd.DataFrame) -> bool:
    """Whether every frame has the column, and not as fractions."""
    return all(
        key in frame and not (is_float_dtype(frame[key]) and bool((frame[key].dropna() % 1 != 0).any()))
        for frame in frames
    )


def _keys(column: pd.Series) -> pd.Series:
    return as_text(column).str.strip()


def _covers(side: pd.DataFrame, frame: pd.DataFrame, key: str) -> bool:
    return bool(_keys(frame[key]).isin(set(_keys(side[key]).dropna())).mean() >= _COVERED)


def _suspect(
    side: pd.DataFrame, key: str, train: pd.DataFrame, test: pd.DataFrame, targets: Sequence[str]
) -> str:
    """The first column that may hold answers, "" when none does."""
    keys = _keys(side[key])
    rows = side.drop(columns=key)
    if keys.dropna().is_unique:
        table = rows.set_axis(keys)
    else:
        numbers = [c for c in rows if is_numeric_dtype(rows[c]) or is_bool_dtype(rows[c])]
        table = rows[numbers].astype(float).groupby(keys.to_numpy()).mean()
    table = table[table.index.notna()]
    ours = table.reindex(_keys(train[key])).reset_index(drop=True)
    theirs = table.reindex(_keys(test[key])).reset_index(drop=True)
    for name in table.columns:
        if theirs[name].notna().mean() > ours[name].notna().mean() + 0.5:
            return str(name)
        if any(_tells(ours[name], train[target].reset_index(drop=True)) for target in targets):
            return str(name)
    return ""


def _tells(column: pd.Series, target: pd.Series) -> bool:
    """Whether a column gives the target away: each of a few values one answer, or numbers in proportion."""
    both = pd.DataFrame({"column": column, "target": target}).dropna()
    if len(both) < 10 or both["target"].nunique() < 2:
        return False
    answers, values = both["target"].nunique(), both["column"].nunique()
    if 1 < values <= min(2 * answers, 0.5 * len(both)):
        text = both["column"].astype(str)
        usual = both.groupby(text)["target"].agg(lambda part: part.mode().iloc[0])
        wrong = (text.map(usual) != both["target"]).mean()
        blind = 1 - both["target"].value_counts(normalize=True).iloc[0]  # errors of the commonest answer
        if wrong <= 0.05 * blind:
            return True
    if not (is_numeric_dtype(both["column"]) and is_numeric_dtype(both["target"])):
        return bool((both["column"].astype(str) == both["target"].astype(str)).mean() >= 0.98)
    number, answer = both["column"].astype(float), both["target"].astype(float)
    if number.nunique() < 2:
        return False
    return bool(abs(np.corrcoef(number, answer)[0, 1]) > 0.9999)
