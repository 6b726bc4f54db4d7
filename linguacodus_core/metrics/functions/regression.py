"""Scores of values: squared, absolute and percentage errors, correlations, Gini, quantiles, CRPS."""

import re
from collections.abc import Callable

import numpy as np
from scipy import stats
from sklearn import metrics as sk

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers, Floats, numeric
from linguacodus_core.metrics.labels import label_keys, numbers

_LAST_NUMBER = re.compile(r"-?\d+(?:\.\d+)?$|-?\.\d+$")


def _mse(answers: Answers) -> float:
    return float(sk.mean_squared_error(*_flat(answers)))


def _rmse(answers: Answers) -> float:
    """Over all cells when there are several targets."""
    return float(sk.root_mean_squared_error(*_flat(answers)))


def _mcrmse(answers: Answers) -> float:
    return float(sk.root_mean_squared_error(*answers.values))


def _msle(answers: Answers) -> float:
    return float(np.mean((np.subtract(*_log1p(answers))) ** 2))


def _rmsle(answers: Answers) -> float:
    return float(np.sqrt(_msle(answers)))


def _columnwise_rmsle(answers: Answers) -> float:
    return float(np.mean(np.sqrt(np.mean((np.subtract(*_log1p(answers))) ** 2, axis=0))))


def _rmse_of_log(answers: Answers) -> float:
    truth, predicted = answers.values
    for values, whose in ((truth, "truth"), (predicted, "predictions")):
        _refuse_below(values, 0.0, whose, "rmse of log takes the logarithm")
    return float(np.sqrt(np.mean((np.log(truth) - np.log(predicted)) ** 2)))


def _log1p(answers: Answers) -> tuple[Floats, Floats]:
    """log(1 + y) of both; a value of -1 or less has none."""
    truth, predicted = answers.values
    for values, whose in ((truth, "truth"), (predicted, "predictions")):
        _refuse_below(values, -1.0, whose, f"{answers.metric.name} takes the logarithm of 1 + y")
    return np.log1p(truth), np.log1p(predicted)


def _refuse_below(values: Floats, limit: float, whose: str, why: str) -> None:
    broken = int(np.sum(values <= limit))
    if broken:
        raise LinguacodusError(
            f"{broken} values of the {whose} are {limit:g} or less (down to {values.min():g}), and {why}",
            "Clip the predictions from below.",
        )


def _mae(answers: Answers) -> float:
    return float(sk.mean_absolute_error(*_flat(answers)))


def _mcmae(answers: Answers) -> float:
    return float(sk.mean_absolute_error(*answers.values))


def _medae(answers: Answers) -> float:
    return float(sk.median_absolute_error(*_flat(answers)))


def _max_error(answers: Answers) -> float:
    return float(sk.max_error(*_flat(answers)))


def _mape(answers: Answers) -> float:
    """As a fraction, as scikit-learn has it: a true 0 counts as 2.2e-16."""
    return float(sk.mean_absolute_percentage_error(*_flat(answers)))


def _smape(answers: Answers) -> float:
    """In percent, 0 to 200; a cell where both are 0 counts as 0."""
    truth, predicted = _flat(answers)
    size = np.abs(truth) + np.abs(predicted)
    return float(
        200.0 * np.mean(np.divide(np.abs(truth - predicted), size, out=np.zeros_like(size), where=size > 0))
    )


def _wape(answers: Answers) -> float:
    truth, predicted = _flat(answers)
    total = np.abs(truth).sum()
    if total == 0:
        raise LinguacodusError("wape is undefined: every true value is 0", "Use mae.")
    return float(np.abs(truth - predicted).sum() / total)


def _rmspe(answers: Answers) -> float:
    """As a fraction; cells whose truth is 0 are left out, as Kaggle does."""
    truth, predicted = _flat(answers)
    kept = truth != 0
    if not kept.any():
        raise LinguacodusError("rmspe is undefined: every true value is 0", "Use rmse.")
    return float(np.sqrt(np.mean(((truth[kept] - predicted[kept]) / truth[kept]) ** 2)))


def _varying(answers: Answers) -> list[tuple[Floats, Floats]]:
    """The targets whose truth is not constant; LinguacodusError when none is left."""
    truth, predicted = answers.values
    kept = [(truth[:, at], predicted[:, at]) for at in range(truth.shape[1]) if np.ptp(truth[:, at]) > 0]
    if not kept:
        raise LinguacodusError(
            f"{answers.metric.name} is undefined: the true values are all the same",
            "Score on rows whose values differ.",
        )
    return kept


def _over_columns(function: Callable[[Floats, Floats], float]) -> Callable[[Answers], float]:
    def mean(answers: Answers) -> float:
        return float(np.mean([function(known, given) for known, given in _varying(answers)]))

    return mean


def _correlation(function: Callable[[Floats, Floats], object]) -> Callable[[Answers], float]:
    """The mean over targets of a correlation; constant predictions say nothing and score 0."""

    def mean(known: Floats, given: Floats) -> float:
        return float(function(known, given)[0]) if np.ptp(given) > 0 else 0.0  # type: ignore[index]

    return _over_columns(mean)


def _cosine(answers: Answers) -> float:
    """The mean over rows of the cosine between the true and the predicted row; 0 for a row of zeros."""
    truth, predicted = answers.values
    if truth.shape[1] < 2:
        raise LinguacodusError("cosine similarity needs several columns", "Give one column a dimension.")
    sizes = np.linalg.norm(truth, axis=1) * np.linalg.norm(predicted, axis=1)
    dots = (truth * predicted).sum(axis=1)
    return float(np.mean(np.divide(dots, sizes, out=np.zeros_like(sizes), where=sizes > 0)))


def _gini(answers: Answers) -> float:
    """Normalised Gini, 2 AUC - 1 for two labels; tied predictions share their rows' mean."""
    keys = set(label_keys(answers.truth.iloc[:, 0]))
    if answers.class_columns or numbers(str(key) for key in keys) is None:
        labels, scores = answers.binary
        known = labels.astype(float)
    else:
        known, scores = answers.values
    found = []
    for at in range(known.shape[1]):
        best = _raw_gini(known[:, at], known[:, at])
        if best > 0:
            found.append(_raw_gini(known[:, at], scores[:, at]) / best)
    if not found:
        raise LinguacodusError(
            "gini is undefined: the true values are all the same", "Score on rows whose values differ."
        )
    return float(np.mean(found))


def _raw_gini(known: Floats, given: Floats) -> float:
    """The area between the Lorenz curve of `known`, ordered by `given` from the top, and the diagonal."""
    if known.min() < 0 or known.sum() == 0:
        raise LinguacodusError(
            "gini needs true values of 0 and more, not all 0", "Use spearman for other values."
        )
    _, group = np.unique(-given, return_inverse=True)
    counts = np.bincount(group)
    shared = (np.bincount(group, weights=known) / counts)[np.sort(group)]
    return float((np.cumsum(shared) / known.sum()).sum() - (len(known) + 1) / 2) / len(known)


def _quantile_loss(answers: Answers) -> float:
    """The mean pinball loss: over the columns' quantiles, or at the metric's own quantile."""
    truth = numeric(answers.truth, "truth")
    if truth.shape[1] == 1 and answers.class_columns:
        levels = [abs(level) for level in _last_numbers(answers)]  # "q-0.5" has a hyphen, not a minus
    elif answers.metric.parameter is not None:
        levels = [answers.metric.parameter] * truth.shape[1]
    else:
        raise LinguacodusError(
            "quantile loss needs its quantile",
            'Write the metric as "quantile loss 0.9", or name a column after each quantile.',
        )
    if not all(0 < level < 1 for level in levels):
        raise LinguacodusError(
            f"quantiles lie between 0 and 1, not {levels}", 'Name the columns like "0.05" and "0.95".'
        )
    known = np.broadcast_to(truth, answers.scores.shape)
    return float(
        np.mean(
            [
                sk.mean_pinball_loss(known[:, at], answers.scores[:, at], alpha=level)
                for at, level in enumerate(levels)
            ]
        )
    )


def _crps(answers: Answers) -> float:
    """Mean squared gap between the predicted P(y <= t), a column a threshold t, and the step at the truth."""
    if not answers.class_columns:
        raise LinguacodusError(
            "crps needs one predicted column a threshold", 'Name the columns like "Yards-1", "Yards0".'
        )
    truth = numeric(answers.truth, "truth")
    return float(np.mean((answers.scores - (truth <= np.array(_last_numbers(answers))[None, :])) ** 2))


def _last_numbers(answers: Answers) -> list[float]:
    found = []
    for column in answers.predicted.columns:
        match = _LAST_NUMBER.search(str(column))
        if match is None:
            raise LinguacodusError(
                f"{answers.metric.name} needs a number at the end of every predicted column's name; "
                f"{column!r} has none",
                "Name each column after its quantile or threshold.",
            )
        found.append(float(match.group()))
    return found


def _flat(answers: Answers) -> tuple[Floats, Floats]:
    truth, predicted = answers.values
    return truth.ravel(), predicted.ravel()


def _r2(known: Floats, given: Floats) -> float:
    return float(sk.r2_score(known, given))


def _explained_variance(known: Floats, given: Floats) -> float:
    return float(sk.explained_variance_score(known, given))


FUNCTIONS: dict[str, Callable[[Answers], float]] = {
    "mse": _mse,
    "rmse": _rmse,
    "mcrmse": _mcrmse,
    "msle": _msle,
    "rmsle": _rmsle,
    "mean columnwise rmsle": _columnwise_rmsle,
    "rmse of log": _rmse_of_log,
    "mae": _mae,
    "mcmae": _mcmae,
    "medae": _medae,
    "max error": _max_error,
    "mape": _mape,
    "smape": _smape,
    "wape": _wape,
    "rmspe": _rmspe,
    "r2": _over_columns(_r2),
    "explained variance": _over_columns(_explained_variance),
    "pearson": _correlation(stats.pearsonr),
    "spearman": _correlation(stats.spearmanr),
    "mean columnwise spearman": _correlation(stats.spearmanr),
    "kendall tau": _correlation(stats.kendalltau),
    "cosine similarity": _cosine,
    "gini": _gini,
    "quantile loss": _quantile_loss,
    "crps": _crps,
}
