"""Which metric a task is scored by: task.toml, else the description's words, else one clear question."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from linguacodus_core.errors import OpenQuestion, TaskError
from linguacodus_core.metrics.detect import Detected, detect
from linguacodus_core.metrics.scoring import FUNCTIONS
from linguacodus_core.metrics.table import METRICS, Direction, Metric, find, get
from linguacodus_core.taskfolder.problem import Target, accepts_numbers, scores_numbers
from linguacodus_core.taskfolder.settings_file import TaskSettings
from linguacodus_core.taskfolder.spec import Layout

_NEARLY = 0.35
"""Two metrics whose mentions weigh nearly the same are rivals: see metrics.detect."""
_EVIDENCE = 160
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n\s*[-*]\s")
_OF_SCORING = re.compile(r"evaluat|\bmetric|\bscored\b", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_OF_COLUMNS = ("cosine similarity", "lwlrap", "label ranking average precision", "crps")
"""Metrics that are not defined on a single column of predictions."""
_BETTER = {"max": "higher", "min": "lower"}


@dataclass(frozen=True)
class Choice:
    """The metric that scores the task, how it was found, its direction and how that was found.

    stands_in_for: the metric that was asked for, where no function computes it and `metric` stands in.
    """

    metric: Metric
    found: str
    direction: Direction
    how_direction: str
    stands_in_for: Metric | None = None
    warnings: tuple[str, ...] = ()


def choose_metric(
    description: str, settings: TaskSettings, targets: tuple[Target, ...], layout: Layout, *, fractions: bool
) -> Choice:
    """The metric of a task.

    fractions: whether the sample submission holds fractions between 0 and 1. Raises OpenQuestion
    with the lines to choose from when the description names no metric or several, or task.toml an
    unknown one, or one that cannot be computed and that nothing stands in for. A direction in task.toml
    that is not the metric's counts, with a warning; a stand-in keeps its own.
    """
    if settings.metric is not None:
        metric, found = _named(settings.metric, targets, layout, fractions), "task.toml"
    else:
        metric, found = _described(description, targets, layout, fractions)
    asked, metric = metric, _computable(metric, targets, layout, fractions)
    stands_in = metric is not asked
    if (shaped := _shaped(metric, targets, layout)) is not metric:
        found += f"; {shaped.name} because there are several columns" if settings.metric is None else ""
        metric = shaped
    _check_shape(metric, targets, layout)
    if stands_in:
        warning = (
            f"{asked.name} cannot be computed from predictions and answers alone: {metric.name} "
            f"({_BETTER[metric.direction]} is better) stands in for it, and every score is {metric.name}"
        )
        if settings.direction not in (None, metric.direction):
            warning += f"; the direction in task.toml ({settings.direction}) does not count"
        return Choice(
            metric,
            f"{found}; {metric.name} stands in for {asked.name}",
            metric.direction,
            f"metric table: {metric.name}, which stands in for {asked.name}",
            asked,
            (warning,),
        )
    if settings.direction is None:
        return Choice(metric, found, metric.direction, f"metric table: {metric.name}")
    warnings: tuple[str, ...] = ()
    if settings.direction != metric.direction:
        warnings = (
            f'task.toml says direction = "{settings.direction}", but {metric.name} is usually '
            f"better {_BETTER[metric.direction]}: task.toml counts",
        )
    return Choice(metric, found, settings.direction, "task.toml", warnings=warnings)


def _computable(metric: Metric, targets: tuple[Target, ...], layout: Layout, fractions: bool) -> Metric:
    """The metric, or the one that stands in for it where no function computes it."""
    if metric.base in FUNCTIONS:
        return metric
    if metric.stand_in is None:
        lines = _lines(_options(targets, layout, fractions))
        raise OpenQuestion(
            f"the metric {metric.name} cannot be computed from predictions and answers alone",
            f"which metric shall stand in for it? Add to task.toml one line such as {lines}",
        )
    return get(metric.stand_in)


def _named(raw: str, targets: tuple[Target, ...], layout: Layout, fractions: bool) -> Metric:
    if metric := find(raw):
        return metric
    examples = f"for example {_lines(_options(targets, layout, fractions))}"
    close = _closest(raw, targets, layout)
    raise OpenQuestion(
        f'task.toml: metric = "{raw}" is not a known metric',
        f"did you mean {_lines(close)}? Others are known, {examples}"
        if close
        else f"name one that is known, {examples}",
    )


def _closest(raw: str, targets: tuple[Target, ...], layout: Layout) -> list[str]:
    """Up to three metrics that fit such targets and are spelled nearly like `raw`, the closest first."""
    fitting = [metric for metric in METRICS.values() if _fits(metric, targets, layout)]
    pool = {text.lower(): metric.name for metric in fitting for text in (metric.name, *metric.aliases)}
    close = difflib.get_close_matches(raw.strip().lower(), pool, n=12, cutoff=0.6)
    return list(dict.fromkeys(pool[text] for text in close))[:3]


def _described(
    description: str, targets: tuple[Target, ...], layout: Layout, fractions: bool
) -> tuple[Metric, str]:
    detected = detect(description)
    if not detected:
        lines = _lines(_options(targets, layout, fractions))
        raise OpenQuestion(
            f"the description names no metric that is known{_unread(description)}",
            f"how are submissions scored? Add to task.toml one line such as {lines}",
        )
    fitting = [d for d in detected if _fits(d.metric, targets, layout)] or detected
    first, rivals = fitting[0], _rivals(fitting)
    if rivals:
        names = [d.metric.name for d in (first, *rivals)]
        quotes = "; ".join(f"'{_quote(d)}'" for d in (first, *rivals))
        raise OpenQuestion(
            f"the description names several metrics: {', '.join(names)} ({quotes})",
            f"which one counts? Add to task.toml: {_lines(names[:3])}",
        )
    return first.metric, f"description: '{_quote(first)}'"


def _unread(description: str) -> str:
    """The sentence that seems to say how submissions are scored, as an addition to an error."""
    lines = [line for line in _TAG.sub(" ", description).splitlines() if not line.lstrip().startswith("#")]
    for sentence in _SENTENCE_END.split("\n".join(lines)):
        if _OF_SCORING.search(sentence):
            return f"; it says '{_short(sentence)}'"
    return ""


def _rivals(fitting: Sequence[Detected]) -> list[Detected]:
    """The other metrics of about the same weight that are no mere generalisation of the first."""
    first = fitting[0]
    return [
        d
        for d in fitting[1:]
        if d.weight >= first.weight - _NEARLY
        and d.metric.base not in (first.metric.base, first.metric.refines)
        and d.metric.refines != first.metric.base
    ]


def _quote(detected: Detected) -> str:
    return _short(detected.evidence)


def _short(words: str) -> str:
    text = re.sub(r"\s+", " ", words).strip()
    return text if len(text) <= _EVIDENCE else text[: _EVIDENCE - 1] + "…"


def _fits(metric: Metric, targets: tuple[Target, ...], layout: Layout) -> bool:
    """Whether a metric can score such targets at all."""
    if metric.prediction == "mask":
        return False
    if scores_numbers(metric):
        return layout == "targets" and all(t.numeric for t in targets)
    if metric.base == "f1" and layout == "targets" and len(targets) == 1 and targets[0].values > 2:
        return False
    return all(not t.numeric or t.whole or t.share_like or accepts_numbers(metric) for t in targets)


def _shaped(metric: Metric, targets: tuple[Target, ...], layout: Layout) -> Metric:
    """The metric's own row for several columns, where the table has one (auc -> mean column auc)."""
    several = len(targets) > 1
    by_class = layout == "class_columns" or (len(targets) == 1 and targets[0].values > 2)
    name = {
        ("auc", True, False): "mean column auc",
        ("auc", True, True): "mean column auc",
        ("log loss", True, False): "mean columnwise log loss",
        ("rmse", True, False): "mcrmse",
        ("mae", True, False): "mcmae",
        ("rmsle", True, False): "mean columnwise rmsle",
        ("log loss", False, True): "multiclass log loss",
        ("auc", False, True): "mean column auc",
    }.get((metric.base, several, by_class))
    if metric.prediction == "value" and not several:
        name = None
    return (find(name) if name else None) or metric


def _check_shape(metric: Metric, targets: tuple[Target, ...], layout: Layout) -> None:
    if metric.prediction == "mask":
        raise TaskError(
            f"the metric {metric.name} scores masks or boxes, which Linguacodus does not write",
            "tasks of labels, probabilities and values can be solved",
        )
    if metric.base == "f-beta" and metric.parameter is None:
        raise OpenQuestion(
            "the metric f-beta needs its beta", f"which is it? Add to task.toml: {_lines(['f2', 'f0.5'])}"
        )
    if layout == "class_columns" or len(targets) > 1:
        return
    (target,) = targets
    if metric.base == "quantile loss" and metric.parameter is None:
        raise OpenQuestion(
            "the metric quantile loss needs its quantile",
            f"which is it? Add to task.toml: {_lines(['quantile loss 0.5', 'quantile loss 0.9'])}",
        )
    if metric.base in _OF_COLUMNS:
        raise OpenQuestion(
            f"the metric {metric.name} needs several columns of predictions, the sample submission has one",
            f"which metric counts? Add to task.toml: {_lines(_options(targets, layout, False))}",
        )
    if target.values <= 2 or (target.numeric and not target.whole):
        return
    if metric.base == "f1":
        raise OpenQuestion(
            f"F1 over the {target.values:,} classes of {target.name} can be averaged in several ways",
            f"which one counts? Add to task.toml: {_lines(['f1 macro', 'f1 weighted', 'f1 micro'])}",
        )
    if metric.base in ("mean column auc", "multiclass log loss"):
        raise TaskError(
            f"the metric {metric.name} needs a probability for each of the {target.values:,} classes "
            f"of {target.name}, but the sample submission has one column",
            "give the sample submission one column a class, or name another metric in task.toml",
        )


def _options(targets: tuple[Target, ...], layout: Layout, fractions: bool) -> list[str]:
    """Two or three metrics that fit such targets."""
    if layout == "class_columns":
        names = ["multiclass log loss", "mean column auc"]
    elif len(targets) > 1:
        classes = all(t.class_like and t.values == 2 for t in targets)
        names = ["mean column auc", "mean columnwise log loss"] if classes else ["mcrmse", "mcmae"]
    elif targets[0].values == 2:
        names = ["auc", "log loss", "brier"] if fractions else ["categorization accuracy", "f1", "auc"]
    elif not targets[0].numeric:
        names = ["categorization accuracy", "f1 macro"]
    elif targets[0].class_like:
        names = ["categorization accuracy", "quadratic weighted kappa", "rmse"]
    else:
        names = ["rmse", "mae", "r2"]
    return [n for n in names if find(n) is not None]


def _lines(names: Sequence[str]) -> str:
    return " or ".join(f'metric = "{name}"' for name in names)
