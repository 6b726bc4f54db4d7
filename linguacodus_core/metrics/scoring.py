"""Score predictions by any metric of the table, and compare two scores."""

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.answers import Answers, align
from linguacodus_core.metrics.functions import classification, masks, ranking, regression, strings
from linguacodus_core.metrics.table import Direction, Metric

FUNCTIONS: dict[str, Callable[[Answers], float]] = {
    **classification.FUNCTIONS,
    **regression.FUNCTIONS,
    **ranking.FUNCTIONS,
    **strings.FUNCTIONS,
    **masks.FUNCTIONS,
}
"""Metric.base -> the function that scores it."""


def score(metric: Metric, truth: pd.DataFrame, predicted: pd.DataFrame, classes: Sequence[str] = ()) -> float:
    """The metric's value, always finite.

    truth, predicted: same length and order, without the id column. One column a target; or truth one column
    of labels and predicted one column a class, named after it. classes: the task's labels in their order, the
    positive one last. Labels match whatever type they were read as. LinguacodusError says what is wrong when
    shapes do not fit, predictions are missing or infinite, or the metric is undefined on this truth.
    """
    function = FUNCTIONS.get(metric.base)
    if function is None:
        raise LinguacodusError(
            f"the metric {metric.name!r} is known but cannot be computed from truth and predictions alone",
            f'Set metric = "{metric.stand_in}" in task.toml to be scored by the nearest that can.',
        )
    answers = align(metric, truth, predicted, classes)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value = function(answers)
    if not math.isfinite(value):
        raise LinguacodusError(
            f"{metric.name} came out as {value} on {answers.rows} rows",
            "Look for extreme predictions, and for too few rows.",
        )
    return value


def better(a: float, b: float, direction: Direction) -> bool:
    """Whether score `a` is strictly better than `b`; NaN is worse than any number."""
    if math.isnan(a):
        return False
    if math.isnan(b):
        return True
    return a > b if direction == "max" else a < b
