"""Verified blocks that write submission.csv and soft.csv, row for row as the sample submission asks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def rows_of_sample(sample: pd.DataFrame, test: pd.DataFrame, id_column: str | None) -> np.ndarray:
    """For each row of the sample the place of its row in test, -1 where there is none."""
    if id_column and id_column in sample and id_column in test:
        ids = test[id_column].astype(str).str.strip()
        if ids.is_unique:
            places = pd.Series(np.arange(len(test)), index=ids.to_numpy())
            found = sample[id_column].astype(str).str.strip().map(places)
            if found.notna().any():
                return found.fillna(-1).to_numpy(dtype=int)
    return np.where(np.arange(len(sample)) < len(test), np.arange(len(sample)), -1)


def write_columns(
    path: str,
    sample: pd.DataFrame,
    rows: np.ndarray,
    id_column: str | None,
    columns: Mapping[str, Any],
    order: list[str] | None = None,
) -> None:
    """One CSV: the sample's ids, then the columns; rows that test lacks get the mean or commonest value."""
    made = {}
    for name, given in columns.items():
        values = np.asarray(given)
        numeric = np.issubdtype(values.dtype, np.number)
        picked = values[np.maximum(rows, 0)].astype(float if numeric and (rows < 0).any() else values.dtype)
        if (rows < 0).any():
            picked = picked if numeric else picked.astype(object)
            picked[rows < 0] = values.mean() if numeric else pd.Series(values).mode()[0]
        made[name] = picked
    table = pd.DataFrame(made)
    if id_column and id_column in sample and id_column not in table:
        table.insert(0, id_column, sample[id_column].to_numpy())
    if order:
        table = table.join(sample.reset_index(drop=True)[[name for name in order if name not in table]])[
            order
        ]
    table.to_csv(path, index=False)


def as_sample_writes(labels: np.ndarray, example: pd.Series) -> np.ndarray:
    """Labels as text, True/False as 1/0 or the other way round when the sample writes them so."""
    known = {str(value).strip() for value in example}
    pairs = {"True": "1", "False": "0", "1": "True", "0": "False"}
    given = {str(label) for label in labels}
    if known and known <= set(pairs) and given <= set(pairs) and not known & given:
        swapped = {pairs[label] for label in given}
        if known & swapped:
            return np.array([pairs[str(label)] for label in labels], dtype=object)
    return np.array([str(label) for label in labels], dtype=object)
