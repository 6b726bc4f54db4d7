"""Verified blocks that put matrices side by side."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def beside(X: pd.DataFrame, *others: np.ndarray) -> pd.DataFrame:
    """The table with the columns of dense matrices after its own."""
    parts = [X.reset_index(drop=True)]
    width = X.shape[1]
    for other in others:
        names = [f"f{width + place}" for place in range(other.shape[1])]
        parts.append(pd.DataFrame(np.nan_to_num(other), columns=pd.Index(names)))
        width += other.shape[1]
    return pd.concat(parts, axis=1)


def beside_words(words: Any, *others: Any) -> sparse.csr_matrix:
    """A sparse matrix with tables or dense matrices after its columns."""
    dense = [sparse.csr_matrix(np.nan_to_num(np.asarray(other, dtype=np.float32))) for other in others]
    return sparse.csr_matrix(sparse.hstack([words, *dense]))


def scale_both(X: pd.DataFrame, X_test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with columns of mean 0 and standard deviation 1 over all rows, cut off at 8 deviations."""
    values = np.vstack([X.to_numpy(dtype=np.float32), X_test.to_numpy(dtype=np.float32)])
    spread = values.std(axis=0)
    scaled = np.clip((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1), -8, 8)
    names = X.columns
    return pd.DataFrame(scaled[: len(X)], columns=names), pd.DataFrame(scaled[len(X) :], columns=names)
