"""Verified blocks that model blocks share.

Every model block has one form: fit on (X, y), stop early on `stop` (held-out X and y; None: run all
rounds), give one array of rows x width for each of `others`, and the number of rounds used. y: int
codes 0..width-1 for problem "binary" and "multiclass", float for "regression" (width 1).
"""

import os
from typing import Any

import numpy as np


def threads(rows: int) -> int:
    """How many processor cores to use, at most 8; one for few rows, where sharing costs more."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if rows < 5_000 else max(1, min(8, cores))


def two_columns(predicted: np.ndarray) -> np.ndarray:
    """Probabilities of the second class as rows x 2."""
    return np.column_stack([1 - predicted, predicted])


def class_columns(model: Any, X: Any, width: int) -> np.ndarray:
    """The model's probabilities with a column for every class, 0 for those it never saw."""
    full = np.zeros((X.shape[0], width))
    full[:, np.asarray(model.classes_).astype(int)] = model.predict_proba(X)
    return full


def held_out_loss(model: Any, stop: tuple[Any, np.ndarray], classes: bool, loss: str) -> float:
    """Log loss for classes, else the mean absolute or squared error."""
    X, y = stop
    if classes:
        probabilities = class_columns(model, X, int(max(y.max(), model.classes_.max())) + 1)
        return float(-np.log(np.clip(probabilities[np.arange(len(y)), y], 1e-7, 1)).mean())
    errors = model.predict(X) - y
    return float(np.abs(errors).mean() if loss == "absolute" else (errors**2).mean())
