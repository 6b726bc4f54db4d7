"""Verified block that gives the text and image models the form that common.py describes."""

from collections.abc import Callable
from typing import Any

import numpy as np


def fit_plain(
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
    *,
    inner: Callable[..., list[np.ndarray]],
    timed: bool = False,
    **settings: Any,
) -> tuple[list[np.ndarray], int]:
    """A model that knows no rounds, no early stopping and no weights; `timed` ones are told their seconds."""
    if timed:
        settings["seconds"] = seconds
    return inner(X, y, others, problem, width, seed, **settings), 1
