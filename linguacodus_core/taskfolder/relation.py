"""How much a column says about a target: mutual information on bins, as a share of what there is to know."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

_BINS = 16
_TARGET_BINS = 10
_TOP = 30


def information(codes: np.ndarray, target: np.ndarray) -> float:
    """Mutual information of two coded columns over the target's entropy: 0 (nothing) to 1 (everything).

    Corrected for the bias of small samples (Miller 1955), so that noise comes out near 0.
    """
    rows = len(codes)
    a, b = int(codes.max()) + 1, int(target.max()) + 1
    joint = np.bincount(codes * b + target, minlength=a * b).reshape(a, b) / rows
    left, right = joint.sum(axis=1), joint.sum(axis=0)
    entropy = -float(np.sum(right[right > 0] * np.log(right[right > 0])))
    if entropy <= 0:
        return 0.0
    filled = joint > 0
    found = float(np.sum(joint[filled] * np.log(joint[filled] / np.outer(left, right)[filled])))
    bias = (int((left > 0).sum()) - 1) * (int((right > 0).sum()) - 1) / (2 * rows)
    return min(1.0, max(0.0, (found - bias) / entropy))


def feature_codes(values: pd.Series) -> np.ndarray:
    """A column as small whole numbers: 16 quantile bins or 30 frequent values; missing is one more."""
    return _codes(values, _BINS, _TOP)


def target_codes(values: pd.Series) -> np.ndarray:
    """A target without missing values as small whole numbers: its classes, or 10 quantile bins."""
    return _codes(values, _TARGET_BINS, _TOP)


def _codes(values: pd.Series, bins: int, top: int) -> np.ndarray:
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        number = values.to_numpy(dtype="float64", na_value=np.nan)
        known = number[np.isfinite(number)]
        if len(known) and len(np.unique(known)) > bins:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
            codes = np.searchsorted(edges, number, side="right")
            return np.where(np.isfinite(number), codes, len(edges) + 1).astype(np.int64)
    codes, levels = pd.factorize(values)
    codes = np.where(codes < 0, len(levels), codes)
    if len(levels) > top:
        counts = np.bincount(codes, minlength=len(levels) + 1)
        counts[len(levels)] = 0
        rank = np.full(len(levels) + 1, top)
        rank[np.argsort(-counts, kind="stable")[:top]] = np.arange(top)
        rank[len(levels)] = top + 1
        codes = rank[codes]
    return np.asarray(codes, dtype=np.int64)
