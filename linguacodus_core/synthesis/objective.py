"""What a metric asks of a program: its score function, the kind of answer, the scale and loss to fit with."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from linguacodus_core.metrics.table import find
from linguacodus_core.taskfolder.rankings import ranking_by
from linguacodus_core.taskfolder.spec import TaskSpec

Answer = Literal["probability", "label", "value", "ranking"]


@dataclass(frozen=True)
class Objective:
    """`score`: a function of blocks/scores.py; `scale` and `loss`: what "auto" means in a plan.

    options: keyword arguments of `score`, as they stand in the program; constants: those they name.
    A quantile other than 0.5 is fitted by LightGBM ("quantile"); other families fit the median.
    """

    score: str
    answer: Answer
    greater: bool
    scale: Literal["none", "log1p"] = "none"
    loss: Literal["squared", "absolute", "quantile"] = "squared"
    options: str = ""
    constants: tuple[tuple[str, float], ...] = ()


_OF_CLASSES: tuple[tuple[str, Objective], ...] = (
    (r"log.?loss|cross.?entropy|likelihood", Objective("score_log_loss", "probability", False)),
    (r"brier", Objective("score_brier", "probability", False)),
    (
        r"average precision|\bpr.?auc|precision.?recall|auprc|\bmap\b",
        Objective("score_average_precision", "probability", True),
    ),
    (r"auc|roc|gini|c.?index", Objective("score_auc", "probability", True)),
    (r"linear.*kappa|kappa.*linear|lwk", Objective("score_linear_kappa", "label", True)),
    (r"quadratic|weighted kappa|qwk", Objective("score_quadratic_kappa", "label", True)),
    (r"kappa", Objective("score_kappa", "label", True)),
    (r"mcc|matthews", Objective("score_matthews", "label", True)),
    (r"balanced", Objective("score_balanced_accuracy", "label", True)),
    (r"hamming", Objective("score_hamming_loss", "label", False)),
    (r"error rate|misclass", Objective("score_error_rate", "label", False)),
    (r"f.?2\b|beta ?= ?2", Objective("score_f2", "label", True)),
    (r"f.?0\.?5|beta ?= ?0\.5", Objective("score_f05", "label", True)),
    (r"micro", Objective("score_f1_micro", "label", True)),
    (r"weighted.*f|f.*weighted", Objective("score_f1_weighted", "label", True)),
    (r"samples?.*f|f.*samples?|mean f|row", Objective("score_f1_samples", "label", True)),
    (r"macro", Objective("score_f1_macro", "label", True)),
    (r"f.?1|f.?score|f.?measure|dice|f.?beta", Objective("score_f1", "label", True)),
    (r"accuracy|exact match", Objective("score_accuracy", "label", True)),
)

_OF_RANKS = {
    "map@k": "score_reciprocal_rank",
    "mrr@k": "score_reciprocal_rank",
    "ndcg@k": "score_discounted_rank",
    "precision@k": "score_precision_at",
    "error@k": "score_miss_at",
}
"""Score functions of rankings, one right label a row; the others count whether it is there at all."""

_OF_VALUES: tuple[tuple[str, Objective], ...] = (
    (r"linear.*kappa|kappa.*linear|lwk", Objective("score_linear_kappa", "label", True)),
    (r"quadratic|kappa|qwk", Objective("score_quadratic_kappa", "label", True)),
    (r"rmse of (the )?log|log rmse|rmse.*log", Objective("score_rmse_of_log", "value", False, "log1p")),
    (r"msle|squared log|logarithmic", Objective("score_rmsle", "value", False, "log1p")),
    (r"smape|symmetric", Objective("score_smape", "value", False, "log1p", "absolute")),
    (r"rmspe|squared percentage", Objective("score_rmspe", "value", False, "log1p")),
    (r"mape|percentage", Objective("score_mape", "value", False, "log1p", "absolute")),
    (r"median", Objective("score_median_absolute", "value", False, "none", "absolute")),
    (r"quantile|pinball", Objective("score_pinball", "value", False, "none", "absolute")),
    (r"mae\b|absolute|crps|wmae", Objective("score_mae", "value", False, "none", "absolute")),
    (r"spearman|rank corr", Objective("score_spearman", "value", True)),
    (r"pearson|correlation", Objective("score_pearson", "value", True)),
    (r"gini", Objective("score_gini", "value", True)),
    (r"rmse|root", Objective("score_rmse", "value", False)),
    (r"mse|squared error", Objective("score_mse", "value", False)),
    (r"r2|r.?squared|r\^2|determination", Objective("score_r2", "value", True)),
    (r"log.?loss", Objective("score_mse", "value", False)),
)


def is_ordinal(spec: TaskSpec) -> bool:
    """Whether the classes are grades: whole numbers scored by a weighted kappa, or said to be ordinal."""
    graded = all(re.fullmatch(r"-?\d+(\.0+)?", name) for name in spec.classes) and len(spec.classes) > 2
    quadratic = re.search(r"quadratic|qwk|weighted kappa", f"{spec.metric} {spec.metric_category}".lower())
    if len(spec.targets) > 1 or spec.layout == "class_columns" or spec.prediction == "probability":
        return False
    return graded and (spec.problem == "ordinal" or (quadratic is not None and spec.problem == "multiclass"))


def problem_of(spec: TaskSpec) -> Literal["binary", "multiclass", "multilabel", "regression"]:
    """How a program treats the task: ordinal tasks are regressions with cut points."""
    if is_ordinal(spec):
        return "regression"
    if spec.problem == "ordinal":
        return "multiclass" if spec.classes else "regression"
    if spec.problem in ("binary", "multiclass"):
        if len(spec.targets) > 1:
            return "multilabel"
        return "multiclass" if len(spec.classes) > 2 or spec.layout == "class_columns" else spec.problem
    return "multilabel" if spec.problem == "multilabel" else "regression"


def class_sizes(spec: TaskSpec) -> tuple[int, ...]:
    """How many classes each of several targets has, when one has more than two; else ()."""
    sizes = tuple(len(labels) for labels in spec.target_classes)
    return sizes if problem_of(spec) == "multilabel" and any(size > 2 for size in sizes) else ()


def objective_of(spec: TaskSpec) -> Objective:
    """The metric's needs by its name, then its category; by the problem when neither is known."""
    values = problem_of(spec) == "regression"
    if not values and (ranking := ranking_by(spec.metric)):
        score = _OF_RANKS.get(ranking.base, "score_hit_at")
        found = Objective(score, "ranking", ranking.base != "error@k", options="top=TOP")
        return replace(found, constants=(("TOP", ranking.places),))
    table = _OF_VALUES if values else _OF_CLASSES
    for words in (spec.metric.lower().replace("_", " "), spec.metric_category.lower()):
        for pattern, objective in table:
            if re.search(pattern, words):
                return _as_predicted(objective, spec, values)
    if values:
        return Objective("score_rmse", "value", False)
    default = Objective("score_accuracy", "label", True)
    if spec.prediction == "probability":
        default = Objective("score_log_loss", "probability", False)
    return _as_predicted(default, spec, values)


def _as_predicted(objective: Objective, spec: TaskSpec, values: bool) -> Objective:
    """The objective, made to fit what the submission holds when the metric's name says otherwise."""
    if is_ordinal(spec):
        linear = objective.score == "score_linear_kappa"
        return objective if linear else Objective("score_quadratic_kappa", "label", True)
    if objective.score == "score_pinball":
        metric = find(spec.metric)
        level = metric.parameter if metric and metric.parameter is not None else 0.5
        loss: Literal["absolute", "quantile"] = "quantile" if 0 < level < 1 and level != 0.5 else "absolute"
        return replace(objective, loss=loss, options="level=QUANTILE", constants=(("QUANTILE", level),))
    if values and objective.answer == "label":
        return Objective("score_rmse", "value", False)
    if not values and spec.prediction == "probability" and objective.answer == "label":
        return Objective("score_log_loss", "probability", False)
    if not values and spec.prediction == "label" and objective.answer == "probability":
        return Objective("score_accuracy", "label", True)
    return objective
