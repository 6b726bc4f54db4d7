"""Verified blocks for the program's own out-of-fold score; the harness scores again, independently.

y: class codes (rows), 0/1 (rows x labels) or numbers (rows x targets). p: probabilities (rows x
classes, or rows x labels), label codes (rows, or rows x labels) or numbers (rows x targets).
"""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    fbeta_score,
    log_loss,
    matthews_corrcoef,
    roc_auc_score,
)


def by_label(y: np.ndarray, p: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of 0/1 truth and probability: one a label, or for the second of two classes, or one a class."""
    if y.ndim == 2:
        pairs = [(y[:, place], p[:, place]) for place in range(y.shape[1])]
    elif p.shape[1] == 2:
        pairs = [(y == 1, p[:, 1])]
    else:
        pairs = [(y == place, p[:, place]) for place in range(p.shape[1])]
    return [(truth.astype(int), values) for truth, values in pairs if 0 < truth.sum() < len(truth)]


def score_auc(y: np.ndarray, p: np.ndarray) -> float:
    """Area under the ROC curve, the mean over labels or classes."""
    return float(np.mean([roc_auc_score(truth, values) for truth, values in by_label(y, p)] or [0.5]))


def score_average_precision(y: np.ndarray, p: np.ndarray) -> float:
    """Average precision, the mean over labels or classes."""
    return float(
        np.mean([average_precision_score(truth, values) for truth, values in by_label(y, p)] or [0.0])
    )


def score_log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Log loss, the mean over labels where there are several."""
    p = np.clip(p, 1e-15, 1 - 1e-15)
    if y.ndim == 2:
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    return float(log_loss(y, p / p.sum(axis=1, keepdims=True), labels=list(range(p.shape[1]))))


def score_brier(y: np.ndarray, p: np.ndarray) -> float:
    """Mean squared error of the probabilities."""
    if y.ndim == 2:
        return float(np.mean((p - y) ** 2))
    return float(np.mean((p[:, -1] - (y == 1)) ** 2))


def score_accuracy(y: np.ndarray, p: np.ndarray) -> float:
    """Share of right labels (of rows with all labels right, where there are several)."""
    right = y == p
    return float(np.mean(right.all(axis=1) if right.ndim == 2 else right))


def score_error_rate(y: np.ndarray, p: np.ndarray) -> float:
    """Share of wrong labels."""
    return float(np.mean(y != p))


def score_hamming_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Share of wrong labels over all labels of all rows."""
    return float(np.mean(y != p))


def score_balanced_accuracy(y: np.ndarray, p: np.ndarray) -> float:
    """Mean recall of the classes."""
    return float(balanced_accuracy_score(y, p))


def score_f1(y: np.ndarray, p: np.ndarray) -> float:
    """F1 of the second class of two; the mean over classes or labels when there are more."""
    binary = y.ndim == 1 and max(y.max(), p.max()) <= 1
    return float(f1_score(y, p, average="binary" if binary else "macro", zero_division=0))


def score_f1_macro(y: np.ndarray, p: np.ndarray) -> float:
    """Mean F1 of the classes."""
    return float(f1_score(y, p, average="macro", zero_division=0))


def score_f1_micro(y: np.ndarray, p: np.ndarray) -> float:
    """F1 over all decisions."""
    return float(f1_score(y, p, average="micro", zero_division=0))


def score_f1_weighted(y: np.ndarray, p: np.ndarray) -> float:
    """F1 of the classes weighted by their rows."""
    return float(f1_score(y, p, average="weighted", zero_division=0))


def score_f1_samples(y: np.ndarray, p: np.ndarray) -> float:
    """Mean F1 of the rows."""
    return float(f1_score(y, p, average="samples" if y.ndim == 2 else "macro", zero_division=0))


def score_f2(y: np.ndarray, p: np.ndarray) -> float:
    """F2: recall weighs more than precision."""
    binary = y.ndim == 1 and max(y.max(), p.max()) <= 1
    return float(fbeta_score(y, p, beta=2, average="binary" if binary else "macro", zero_division=0))


def score_f05(y: np.ndarray, p: np.ndarray) -> float:
    """F0.5: precision weighs more than recall."""
    binary = y.ndim == 1 and max(y.max(), p.max()) <= 1
    return float(fbeta_score(y, p, beta=0.5, average="binary" if binary else "macro", zero_division=0))


def score_matthews(y: np.ndarray, p: np.ndarray) -> float:
    """Matthews correlation."""
    return float(matthews_corrcoef(y.ravel(), p.ravel()))


def score_kappa(y: np.ndarray, p: np.ndarray) -> float:
    """Cohen's kappa."""
    return float(cohen_kappa_score(y.ravel(), p.ravel()))


def score_quadratic_kappa(y: np.ndarray, p: np.ndarray) -> float:
    """Kappa with quadratic weights, of whole numbers."""
    return weighted_kappa(y, p, 2)


def score_linear_kappa(y: np.ndarray, p: np.ndarray) -> float:
    """Kappa with linear weights, of whole numbers."""
    return weighted_kappa(y, p, 1)


def weighted_kappa(y: np.ndarray, p: np.ndarray, power: int) -> float:
    """Kappa whose weights are the differences to this power, of whole numbers."""
    y, p = np.rint(y).astype(int).ravel(), np.rint(p).astype(int).ravel()
    low = min(y.min(), p.min())
    size = int(max(y.max(), p.max()) - low) + 1
    seen = np.bincount((y - low) * size + (p - low), minlength=size * size).reshape(size, size)
    weights = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) ** power
    chance = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / max(1, len(y))
    expected = (weights * chance).sum()
    return float(1 - (weights * seen).sum() / expected) if expected else 0.0


def right_places(y: np.ndarray, p: np.ndarray, top: int) -> np.ndarray:
    """Rows x places: whether the class in that place of the ranking is the right one."""
    return np.asarray(np.argsort(-p, axis=1, kind="stable")[:, :top] == y[:, None])


def score_reciprocal_rank(y: np.ndarray, p: np.ndarray, top: int) -> float:
    """MAP@K and MRR@K of one right class a row."""
    right = right_places(y, p, top)
    return float((right / np.arange(1, right.shape[1] + 1)).sum(axis=1).mean())


def score_discounted_rank(y: np.ndarray, p: np.ndarray, top: int) -> float:
    """NDCG@K of one right class a row."""
    right = right_places(y, p, top)
    return float((right / np.log2(np.arange(2, right.shape[1] + 2))).sum(axis=1).mean())


def score_hit_at(y: np.ndarray, p: np.ndarray, top: int) -> float:
    """Share of rows whose class is among the likeliest."""
    return float(right_places(y, p, top).any(axis=1).mean())


def score_miss_at(y: np.ndarray, p: np.ndarray, top: int) -> float:
    """Share of rows whose class is not among the likeliest."""
    return 1 - score_hit_at(y, p, top)


def score_precision_at(y: np.ndarray, p: np.ndarray, top: int) -> float:
    """Share of the likeliest classes that are right, one right class a row."""
    return score_hit_at(y, p, top) / top


def score_pinball(y: np.ndarray, p: np.ndarray, level: float) -> float:
    """Quantile loss: errors above the prediction weigh `level`, those below 1 - level."""
    return float(np.mean(np.maximum(level * (y - p), (level - 1) * (y - p))))


def score_rmse(y: np.ndarray, p: np.ndarray) -> float:
    """Root mean squared error, the mean over targets."""
    return float(np.mean(np.sqrt(np.mean((y - p) ** 2, axis=0))))


def score_mse(y: np.ndarray, p: np.ndarray) -> float:
    """Mean squared error."""
    return float(np.mean((y - p) ** 2))


def score_mae(y: np.ndarray, p: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(y - p)))


def score_median_absolute(y: np.ndarray, p: np.ndarray) -> float:
    """Median absolute error."""
    return float(np.median(np.abs(y - p)))


def score_rmsle(y: np.ndarray, p: np.ndarray) -> float:
    """Root mean squared error of log(1 + value), the mean over targets."""
    errors = np.log1p(np.maximum(y, 0)) - np.log1p(np.maximum(p, 0))
    return float(np.mean(np.sqrt(np.mean(errors**2, axis=0))))


def score_rmse_of_log(y: np.ndarray, p: np.ndarray) -> float:
    """Root mean squared error of the logarithm."""
    errors = np.log(np.maximum(y, 1e-9)) - np.log(np.maximum(p, 1e-9))
    return float(np.sqrt(np.mean(errors**2)))


def score_mape(y: np.ndarray, p: np.ndarray) -> float:
    """Mean absolute percentage error, as a share."""
    return float(np.mean(np.abs(y - p) / np.maximum(np.abs(y), 1e-9)))


def score_rmspe(y: np.ndarray, p: np.ndarray) -> float:
    """Root mean squared percentage error over rows with a target other than 0."""
    kept = y != 0
    return float(np.sqrt(np.mean(((y[kept] - p[kept]) / y[kept]) ** 2)))


def score_smape(y: np.ndarray, p: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200."""
    size = np.abs(y) + np.abs(p)
    return float(200 * np.mean(np.where(size == 0, 0, np.abs(y - p) / np.where(size == 0, 1, size))))


def score_r2(y: np.ndarray, p: np.ndarray) -> float:
    """Coefficient of determination, the mean over targets."""
    spread = np.maximum(((y - y.mean(axis=0)) ** 2).sum(axis=0), 1e-12)
    return float(np.mean(1 - ((y - p) ** 2).sum(axis=0) / spread))


def score_pearson(y: np.ndarray, p: np.ndarray) -> float:
    """Pearson's correlation."""
    return float(np.nan_to_num(np.corrcoef(y.ravel(), p.ravel())[0, 1]))


def score_spearman(y: np.ndarray, p: np.ndarray) -> float:
    """Correlation of the ranks, the mean over targets."""
    pairs = zip(y.T, p.T, strict=True)
    return float(np.nanmean([pd.Series(a).rank().corr(pd.Series(b).rank()) for a, b in pairs]))


def score_gini(y: np.ndarray, p: np.ndarray) -> float:
    """Normalised Gini of values."""
    y, p = y.ravel(), p.ravel()

    def lift(order: np.ndarray) -> float:
        return float((np.cumsum(y[order]) / y.sum()).sum() - (len(y) + 1) / 2)

    best = lift(np.argsort(-y, kind="stable"))
    return lift(np.argsort(-p, kind="stable")) / best if best else 0.0
