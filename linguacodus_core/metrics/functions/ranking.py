"""Scores of ordered lists (space-separated labels, best first, as Kaggle writes them) and of label ranks."""

import math
from collections.abc import Callable

import numpy as np
from sklearn import metrics as sk

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers


def _average_precision(known: set[str], given: list[str], cut: int | None) -> float:
    hits, total = 0, 0.0
    for place, label in enumerate(given[:cut], start=1):
        if label in known:
            hits += 1
            total += hits / place
    return total / (len(known) if cut is None else min(len(known), cut))


def _ndcg(known: set[str], given: list[str], cut: int | None) -> float:
    gains = sum(
        1 / math.log2(place + 1) for place, label in enumerate(given[:cut], start=1) if label in known
    )
    most = len(known) if cut is None else min(len(known), cut)
    return gains / sum(1 / math.log2(place + 1) for place in range(1, most + 1))


def _recall(known: set[str], given: list[str], cut: int | None) -> float:
    return len(known & set(given[:cut])) / len(known)


def _precision(known: set[str], given: list[str], cut: int | None) -> float:
    size = len(given) if cut is None else cut
    return len(known & set(given[:cut])) / size if size else 0.0


def _reciprocal_rank(known: set[str], given: list[str], cut: int | None) -> float:
    return next((1 / place for place, label in enumerate(given[:cut], start=1) if label in known), 0.0)


def _hit(known: set[str], given: list[str], cut: int | None) -> float:
    return float(not known.isdisjoint(given[:cut]))


def _miss(known: set[str], given: list[str], cut: int | None) -> float:
    return 1.0 - _hit(known, given, cut)


def _over_rows(function: Callable[[set[str], list[str], int | None], float]) -> Callable[[Answers], float]:
    """The mean over the rows that have a true label; repeated predictions count once."""

    def mean(answers: Answers) -> float:
        cut = None if answers.metric.parameter is None else int(answers.metric.parameter)
        if cut is not None and cut < 1:
            raise LinguacodusError(
                f"{answers.metric.name} has a cut-off below 1", 'Write the metric like "map@5".'
            )
        truth, predicted = answers.lists()
        found = [
            function(set(known), list(dict.fromkeys(given)), cut)
            for known, given in zip(truth, predicted, strict=True)
            if known
        ]
        if not found:
            raise LinguacodusError(
                "no row has a true label to find", "Give at least one label in one row of truth."
            )
        return float(np.mean(found))

    return mean


def _label_ranking(weighted: bool) -> Callable[[Answers], float]:
    """Label-ranking average precision over the rows with a label; weighted: every label counts the same."""

    def score(answers: Answers) -> float:
        truth, scores = answers.binary
        if truth.shape[1] < 2:
            raise LinguacodusError(
                f"{answers.metric.name} ranks several labels a row", "Give one column a label."
            )
        counts = truth.sum(axis=1)
        if not counts.any():
            raise LinguacodusError(
                "no row has a true label to find", "Give at least one label in one row of truth."
            )
        kept = counts > 0
        weights = counts[kept] if weighted else None
        return float(
            sk.label_ranking_average_precision_score(truth[kept], scores[kept], sample_weight=weights)
        )

    return score


FUNCTIONS: dict[str, Callable[[Answers], float]] = {
    "map@k": _over_rows(_average_precision),
    "ndcg@k": _over_rows(_ndcg),
    "recall@k": _over_rows(_recall),
    "precision@k": _over_rows(_precision),
    "mrr@k": _over_rows(_reciprocal_rank),
    "accuracy@k": _over_rows(_hit),
    "error@k": _over_rows(_miss),
    "lwlrap": _label_ranking(weighted=True),
    "label ranking average precision": _label_ranking(weighted=False),
}
