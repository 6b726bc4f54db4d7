"""Verified blocks that fit models fold by fold, within a time budget."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from linguacodus_core.synthesis.blocks.encode import encode_target
from linguacodus_core.synthesis.blocks.targets import balanced_weights


def take(X: Any, rows: np.ndarray) -> Any:
    """These rows of a table or matrix."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def constant_model(y: np.ndarray, others: list[Any], problem: str, width: int) -> list[np.ndarray]:
    """What to predict when there is nothing to learn from: class shares, or the mean."""
    if problem in ("binary", "multiclass"):
        value = np.bincount(y, minlength=width)[:width] / max(1, len(y))
    else:
        value = np.array([y.mean() if len(y) else 0.0])
    return [np.tile(value, (other.shape[0], 1)) for other in others]


def fit_one(
    model: Callable[..., tuple[list[np.ndarray], int]],
    X: Any,
    y: np.ndarray,
    others: list[Any],
    stop: tuple[Any, np.ndarray] | None,
    problem: str,
    width: int,
    balanced: bool,
    means: list[str],
    **options: Any,
) -> tuple[list[np.ndarray], int]:
    """One target on one fold; `means` are the categories to encode by the target's mean."""
    if len(np.unique(y)) < 2 or len(y) < 5:
        return constant_model(y, others, problem, width), 1
    if stop is not None and problem != "regression":  # held-out rows of classes that y lacks cannot judge
        known = np.isin(stop[1], np.unique(y))
        stop = (take(stop[0], np.flatnonzero(known)), stop[1][known]) if known.any() else None
    if means:
        held = [stop[0]] if stop is not None else []
        X, encoded = encode_target(X, y, [*others, *held], means, problem)
        others = encoded[: len(others)]
        stop = (encoded[-1], stop[1]) if stop is not None else None
    if problem == "multiclass":  # a class may be absent from the fold: models see codes without gaps
        seen, codes = np.unique(y, return_inverse=True)
        if len(seen) < width:
            held_codes = None if stop is None else (stop[0], np.searchsorted(seen, stop[1]))
            kind = "binary" if len(seen) == 2 else "multiclass"
            weights = balanced_weights(codes) if balanced else None
            found, rounds = model(X, codes, others, held_codes, kind, len(seen), weights=weights, **options)
            wide = [np.zeros((len(values), width)) for values in found]
            for full, values in zip(wide, found, strict=True):
                full[:, seen] = values
            return wide, rounds
    weights = balanced_weights(y) if balanced and problem != "regression" else None
    return model(X, y, others, stop, problem, width, weights=weights, **options)


def fit_targets(
    model: Callable[..., Any],
    X: Any,
    y: np.ndarray,
    others: list[Any],
    stop: tuple[Any, np.ndarray] | None,
    problem: str,
    width: int,
    seconds: float,
    sizes: tuple[int, ...] = (),
    **options: Any,
) -> tuple[list[np.ndarray], int]:
    """One model for a single target (y has one dimension), else one a target (y: rows x targets).

    sizes: of targets with several classes, how many each has; their probabilities stand side by side.
    """
    if y.ndim == 1:
        return fit_one(model, X, y, others, stop, problem, width, seconds=seconds, **options)
    kind, one = ("binary", 2) if problem == "multilabel" else ("regression", 1)
    columns, used = [], []
    end = time.monotonic() + seconds
    for place in range(y.shape[1]):
        if sizes:
            kind, one = ("multiclass" if sizes[place] > 2 else "binary"), sizes[place]
        goal = y[:, place] if kind == "regression" else y[:, place].astype(int)
        held = None if stop is None else (stop[0], stop[1][:, place].astype(goal.dtype))
        share = max(0.3, (end - time.monotonic()) / (y.shape[1] - place))
        found, rounds = fit_one(model, X, goal, others, held, kind, one, seconds=share, **options)
        columns.append([values if sizes else values[:, -1] for values in found])
        used.append(rounds)
    return [np.column_stack(values) for values in zip(*columns, strict=True)], int(np.mean(used))


def cross_validate(
    model: Callable[..., Any],
    X: Any,
    y: np.ndarray,
    X_test: Any,
    folds_of: Callable[[int], list[tuple[np.ndarray, np.ndarray]]],
    *,
    problem: str,
    width: int,
    seeds: int,
    rounds: int,
    deadline: float,
    refit: bool,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Out-of-fold predictions (rows x width, NaN where no fold got) and the mean prediction of the test rows.

    folds_of(seed) gives the folds. refit: predict the test rows by a model of all rows, with as many
    rounds as the folds needed, instead of the models of the folds. Past the deadline
    (time.monotonic()) no further model is begun.
    """
    sums = np.zeros((X.shape[0], width))
    hits = np.zeros(X.shape[0])
    tests: list[np.ndarray] = []
    used: list[int] = []
    plans = [(seed, fold) for seed in range(seeds) for fold in folds_of(seed)]
    longest = 0.0
    for place, (seed, (inside, held)) in enumerate(plans):
        begun = time.monotonic()
        if place and begun + 0.7 * longest > deadline:
            break
        share = max(1.0, (deadline - begun) / (len(plans) - place + refit))
        stop = (take(X, held), y[held])
        others = [stop[0]] if refit else [stop[0], X_test]
        found, count = fit_targets(
            model, take(X, inside), y[inside], others, stop, problem, width,
            seed=seed, rounds=rounds, seconds=share, **options,
        )  # fmt: skip
        sums[held] += found[0]
        hits[held] += 1
        used.append(count)
        if not refit:
            tests.append(found[1])
        longest = max(longest, time.monotonic() - begun)
    if not tests:
        count = max(1, int(np.mean(used) * 1.1)) if used else min(rounds, 200)
        for seed in range(seeds if used else 1):
            begun = time.monotonic()
            if seed and begun + longest > deadline:
                break
            share = max(5.0, deadline - begun)
            found, _ = fit_targets(
                model, X, y, [X_test], None, problem, width, seed=seed, rounds=count, seconds=share, **options
            )
            tests.append(found[0])
            longest = max(longest, time.monotonic() - begun)
    with np.errstate(invalid="ignore"):
        return np.where(hits[:, None] > 0, sums / np.maximum(hits, 1)[:, None], np.nan), np.mean(
            tests, axis=0
        )
