"""Verified block: LightGBM, in the form that common.py describes."""

import time
from typing import Any

import lightgbm as lgb
import numpy as np

from linguacodus_core.synthesis.blocks.common import threads, two_columns


def fit_lightgbm(
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
    """LightGBM."""
    losses = {"absolute": "regression_l1", "squared": "regression"}
    objective = {"binary": "binary", "multiclass": "multiclass"}.get(problem, losses.get(loss, loss))
    parameters = {
        "objective": objective,
        "verbosity": -1,
        "seed": seed,
        "num_threads": threads(len(y)),
        "bagging_freq": 1,
        "deterministic": True,
        "force_col_wise": True,
        **settings,
    }
    if problem == "multiclass":
        parameters["num_class"] = width
    if len(y) < 200:
        parameters["min_child_samples"] = min(
            int(settings.get("min_child_samples", 20)), max(1, len(y) // 20)
        )
    end = time.monotonic() + seconds

    def out_of_time(state: Any) -> None:
        if time.monotonic() > end:
            raise lgb.callback.EarlyStopException(state.iteration, state.evaluation_result_list or [])

    callbacks: list[Any] = [out_of_time]
    data = lgb.Dataset(X, y, weight=weights)
    valid = []
    if stop is not None:
        valid = [lgb.Dataset(stop[0], stop[1], reference=data)]
        callbacks.insert(0, lgb.early_stopping(patience, verbose=False))
    model = lgb.train(parameters, data, rounds, valid_sets=valid, callbacks=callbacks)
    used = model.best_iteration if model.best_iteration > 0 else model.current_iteration()
    found = [np.asarray(model.predict(other, num_iteration=used)) for other in others]
    if problem == "binary":
        return [two_columns(values) for values in found], used
    return [values.reshape(len(values), width) for values in found], used
