"""Scores of run-length-encoded masks, as Kaggle writes them: "start length start length", starts from 1."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers

_EMPTY = {"", "-1", "nan", "1 0"}


def runs(text: str) -> list[tuple[int, int]]:
    """The runs [start, end) of a mask, sorted; none for an empty mask; ValueError says what is wrong."""
    if text.strip() in _EMPTY:
        return []
    words = text.split()
    if len(words) % 2:
        raise ValueError(f"has {len(words)} numbers, not pairs of start and length")
    try:
        numbers = [int(float(word)) for word in words]
    except (ValueError, OverflowError):
        raise ValueError("holds something that is not a whole number") from None
    found = sorted((start, start + length) for start, length in zip(numbers[::2], numbers[1::2], strict=True))
    if any(start < 0 or end <= start for start, end in found):
        raise ValueError("has a negative start or a length below 1")
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise ValueError("has overlapping runs")
    return found


def _shared(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> int:
    """The pixels that two masks share; linear in the number of runs."""
    total = at = other = 0
    while at < len(a) and other < len(b):
        total += max(0, min(a[at][1], b[other][1]) - max(a[at][0], b[other][0]))
        if a[at][1] <= b[other][1]:
            at += 1
        else:
            other += 1
    return total


def _size(mask: list[tuple[int, int]]) -> int:
    return sum(end - start for start, end in mask)


def _dice(known: list[tuple[int, int]], given: list[tuple[int, int]]) -> float:
    total = _size(known) + _size(given)
    return 2 * _shared(known, given) / total if total else 1.0


def _iou(known: list[tuple[int, int]], given: list[tuple[int, int]]) -> float:
    shared = _shared(known, given)
    union = _size(known) + _size(given) - shared
    return shared / union if union else 1.0


def _over_masks(
    function: Callable[[list[tuple[int, int]], list[tuple[int, int]]], float],
) -> Callable[[Answers], float]:
    """The mean over masks; two empty masks agree."""

    def mean(answers: Answers) -> float:
        truth, predicted = answers.texts()
        found = []
        for known, given in zip(truth, predicted, strict=True):
            for row, (a, b) in enumerate(zip(known, given, strict=True), start=1):
                found.append(function(_read(a, row, "truth"), _read(b, row, "predictions")))
        return float(np.mean(found))

    return mean


def _read(text: str, row: int, whose: str) -> list[tuple[int, int]]:
    try:
        return runs(text)
    except ValueError as problem:
        raise LinguacodusError(
            f"the mask in row {row} of the {whose} {problem}: {text[:40]!r}",
            'Write a mask as "start length start length", starts from 1; empty for no mask.',
        ) from None


FUNCTIONS: dict[str, Callable[[Answers], float]] = {"dice": _over_masks(_dice), "iou": _over_masks(_iou)}
