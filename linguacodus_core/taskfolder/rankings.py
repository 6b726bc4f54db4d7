"""Tasks whose cells hold several labels, best first: how many, and what single labels there are."""

from collections.abc import Iterable
from dataclasses import dataclass

from linguacodus_core.metrics.table import find
from linguacodus_core.taskfolder.spec import TaskSpec

_PLACES = 10
"""How many labels to write where the metric sets no cut-off."""


@dataclass(frozen=True)
class Ranking:
    """Labels of one cell, separated by blanks. most: the metric's cut-off; None where it has none."""

    base: str
    most: int | None

    @property
    def places(self) -> int:
        """How many labels a program writes."""
        if self.most is not None:
            return self.most
        return 1 if self.base in ("precision@k", "accuracy@k", "error@k") else _PLACES


def ranking_of(spec: TaskSpec) -> Ranking | None:
    """The ranking that a cell of the submission holds; None when cells hold one answer."""
    if spec.prediction != "label" or spec.layout != "targets" or len(spec.targets) > 1:
        return None
    return ranking_by(spec.metric)


def ranking_by(name: str) -> Ranking | None:
    """The ranking that a metric compares; None when it compares something else or is not known."""
    metric = find(name)
    if metric is None or "top k" not in metric.needs:
        return None
    most = None if metric.parameter is None else max(1, int(metric.parameter))
    return Ranking(metric.base, most)


def single_labels(cells: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels of cells, numbers in their order before words in theirs."""
    words = {word for cell in cells for word in cell.split()}
    return tuple(sorted(words, key=lambda word: (0, int(word), "") if word.isdecimal() else (1, 0, word)))
