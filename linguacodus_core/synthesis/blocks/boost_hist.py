"""Verified block: scikit-learn's histogram boosting, in the form that common.py describes."""

import time
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from linguacodus_core.synthesis.blocks.common import class_columns, held_out_loss


def fit_hist_gradient_boosting(
    X: Any,
    y: np.ndarray,
    others: list[Any],
    stop: tuple[Any, np.ndarray] | None,
    problem: str,
    width: int,
    seed: int,
    rounds: int,
    seconds: float,
    weights: np.ndarray | None,
    loss: str = "squared",
    patience: int = 100,
    **settings: Any,
) -> tuple[list[np.ndarray], int]:
    """scikit-learn's histogram boosting, grown by 50 rounds until the held-out loss no longer falls."""
    classes = problem in ("binary", "multiclass")
    if not classes:
        losses = {"absolute": "absolute_error", "poisson": "poisson"}
        settings["loss"] = losses.get(loss, "squared_error")
    make = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = make(
        early_stopping=False,
        warm_start=True,
        random_state=seed,
        categorical_features="from_dtype",
        **settings,
    )
    end = time.monotonic() + seconds
    best, since, used = np.inf, 0, 0
    kept: list[np.ndarray] = []
    while used < rounds:
        used = min(rounds, used + 50)
        model.set_params(max_iter=used)
        model.fit(X, y, sample_weight=weights)
        if stop is not None:
            error = held_out_loss(model, stop, classes, loss)
            since = 0 if error < best else since + 1
            best = min(best, error)
        if since == 0:
            kept = [
                class_columns(model, other, width) if classes else model.predict(other)[:, None]
                for other in others
            ]
        if since * 50 >= patience or time.monotonic() > end:
            break
    return kept, max(1, used - 50 * since)
