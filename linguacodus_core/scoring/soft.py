"""soft.csv: predictions before they were made into labels (synthesis.candidate says what it holds)."""

from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.alignment import order_of
from linguacodus_core.scoring.combine import decide
from linguacodus_core.scoring.labels import numbers, spell
from linguacodus_core.scoring.rawcsv import parse_untrusted, room_for
from linguacodus_core.taskfolder.rankings import ranking_of
from linguacodus_core.taskfolder.spec import TaskSpec

AGREE = 0.98
"""Soft predictions must give the submission's own labels for this share of the rows."""


def decision(soft_columns: list[str], spec: TaskSpec) -> str | None:
    """How soft columns become labels: "largest", "top 3", "round" or "threshold"; None when they cannot."""
    columns = target_columns(spec)
    if len(spec.classes) > 1 and set(soft_columns) == set(spec.classes) and len(columns) == 1:
        ranking = ranking_of(spec)
        return "largest" if ranking is None else f"top {ranking.places}"
    if set(soft_columns) != set(columns):
        return None
    if spec.problem == "ordinal":
        return "round" if numbers(pd.Series(list(spec.classes), dtype=object)).notna().all() else None
    if spec.problem == "binary" or (spec.problem == "multilabel" and _same_two_classes(spec)):
        return "threshold"
    return None


def target_columns(spec: TaskSpec) -> list[str]:
    """The submission's columns without the id."""
    return [name for name in spec.submission_columns if name != spec.id_column]


def two_classes(spec: TaskSpec) -> list[str]:
    """The task's classes, or those that all of its targets have; 0 and 1 where none are named."""
    return list(spec.classes) or list(spec.target_classes[0] if spec.target_classes else ("0", "1"))


def _same_two_classes(spec: TaskSpec) -> bool:
    """Whether every target has the same two labels, so that one threshold serves them all."""
    found = set(spec.target_classes)
    return len(found) < 2 and all(len(labels) == 2 for labels in found)


def read_soft(
    path: Path, spec: TaskSpec, sample: pd.DataFrame, submission: pd.DataFrame
) -> pd.DataFrame | None:
    """The soft predictions in the rows of a validated submission, floats; None when they are of no use.

    Of use are: label tasks, the sample's ids, finite numbers, one column a target or one a class,
    and the submission's own labels when decided.
    """
    if spec.prediction != "label":
        return None
    try:
        width = len(spec.classes) + sample.shape[1]
        frame = parse_untrusted(path, room_for(sample, width * len(sample)), width + 1_000)
    except (OSError, UnicodeDecodeError, TaskError):
        return None
    name = spec.id_column
    if name is not None and name in sample:
        order = order_of(sample[name], frame[name]) if name in frame and len(frame) == len(sample) else None
        if order is None:
            return None
        frame = frame.iloc[order].drop(columns=name).reset_index(drop=True)
    if len(frame) != len(submission) or not frame.columns.is_unique:
        return None
    by_spelling = dict(zip(spell(pd.Series(list(spec.classes), dtype=object)), spec.classes, strict=True))
    if set(frame.columns) != set(target_columns(spec)):
        frame.columns = [by_spelling.get(key, key) for key in spell(pd.Series(frame.columns, dtype=object))]
    kind = decision(list(frame.columns), spec)
    if kind is None:
        return None
    frame = frame.apply(numbers)
    if not np.isfinite(frame.to_numpy()).all():
        return None
    columns = target_columns(spec)
    labels = decide(frame, columns, two_classes(spec), kind)
    same = (labels[columns].to_numpy() == submission[columns].to_numpy()).mean() if len(frame) else 1.0
    return frame if same >= AGREE else None
