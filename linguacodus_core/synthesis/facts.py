"""What plans need to know of a task's columns, from its profile."""

from dataclasses import dataclass
from typing import Literal

from linguacodus_core.taskfolder.profile import ColumnProfile, DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec

FactKind = Literal["number", "category", "key", "date"]


@dataclass(frozen=True)
class ColumnFacts:
    """One column that a program can use; most informative first.

    kind: "number", "category" (few values), "key" (text with many values, such as names and
    tickets) or "date". `negative` is known for numbers only.
    """

    name: str
    kind: FactKind
    unique: int
    missing: bool
    negative: bool
    target: bool
    skew: float
    relation: float
    words: int


def column_facts(spec: TaskSpec, profile: DataProfile) -> tuple[ColumnFacts, ...]:
    """The targets and the features of both tables, less natural-language texts and image names."""
    skip = {*spec.text_columns, spec.image_column}
    found = []
    for column in profile.columns:
        target = column.name in spec.targets
        date_id = column.name == spec.id_column and column.kind == "date"
        if column.name in skip or column.kind in ("constant", "image file"):
            continue
        if not target and column.role != "feature" and not date_id:
            continue
        found.append(_facts(column, target))
    return tuple(found)


def _facts(column: ColumnProfile, target: bool) -> ColumnFacts:
    number = isinstance(column.minimum, int | float) and column.kind != "date"
    kind: FactKind = "category"
    if column.kind == "date":
        kind = "date"
    elif number or column.kind in ("numeric", "integer", "boolean"):
        kind = "number"
    elif column.kind in ("id-like", "text") or column.unique > 200:
        kind = "key"
    negative = isinstance(column.minimum, int | float) and column.minimum < 0
    return ColumnFacts(
        name=column.name,
        kind=kind,
        unique=column.unique,
        missing=column.missing > 0 or bool(column.missing_in_test),
        negative=negative,
        target=target,
        skew=column.skew or 0.0,
        relation=column.relation or 0.0,
        words=column.words or 0,
    )
