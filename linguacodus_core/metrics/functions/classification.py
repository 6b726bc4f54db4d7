"""Scores of probabilities and labels: AUC, log losses, accuracies, F-scores, kappa, MCC."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.preprocessing import MultiLabelBinarizer

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers, Floats
from linguacodus_core.metrics.labels import Keys, label_key, numbers, positive_label

_CLIP = 1e-15  # Kaggle's


def _columns_with_both(answers: Answers) -> list[tuple[NDArray[np.int64], Floats]]:
    """The targets that have both labels; LinguacodusError when none has."""
    truth, scores = answers.binary
    both = [
        (truth[:, at], scores[:, at]) for at in range(truth.shape[1]) if 0 < truth[:, at].sum() < len(truth)
    ]
    if not both:
        raise LinguacodusError(
            f"{answers.metric.name} is undefined here: every row has the same label",
            "Score on rows that hold both labels (a stratified hold-out has them).",
        )
    return both


def _auc(answers: Answers) -> float:
    """The mean over targets with both labels of the area under the ROC curve."""
    return float(np.mean([sk.roc_auc_score(known, score) for known, score in _columns_with_both(answers)]))


def _average_precision(answers: Answers) -> float:
    return float(
        np.mean([sk.average_precision_score(known, score) for known, score in _columns_with_both(answers)])
    )


def _binary_log_losses(answers: Answers) -> Floats:
    """Rows x targets: the log loss of each cell, clipped as Kaggle does."""
    truth, scores = answers.binary
    clipped = np.clip(scores, _CLIP, 1 - _CLIP)
    losses: Floats = -np.where(truth == 1, np.log(clipped), np.log1p(-clipped))
    return losses


def _columnwise_log_loss(answers: Answers) -> float:
    return float(_binary_log_losses(answers).mean())


def _log_loss(answers: Answers) -> float:
    """Binary log loss, or the multi-class one when the answers are one class a row."""
    return _multiclass_log_loss(answers) if answers.one_class_a_row else _columnwise_log_loss(answers)


def _multiclass_log_loss(answers: Answers) -> float:
    """Rows rescaled to sum to 1, clipped to [1e-15, 1 - 1e-15], as Kaggle does."""
    if not answers.one_class_a_row:
        if answers.truth.shape[1] == 1:
            return _columnwise_log_loss(answers)
        raise LinguacodusError(
            "multiclass log loss needs rows of truth that sum to 1",
            "For several labels a row use mean columnwise log loss.",
        )
    truth, predicted = answers.distributions
    return float(-(truth * np.log(np.clip(predicted, _CLIP, 1 - _CLIP))).sum(axis=1).mean())


def _balanced_log_loss(answers: Answers) -> float:
    """The mean over classes of the log loss of the class's rows."""
    truth, predicted = answers.distributions
    logs = -(truth * np.log(np.clip(predicted, _CLIP, 1 - _CLIP)))
    totals = truth.sum(axis=0)
    return float((logs.sum(axis=0)[totals > 0] / totals[totals > 0]).mean())


def _kl_divergence(answers: Answers) -> float:
    truth, predicted = answers.distributions
    known, given = np.clip(truth, _CLIP, None), np.clip(predicted, _CLIP, None)
    return float(np.where(truth > 0, truth * (np.log(known) - np.log(given)), 0.0).sum(axis=1).mean())


def _brier(answers: Answers) -> float:
    if answers.one_class_a_row and (not answers.class_columns or len(answers.class_keys) > 2):
        truth, predicted = answers.distributions
        return float(((truth - predicted) ** 2).sum(axis=1).mean())
    known, scores = answers.binary
    return float(((known - scores) ** 2).mean())


def _cells(answers: Answers) -> list[tuple[Keys, Keys]]:
    truth, predicted = answers.keys
    return list(zip(truth, predicted, strict=True))


def _accuracy(answers: Answers) -> float:
    """The share of right labels; over all cells when there are several targets."""
    return float(np.mean([np.mean(known == given) for known, given in _cells(answers)]))


def _error_rate(answers: Answers) -> float:
    return 1.0 - _accuracy(answers)


def _exact_match(answers: Answers) -> float:
    """The share of rows whose every target is right."""
    return float(np.mean(np.logical_and.reduce([known == given for known, given in _cells(answers)])))


def _balanced_accuracy(answers: Answers) -> float:
    """The mean recall over the classes that occur in the truth."""
    return float(
        np.mean(
            [
                sk.recall_score(
                    list(known), list(given), labels=sorted(set(known)), average="macro", zero_division=0
                )
                for known, given in _cells(answers)
            ]
        )
    )


def _binary_cells(answers: Answers) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Truth and predictions as 0/1, one pair a target."""
    cells = _cells(answers)
    classes = answers.classes if len(cells) == 1 else ()
    found = []
    for known, given in cells:
        positive = positive_label(known, classes)
        found.append(((known == positive).astype(np.int64), (given == positive).astype(np.int64)))
    return found


def _f_beta(answers: Answers) -> float:
    beta = 1.0 if answers.metric.base == "f1" else answers.metric.parameter
    if beta is None:
        raise LinguacodusError("f-beta needs its beta", 'Write the metric as "f2" or "f0.5".')
    return float(
        np.mean(
            [
                sk.fbeta_score(known, given, beta=beta, zero_division=0)
                for known, given in _binary_cells(answers)
            ]
        )
    )


def _f_average(average: str) -> Callable[[Answers], float]:
    def averaged(answers: Answers) -> float:
        if answers.truth.shape[1] > 1:
            cells = _cells(answers)
            if any(len(set(known)) > 2 for known, _ in cells):  # several targets of several classes each
                scores = [
                    sk.f1_score(list(known), list(given), average=average, zero_division=0)
                    for known, given in cells
                ]
                return float(np.mean(scores))
            pairs = _binary_cells(answers)
            known, given = np.column_stack([k for k, _ in pairs]), np.column_stack([g for _, g in pairs])
            return float(sk.f1_score(known, given, average=average, zero_division=0))
        if not answers.class_columns and _holds_lists(answers.truth.iloc[:, 0]):
            truth_lists, predicted_lists = answers.lists()
            encoder = MultiLabelBinarizer(sparse_output=True).fit(truth_lists + predicted_lists)
            known, given = encoder.transform(truth_lists), encoder.transform(predicted_lists)
            return float(sk.f1_score(known, given, average=average, zero_division=0))
        truth, predicted = _cells(answers)[0]
        return float(sk.f1_score(list(truth), list(predicted), average=average, zero_division=0))

    return averaged


def _f1_samples(answers: Answers) -> float:
    """The mean over rows of the F1 of the row's space-separated labels; empty cells are empty sets."""
    if answers.truth.shape[1] > 1:
        return _f_average("samples")(answers)
    truth, predicted = answers.lists()
    return _set_f1([set(row) for row in truth], [set(row) for row in predicted])


def _set_f1(truth: list[set[str]], predicted: list[set[str]]) -> float:
    return float(
        np.mean(
            [
                2 * len(known & given) / (len(known) + len(given)) if known or given else 1.0
                for known, given in zip(truth, predicted, strict=True)
            ]
        )
    )


def _holds_lists(column: pd.Series) -> bool:
    """Whether a column holds lists of numbered labels ("0 12 7"), at least one with two."""
    if pd.api.types.is_numeric_dtype(column):
        return False
    words = [str(cell).split() for cell in column.dropna().unique()]
    return any(len(row) > 1 for row in words) and all(word.isdigit() for row in words for word in row)


def _cohen_kappa(answers: Answers) -> float:
    return float(np.mean([_kappa(known, given, 0, answers) for known, given in _cells(answers)]))


def _weighted_kappa(power: int) -> Callable[[Answers], float]:
    def kappa(answers: Answers) -> float:
        return float(np.mean([_kappa(known, given, power, answers) for known, given in _cells(answers)]))

    return kappa


def _kappa(known: Keys, given: Keys, power: int, answers: Answers) -> float:
    """1 - observed / expected disagreement, |a - b| ** power on the labels' own scale (0: same or not).

    scikit-learn weighs by position among the labels that occur, Kaggle by the labels' values; they differ
    when a grade is missing. Both sides constant: 1 when they agree, else 0.
    """
    if power:
        a, b = _grades(known, answers), _grades(given, answers)
        observed = float(np.mean(np.abs(a - b) ** power))
        values_a, counts_a = np.unique(a, return_counts=True)
        values_b, counts_b = np.unique(b, return_counts=True)
        distance = np.abs(values_a[:, None] - values_b[None, :]) ** power
        expected = float(counts_a @ distance @ counts_b) / (len(a) * len(b))
    else:
        observed = float(np.mean(known != given))
        shares = {key: float(np.mean(known == key)) for key in set(known)}
        expected = 1.0 - sum(share * float(np.mean(given == key)) for key, share in shares.items())
    if expected == 0.0:
        return 1.0 if observed == 0.0 else 0.0
    return 1.0 - observed / expected


def _grades(keys: Keys, answers: Answers) -> Floats:
    """Ordinal labels as numbers: their own values, else their place in the task's list of classes."""
    distinct = list(set(keys))
    values = numbers(distinct)
    if values is None:
        place = {label_key(each): float(at) for at, each in enumerate(answers.classes)}
        unknown = [key for key in distinct if key not in place]
        if unknown:
            raise LinguacodusError(
                f"{answers.metric.name} needs ordered labels, and {unknown[0]!r} has no place in an order",
                "Predict the grades themselves, or name the classes of the task from lowest to highest.",
            )
        values = [place[key] for key in distinct]
    elif not all(value.is_integer() for value in values):
        raise LinguacodusError(f"{answers.metric.name} compares whole grades", "Round the predictions.")
    table = dict(zip(distinct, values, strict=True))
    return np.array([table[key] for key in keys], dtype=float)


def _mcc(answers: Answers) -> float:
    """Matthews correlation; 0 when a side is constant, as scikit-learn has it."""
    return float(
        np.mean([sk.matthews_corrcoef(list(known), list(given)) for known, given in _cells(answers)])
    )


FUNCTIONS: dict[str, Callable[[Answers], float]] = {
    "auc": _auc,
    "mean column auc": _auc,
    "average precision": _average_precision,
    "log loss": _log_loss,
    "mean columnwise log loss": _columnwise_log_loss,
    "multiclass log loss": _multiclass_log_loss,
    "balanced log loss": _balanced_log_loss,
    "kl divergence": _kl_divergence,
    "brier": _brier,
    "categorization accuracy": _accuracy,
    "balanced accuracy": _balanced_accuracy,
    "exact match": _exact_match,
    "error rate": _error_rate,
    "hamming loss": _error_rate,
    "f1": _f_beta,
    "f-beta": _f_beta,
    "f1 macro": _f_average("macro"),
    "f1 micro": _f_average("micro"),
    "f1 weighted": _f_average("weighted"),
    "f1 samples": _f1_samples,
    "cohen kappa": _cohen_kappa,
    "linear weighted kappa": _weighted_kappa(1),
    "quadratic weighted kappa": _weighted_kappa(2),
    "mcc": _mcc,
}
