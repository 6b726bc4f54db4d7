"""Scores of text: edit distances, error rates, Jaccard overlap of words."""

from collections.abc import Callable, Sequence

import numpy as np

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions from `a` to `b`.

    Bit-parallel (Myers 1999, Hyyrö 2003): one whole number holds a column of the table.
    """
    if not a or not b:
        return len(a) + len(b)
    where: dict[str, int] = {}
    for at, symbol in enumerate(a):
        where[symbol] = where.get(symbol, 0) | (1 << at)
    full, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    up, down, distance = full, 0, len(a)
    for symbol in b:
        match = where.get(symbol, 0)
        carry = (((match & up) + up) ^ up) | match | down
        more, less = down | (full & ~(carry | up)), up & carry
        distance += bool(more & last) - bool(less & last)
        more, less = ((more << 1) | 1) & full, (less << 1) & full
        up, down = less | (full & ~((match | down) | more)), more & (match | down)
    return distance


def _pairs(answers: Answers) -> list[tuple[str, str]]:
    truth, predicted = answers.texts()
    return [
        pair for known, given in zip(truth, predicted, strict=True) for pair in zip(known, given, strict=True)
    ]


def _levenshtein(answers: Answers) -> float:
    """The mean edit distance in characters."""
    return float(np.mean([edit_distance(known, given) for known, given in _pairs(answers)]))


def _normalized_levenshtein(answers: Answers) -> float:
    """The mean edit distance over the longer text's length; 0 for two empty texts."""
    return float(
        np.mean(
            [edit_distance(known, given) / max(len(known), len(given), 1) for known, given in _pairs(answers)]
        )
    )


def _rate(split: Callable[[str], Sequence[str]]) -> Callable[[Answers], float]:
    """All edits over the length of all true texts."""

    def rate(answers: Answers) -> float:
        pairs = [(split(known), split(given)) for known, given in _pairs(answers)]
        length = sum(len(known) for known, _ in pairs)
        if length == 0:
            raise LinguacodusError(
                f"{answers.metric.name} is undefined: every true text is empty", "Use levenshtein."
            )
        return sum(edit_distance(known, given) for known, given in pairs) / length

    return rate


def _jaccard(answers: Answers) -> float:
    """The mean over cells of shared words over all words, lower case; two empty texts agree."""
    found = []
    for known, given in _pairs(answers):
        a, b = set(known.lower().split()), set(given.lower().split())
        found.append(len(a & b) / len(a | b) if a or b else 1.0)
    return float(np.mean(found))


FUNCTIONS: dict[str, Callable[[Answers], float]] = {
    "levenshtein": _levenshtein,
    "normalized levenshtein": _normalized_levenshtein,
    "word error rate": _rate(str.split),
    "character error rate": _rate(lambda text: text),
    "jaccard": _jaccard,
}
