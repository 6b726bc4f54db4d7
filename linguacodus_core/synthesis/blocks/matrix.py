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
