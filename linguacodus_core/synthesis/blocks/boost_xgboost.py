"""Verified block: XGBoost, in the form that common.py describes."""

import time
from typing import Any

import numpy as np
import xgboost as xgb

from linguacodus_core.synthesis.blocks.common import threads, two_columns


class OutOfTime(xgb.callback.TrainingCallback):
    """Stops XGBoost when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Whether to stop."""
        return time.monotonic() > self.end


def fit_xgboost(
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
    """XGBoost."""
    losses = {"absolute": "reg:absoluteerror", "squared": "reg:squarederror", "poisson": "count:poisson"}
    objective = {"binary": "binary:logistic", "multiclass": "multi:softprob"}.get(
        problem, losses.get(loss, "reg:pseudohubererror")
    )
    parameters = {
        "objective": objective,
        "seed": seed,
        "nthread": threads(len(y)),
        "tree_method": "hist",
        "verbosity": 0,
        **settings,
    }
    if problem == "multiclass":
        parameters["num_class"] = width
    data = xgb.DMatrix(X, y, weight=weights, enable_categorical=True)
    callbacks: list[Any] = [OutOfTime(seconds)]
    watch = []
    if stop is not None:
        watch = [(xgb.DMatrix(stop[0], stop[1], enable_categorical=True), "held")]
        callbacks.insert(0, xgb.callback.EarlyStopping(rounds=patience, save_best=False))
    model = xgb.train(parameters, data, rounds, evals=watch, callbacks=callbacks, verbose_eval=False)
    used = model.best_iteration + 1 if stop is not None else model.num_boosted_rounds()
    found = [
        model.predict(xgb.DMatrix(other, enable_categorical=True), iteration_range=(0, used))
        for other in others
    ]
    if problem == "binary":
        return [two_columns(values) for values in found], used
    return [values.reshape(len(values), width) for values in found], used
