"""What is to be predicted: the kind of problem and of prediction, from the metric and the targets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from linguacodus_core.errors import TaskError
from linguacodus_core.metrics.table import Metric
from linguacodus_core.taskfolder.columns import as_text
from linguacodus_core.taskfolder.spec import Layout, Prediction, Problem

_FEW = 50
"""A whole-numbered target with more values than this is not taken for classes without need."""


@dataclass(frozen=True)
class Target:
    """What the values of one target look like."""

    name: str
    values: int
    numeric: bool
    whole: bool
    share_like: bool
    missing: int

    @property
    def class_like(self) -> bool:
        """Whether it could be classes: text, yes/no, or few whole numbers."""
        return not self.numeric or self.values == 2 or (self.whole and self.values <= _FEW)


def look_at_target(values: pd.Series) -> Target:
    """The facts about one target. Raises TaskError for one that is empty or constant."""
    name, present = str(values.name), values.dropna()
    if present.empty:
        raise TaskError(
            f"the target {name} has no value in train", "fill it, or name another one as targets in task.toml"
        )
    distinct = int(present.nunique())
    if distinct == 1:
        raise TaskError(
            f"the target {name} is constant in train: always {present.iloc[0]}",
            "there is nothing to learn; check the file, or name another target in task.toml",
        )
    numeric = bool(is_numeric_dtype(values)) and not is_bool_dtype(values)
    whole = numeric and bool(np.isfinite(present.astype(float)).all()) and bool((present % 1 == 0).all())
    if numeric and not bool(np.isfinite(present.astype(float)).all()):
        raise TaskError(
            f"the target {name} holds infinite values", "replace them by numbers, or drop those rows"
        )
    if not numeric and distinct > 20 and distinct > 0.5 * len(present):
        raise TaskError(
            f"the target {name} holds {distinct:,} texts in {len(present):,} rows: no classes to learn",
            "if it should be a number, mend the values that are none; free text cannot be predicted",
        )
    share_like = numeric and bool(present.between(0, 1).all())
    return Target(name, distinct, numeric, whole, share_like, len(values) - len(present))


def find_problem(
    metric: Metric, targets: tuple[Target, ...], layout: Layout, given: Problem | None = None
) -> tuple[Problem, str]:
    """The kind of problem, and why. Raises TaskError when the metric cannot score such targets."""
    if given is not None:
        return given, "task.toml"
    if layout == "class_columns":
        return "multiclass", f"one column for each of the {targets[0].values} classes of {targets[0].name}"
    if scores_numbers(metric):
        if text := [t for t in targets if not t.numeric]:
            raise TaskError(
                f"the metric {metric.name} needs numbers, but the target {text[0].name} holds text",
                'correct the target, or add to task.toml a metric for classes: metric = "accuracy"',
            )
        kind: Problem = "regression" if len(targets) == 1 else "multiregression"
        return kind, f"{_count(targets)}, scored by {metric.name}"
    if odd := [t for t in targets if t.numeric and not t.whole and t.values > _FEW]:
        if accepts_numbers(metric) or all(t.share_like for t in odd):
            kind = "regression" if len(targets) == 1 else "multiregression"
            return kind, f"{_count(targets)}, {odd[0].name} has {odd[0].values:,} values"
        raise TaskError(
            f"the metric {metric.name} needs classes, but the target {odd[0].name} "
            f"has {odd[0].values:,} different numbers",
            'correct the target, or add to task.toml a metric for numbers: metric = "rmse"',
        )
    if len(targets) > 1:
        return "multilabel", f"{len(targets)} targets of classes"
    (target,) = targets
    if "round" in metric.needs and target.whole and target.values > 2:
        return "ordinal", f"{target.name} has {target.values} whole-numbered grades, scored by {metric.name}"
    kind = "binary" if target.values == 2 else "multiclass"
    return kind, f"{target.name} has {target.values:,} values, scored by {metric.name}"


def find_prediction(
    metric: Metric, problem: Problem, sample: pd.DataFrame, given: Prediction | None = None
) -> tuple[Prediction, str, str]:
    """What the submission holds, why, and a warning ("" when all agrees).

    `sample`: the sample submission's columns of predictions.
    """
    fractions = holds_fractions(sample)
    if given is not None:
        return given, "task.toml", ""
    if problem in ("regression", "multiregression") and (accepts_numbers(metric) or scores_numbers(metric)):
        return "value", f"numbers, scored by {metric.name}", ""
    if metric.prediction == "probability":
        return "probability", f"{metric.name} ranks or weighs probabilities", ""
    if metric.prediction == "label":
        odd = "the sample submission holds fractions, but the metric compares labels" if fractions else ""
        return "label", f"{metric.name} compares labels", odd
    if fractions:
        return "probability", "sample submission: fractions between 0 and 1", ""
    return "label", "sample submission: labels", ""


def scores_numbers(metric: Metric) -> bool:
    """Whether the metric measures the distance between numbers."""
    return metric.prediction == "value"


def accepts_numbers(metric: Metric) -> bool:
    """Whether a metric of probabilities also makes sense for a continuous target (Gini, CRPS)."""
    return metric.base in ("gini", "crps")


def holds_fractions(sample: pd.DataFrame) -> bool:
    """Whether a sample submission's columns of predictions hold fractions between 0 and 1."""
    numbers = [
        sample[c].dropna() for c in sample if is_numeric_dtype(sample[c]) and not is_bool_dtype(sample[c])
    ]
    return bool(numbers) and any(
        bool(n.between(0, 1).all()) and bool((n.astype(float) % 1 != 0).any()) for n in numbers if len(n)
    )


def _count(targets: tuple[Target, ...]) -> str:
    return f"numbers in {targets[0].name}" if len(targets) == 1 else f"numbers in {len(targets)} targets"


def target_classes_of(
    problem: Problem, prediction: Prediction, targets: tuple[Target, ...], train: pd.DataFrame
) -> tuple[tuple[str, ...], ...]:
    """The classes of each of several targets, () where these are no labels (shares, counts, one target).

    Raises TaskError for probabilities of a target that holds more than two labels.
    """
    if problem != "multilabel" or len(targets) < 2:
        return ()
    if prediction != "label":
        if text := [t for t in targets if not t.numeric and t.values > 2]:
            raise TaskError(
                f"one probability is asked for {text[0].name}, which has {text[0].values:,} labels",
                "give it one column for each label, or name a metric of labels in task.toml",
            )
        if any(t.values > 2 or (t.numeric and not t.whole) for t in targets):
            return ()
    return tuple(classes_of(train[t.name]) for t in targets)


def classes_of(values: pd.Series) -> tuple[str, ...]:
    """The classes of a target as text, whole numbers without a point; numbers in their order."""
    present = values.dropna()
    distinct = (
        pd.Series(sorted(present.unique())) if is_numeric_dtype(values) else pd.Series(present.unique())
    )
    written = as_text(distinct.astype(present.dtype)).astype(str).tolist()
    return tuple(written if is_numeric_dtype(values) else sorted(written))
