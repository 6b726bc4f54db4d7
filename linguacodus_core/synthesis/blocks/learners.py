"""Verified blocks for scikit-learn models, in the form that common.py describes; X has no gaps."""

import time
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import ElasticNet, HuberRegressor, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR

from linguacodus_core.synthesis.blocks.common import class_columns, held_out_loss, threads


def predictions(model: Any, others: list[Any], problem: str, width: int) -> list[np.ndarray]:
    """Class probabilities or values of a fitted model, rows x width for each of `others`."""
    if problem == "regression":
        return [np.asarray(model.predict(other), dtype=float).reshape(-1, 1) for other in others]
    return [class_columns(model, other, width) for other in others]


def some_rows(y: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most `most` random rows."""
    if len(y) <= most:
        return np.arange(len(y))
    return np.sort(np.random.default_rng(seed).choice(len(y), most, replace=False))


def grown_forest(
    make: Any,
    X: Any,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
    rounds: int,
    seconds: float,
    weights: np.ndarray | None,
) -> tuple[list[np.ndarray], int]:
    """A forest grown in steps until it has `rounds` trees or its time is up."""
    model = make(warm_start=True, n_jobs=threads(len(y)))
    end, used = time.monotonic() + seconds, 0
    while used < rounds and (used == 0 or time.monotonic() < end):
        used = min(rounds, used + 20)
        model.set_params(n_estimators=used)
        model.fit(X, y, sample_weight=weights)
    return predictions(model, others, problem, width), used


def fit_random_forest(
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
    **settings: Any,
) -> tuple[list[np.ndarray], int]:
    """Random forest."""
    kind = RandomForestRegressor if problem == "regression" else RandomForestClassifier

    def make(**more: Any) -> Any:
        return kind(random_state=seed, **settings, **more)

    return grown_forest(make, X, y, others, problem, width, rounds, seconds, weights)


def fit_extra_trees(
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
    **settings: Any,
) -> tuple[list[np.ndarray], int]:
    """Extremely randomised trees."""
    kind = ExtraTreesRegressor if problem == "regression" else ExtraTreesClassifier

    def make(**more: Any) -> Any:
        return kind(random_state=seed, **settings, **more)

    return grown_forest(make, X, y, others, problem, width, rounds, seconds, weights)


def fit_linear(
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
    C: float = 1.0,
) -> tuple[list[np.ndarray], int]:
    """Logistic regression for classes; ridge, or Huber's regression for absolute errors, for values."""
    model: Any
    if problem != "regression":
        model = LogisticRegression(C=C, max_iter=300)
    elif loss == "absolute" and len(y) < 20_000:
        model = HuberRegressor(alpha=0.01 / C, max_iter=300)
    else:
        model = Ridge(alpha=10.0 / C)
    center, spread = (y.mean(), y.std() or 1.0) if problem == "regression" else (0, 1)
    model.fit(X, (y - center) / spread if problem == "regression" else y, sample_weight=weights)
    found = predictions(model, others, problem, width)
    return [values * spread + center for values in found] if problem == "regression" else found, 1


def fit_elastic_net(
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
    C: float = 1.0,
) -> tuple[list[np.ndarray], int]:
    """A linear model with both penalties: drops weak columns."""
    model: Any
    if problem != "regression":
        model = SGDClassifier(
            loss="log_loss",
            penalty="elasticnet",
            alpha=0.001 / C,
            l1_ratio=0.3,
            average=True,
            random_state=seed,
        )
        model.fit(X, y, sample_weight=weights)
        return predictions(model, others, problem, width), 1
    center, spread = y.mean(), y.std() or 1.0
    model = ElasticNet(alpha=0.01 / C, l1_ratio=0.3, max_iter=5000, random_state=seed)
    model.fit(X, (y - center) / spread, sample_weight=weights)
    return [values * spread + center for values in predictions(model, others, problem, width)], 1


def fit_svm(
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
    C: float = 1.0,
) -> tuple[list[np.ndarray], int]:
    """A support vector machine; past 5,000 rows a linear model on 400 kernel features."""
    model: Any
    if problem == "regression":
        center, spread = y.mean(), y.std() or 1.0
        linear = Ridge(alpha=1.0 / C)
        many = make_pipeline(Nystroem(n_components=400, gamma=1 / X.shape[1], random_state=seed), linear)
        model = SVR(C=C, epsilon=0.05) if len(y) <= 5_000 else many
        model.fit(X, (y - center) / spread)
        return [values * spread + center for values in predictions(model, others, problem, width)], 1
    fewest = int(np.unique(y, return_counts=True)[1].min())
    if len(y) <= 5_000 and fewest >= 3:
        model = CalibratedClassifierCV(SVC(C=C, random_state=seed), cv=3, ensemble=False)
        model.fit(X, y, sample_weight=weights)
    else:
        kernel = Nystroem(n_components=400, gamma=1 / X.shape[1], random_state=seed)
        model = make_pipeline(kernel, LogisticRegression(C=10 * C, max_iter=200))
        model.fit(X, y, logisticregression__sample_weight=weights)
    return predictions(model, others, problem, width), 1


def fit_knn(
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
    neighbours: int = 20,
) -> tuple[list[np.ndarray], int]:
    """Nearest neighbours, weighted by distance, among at most 30,000 rows."""
    rows = some_rows(y, 30_000, seed)
    kind = KNeighborsRegressor if problem == "regression" else KNeighborsClassifier
    model = kind(n_neighbors=min(neighbours, len(rows)), weights="distance", n_jobs=threads(len(y)))
    model.fit(X.iloc[rows] if hasattr(X, "iloc") else X[rows], y[rows])
    return predictions(model, others, problem, width), 1


def fit_naive_bayes(
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
) -> tuple[list[np.ndarray], int]:
    """Gaussian naive Bayes, for classes."""
    model = GaussianNB(var_smoothing=1e-3)
    model.fit(X, y, sample_weight=weights)
    return predictions(model, others, problem, width), 1


def fit_mlp(
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
    layers: tuple[int, ...] = (64, 32),
    rate: float = 1e-3,
    alpha: float = 1e-3,
) -> tuple[list[np.ndarray], int]:
    """A small neural network, one pass over the rows at a time until the held-out loss no longer falls."""
    classes = problem != "regression"
    X, *others = (np.asarray(matrix, dtype=np.float32) for matrix in (X, *others))
    center, spread = (0.0, 1.0) if classes else (float(y.mean()), float(y.std()) or 1.0)
    make = MLPClassifier if classes else MLPRegressor
    batch = int(np.clip(len(y) // 100, 16, 512))
    model = make(
        hidden_layer_sizes=layers,
        alpha=alpha,
        learning_rate_init=rate,
        batch_size=min(batch, len(y)),
        random_state=seed,
    )
    goal = y if classes else (y - center) / spread
    held = None
    if stop is not None:
        held_y = stop[1] if classes else (stop[1] - center) / spread
        held = (np.asarray(stop[0], dtype=np.float32), held_y)
    end, best, since, used = time.monotonic() + seconds, np.inf, 0, 0
    kept: list[np.ndarray] = []
    draw = np.random.default_rng(seed)
    while used < rounds and since < 8:
        order = draw.permutation(len(goal))
        if classes:
            model.partial_fit(X[order], goal[order], classes=np.arange(width))
        else:
            model.partial_fit(X[order], goal[order])
        used += 1
        if held is not None:
            error = held_out_loss(model, held, classes, loss)
            since = 0 if error < best else since + 1
            best = min(best, error)
        if since == 0:
            kept = [values * spread + center for values in predictions(model, others, problem, width)]
        if time.monotonic() > end:
            break
    return kept, used - since
