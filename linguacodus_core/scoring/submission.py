"""Is a submission what the sample submission asks for? If not, what is wrong with it, in words."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.errors import LinguacodusError, SubmissionInvalid, TaskError
from linguacodus_core.metrics.table import get
from linguacodus_core.scoring.alignment import id_spellings, order_of
from linguacodus_core.scoring.labels import numbers, to_classes
from linguacodus_core.scoring.rawcsv import is_missing, parse_untrusted, room_for
from linguacodus_core.taskfolder.rankings import ranking_of
from linguacodus_core.taskfolder.spec import TaskSpec

TOLERANCE = 1e-6
"""Probabilities may leave [0, 1] by so much (they are clipped)."""

SUM_TOLERANCE = 0.02
"""Class probabilities of a row may miss a sum of 1 by so much, unless the metric rescales them."""


def validate(submission: Path | pd.DataFrame, spec: TaskSpec, sample: pd.DataFrame) -> pd.DataFrame:
    """The submission in the sample's columns and rows, its ids spelled as the sample's.

    Values and probabilities come back as floats, labels in the spelling of the task's classes.
    Raises SubmissionInvalid, with counts and examples, for what Kaggle would refuse: other columns,
    rows or ids, duplicates, missing or infinite values, probabilities out of [0, 1] or whose classes
    do not sum to 1, unknown labels. Writes nothing.
    """
    frame = read_submission(submission, sample) if isinstance(submission, Path) else submission.copy()
    frame.columns = [str(name).strip() for name in frame.columns]
    wanted = [str(name) for name in sample.columns]
    _check_columns(list(frame.columns), wanted)
    frame = _in_order(frame[wanted], spec, sample)
    columns = [name for name in wanted if name != spec.id_column]
    rows = (
        sample[spec.id_column].astype(str)
        if spec.id_column in wanted
        else pd.Series(range(len(frame))).astype(str)
    )
    for name in columns:
        values = frame[name]
        missing = is_missing(values) & ~values.astype(str).isin(list(spec.labels_of(name)))
        if missing.any():
            raise _invalid(
                f"{_count(missing)} of column {name!r} are missing{_where(missing, rows)}", "fill them"
            )
        frame[name] = (
            _labels(values, name, spec, rows)
            if spec.prediction == "label"
            else _numbers(values, name, spec, rows)
        )
    if spec.prediction == "probability" and spec.layout == "class_columns":
        frame[columns] = _sum_to_one(frame[columns], spec, rows)
    return frame


def read_submission(path: Path, sample: pd.DataFrame) -> pd.DataFrame:
    """A submission file as raw strings.

    Raises SubmissionInvalid when it is missing, no CSV, or far larger than the sample asks for.
    """
    try:
        return parse_untrusted(path, room_for(sample), 10 * sample.shape[1] + 1_000)
    except FileNotFoundError as error:
        raise _invalid(
            f"{path.name} was not written", f"write ./{path.name}, in the working directory"
        ) from error
    except UnicodeDecodeError as error:
        raise _invalid(
            f"{path.name} is no UTF-8 text", "write it with DataFrame.to_csv(index=False)"
        ) from error
    except OSError as error:
        raise _invalid(f"{path.name} cannot be read: {error}", "write one plain CSV file") from error
    except TaskError as error:
        raise _invalid(error.problem, "write it with DataFrame.to_csv(index=False)") from error


def _invalid(problem: str, remedy: str) -> SubmissionInvalid:
    return SubmissionInvalid(
        problem if problem.startswith("submission") else f"submission: {problem}", remedy
    )


def _few(items: Sequence[object], most: int = 3) -> str:
    shown = ", ".join(repr(str(item)) for item in items[:most])
    return shown + (f" and {len(items) - most:,} more" if len(items) > most else "")


def _count(bad: pd.Series) -> str:
    return f"{int(bad.sum()):,} of {len(bad):,} values"


def _where(bad: pd.Series, rows: pd.Series) -> str:
    return f", e.g. in row {_few(rows[bad.to_numpy()].head(3).tolist())}"


def _check_columns(found: list[str], wanted: list[str]) -> None:
    if len(set(found)) < len(found):
        twice = sorted({name for name in found if found.count(name) > 1})
        raise _invalid(f"column {_few(twice)} occurs twice", "keep one of them")
    absent = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if not absent and not extra:
        return
    words = [f"no column {_few(absent)}"] if absent else []
    if extra:
        words.append(f"the sample submission has no column {_few(extra)}")
    index = any(name.startswith("Unnamed:") or name == "" for name in extra)
    remedy = (
        "write it with index=False" if index else f"the columns must be {', '.join(map(repr, wanted[:20]))}"
    )
    raise _invalid("; ".join(words), remedy)


def _in_order(frame: pd.DataFrame, spec: TaskSpec, sample: pd.DataFrame) -> pd.DataFrame:
    """The rows in the sample's order, under the sample's ids."""
    name = spec.id_column
    if name is None or name not in sample:
        if len(frame) != len(sample):
            raise _invalid(
                f"{len(frame):,} rows, {len(sample):,} are expected", "predict every row of the test"
            )
        return frame.reset_index(drop=True)
    order = order_of(sample[name], frame[name]) if len(frame) == len(sample) else None
    if order is None:
        raise _wrong_ids(name, sample[name], frame[name])
    ordered = frame.iloc[order].reset_index(drop=True)
    ordered[name] = sample[name].astype(str).to_numpy()
    return ordered


def _wrong_ids(name: str, wanted: pd.Series, found: pd.Series) -> SubmissionInvalid:
    ours, theirs = id_spellings(wanted), id_spellings(found)
    kind = [item for item in ours if item in theirs][-1]
    left, right = ours[kind], theirs[kind]
    words = []
    if len(wanted) != len(found):
        words.append(f"{len(found):,} rows, {len(wanted):,} are expected")
    if (twice := right.duplicated()).any():
        again = _few(list(found[twice.to_numpy()].unique()))
        words.append(f"{int(twice.sum()):,} duplicate values of {name!r}: {again}")
    if (absent := ~left.isin(set(right))).any():
        words.append(
            f"{int(absent.sum()):,} values of {name!r} are missing: {_few(list(wanted[absent.to_numpy()]))}"
        )
    if (other := ~right.isin(set(left))).any():
        words.append(
            f"{int(other.sum()):,} values of {name!r} are not known: {_few(list(found[other.to_numpy()]))}"
        )
    if not words:
        words.append(f"the values of {name!r} are not unique in the sample submission")
    return _invalid("; ".join(words), f"take {name!r} from the sample submission, one row each")


def _labels(values: pd.Series, name: str, spec: TaskSpec, rows: pd.Series) -> pd.Series:
    known = spec.labels_of(name)
    if (ranking := ranking_of(spec)) is not None and known:
        return _rankings(values, name, known, ranking.most, rows)
    labels = to_classes(values, known)
    unknown = labels.isna()
    if unknown.any():
        bad = list(values[unknown].astype(str).unique())
        raise _invalid(
            f"{_count(unknown)} of column {name!r} are unknown labels: {_few(bad)}",
            f"use the labels {_few(known, 20)}",
        )
    return labels


def _rankings(
    values: pd.Series, name: str, known: tuple[str, ...], most: int | None, rows: pd.Series
) -> pd.Series:
    """Cells of several labels, best first, in the classes' spelling, one blank between them."""
    words = values.astype(str).str.split()
    if most is not None and (long := words.map(len) > most).any():
        raise _invalid(
            f"{_count(long)} of column {name!r} hold more than {most} labels{_where(long, rows)}",
            f"write the best {most} labels, separated by blanks",
        )
    flat = words.explode()
    labels = to_classes(flat, known)
    if (unknown := labels.isna()).any():
        bad = list(flat[unknown].astype(str).unique())
        raise _invalid(
            f"{int(unknown.sum()):,} labels of column {name!r} are unknown: {_few(bad)}",
            f"use the labels {_few(known, 20)}",
        )
    cells = labels.groupby(level=0, sort=False)
    if (twice := (cells.nunique() < cells.size()).reindex(values.index)).any():
        raise _invalid(
            f"{_count(twice)} of column {name!r} repeat a label{_where(twice, rows)}",
            "write each label once",
        )
    return cells.agg(" ".join).reindex(values.index)


def _numbers(values: pd.Series, name: str, spec: TaskSpec, rows: pd.Series) -> pd.Series:
    found = numbers(values.map({True: 1.0, False: 0.0}) if values.dtype == bool else values)
    wrong = found.isna()
    if wrong.any():
        bad = _few(list(values[wrong].astype(str).unique()))
        raise _invalid(f"{_count(wrong)} of column {name!r} are no numbers: {bad}", "write numbers")
    infinite = pd.Series(np.isinf(found.to_numpy()), index=found.index)
    if infinite.any():
        raise _invalid(
            f"{_count(infinite)} of column {name!r} are infinite{_where(infinite, rows)}", "clip them"
        )
    if spec.prediction != "probability":
        return found
    outside = (found < -TOLERANCE) | (found > 1 + TOLERANCE)
    if outside.any():
        raise _invalid(
            f"{_count(outside)} of column {name!r} are no probabilities: they lie between "
            f"{found.min():.4g} and {found.max():.4g}",
            "write probabilities between 0 and 1",
        )
    return found.clip(0.0, 1.0)


def rescales(spec: TaskSpec) -> bool:
    """Whether the task's metric divides class probabilities by their sum itself."""
    try:
        return "normalise" in get(spec.metric).needs
    except LinguacodusError:
        return False


def _sum_to_one(chances: pd.DataFrame, spec: TaskSpec, rows: pd.Series) -> pd.DataFrame:
    total = chances.sum(axis=1)
    wrong = (total <= 0) if rescales(spec) else ((total - 1).abs() > SUM_TOLERANCE)
    if wrong.any():
        raise _invalid(
            f"the class probabilities of {int(wrong.sum()):,} of {len(total):,} rows do not sum to 1 "
            f"(from {total.min():.4g} to {total.max():.4g}){_where(wrong, rows)}",
            "divide each row by its sum",
        )
    return chances.div(total, axis=0) if rescales(spec) else chances
