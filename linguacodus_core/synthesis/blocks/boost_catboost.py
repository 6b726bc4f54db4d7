"""Verified block: CatBoost, in the form that common.py describes."""

import time
from typing import Any

import catboost
import numpy as np
import pandas as pd

from linguacodus_core.synthesis.blocks.common import threads


class CatBoostClock:
    """Stops CatBoost when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def after_iteration(self, info: Any) -> bool:
        """Whether to go on."""
        return time.monotonic() < self.end


def fit_catboost(
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
    """CatBoost; pandas categories are given to it as categories."""
    losses = {"absolute": "MAE", "squared": "RMSE", "poisson": "Poisson", "huber": "Huber:delta=1.0"}
    objective = {"binary": "Logloss", "multiclass": "MultiClass"}.get(problem, losses.get(loss, "RMSE"))
    named = (
        [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
        if hasattr(X, "columns")
        else []
    )

    def text(frame: Any) -> Any:
        return frame.astype(dict.fromkeys(named, str)) if named else frame

    parameters = {
        "loss_function": objective,
        "iterations": rounds,
        "random_seed": seed,
        "thread_count": threads(len(y)),
        "verbose": False,
        "allow_writing_files": False,
        "cat_features": named,
        **settings,
    }
    kind = catboost.CatBoostClassifier if problem in ("binary", "multiclass") else catboost.CatBoostRegressor
    model = kind(**parameters)
    watch = None
    if stop is not None and len(np.unique(stop[1])) > 1:
        watch = (text(stop[0]), stop[1])
    model.fit(
        text(X),
        y,
        sample_weight=weights,
        eval_set=watch,
        early_stopping_rounds=patience if watch else None,
        callbacks=[CatBoostClock(seconds)],
    )
    found = []
    for other in others:
        if problem in ("binary", "multiclass"):
            full = np.zeros((other.shape[0], width))
            full[:, np.asarray(model.classes_).astype(int).ravel()] = model.predict_proba(text(other))
        else:
            kind_of_value = "Exponent" if loss == "poisson" else "RawFormulaVal"
            full = model.predict(text(other), prediction_type=kind_of_value).reshape(-1, width)
        found.append(full)
    return found, int(model.tree_count_)
