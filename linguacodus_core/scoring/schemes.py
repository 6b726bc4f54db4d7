"""Which rows of train a hold-out takes: the scheme that the task's own test set asks for.

Everything here is drawn from numpy's RandomState, whose stream is frozen: the same rows on every machine.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.rawcsv import is_missing
from linguacodus_core.taskfolder.spec import TaskSpec

Scheme = Literal["stratified", "multilabel", "group", "time", "random"]
Rows = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]

SHARE = 0.2
"""The share of train that one hold-out takes."""

MOST_ROWS = 20_000
"""A hold-out is not larger, except by time, where its length is the test's horizon."""

ENOUGH_ROWS = 1_000
"""So many rows are scored in all, over as many hold-outs as that takes, at most five."""


@dataclass(frozen=True)
class Assignment:
    """Row numbers of each hold-out and of the train part that goes with it.

    ordered: the file's order matters (time) and is kept; else the parts are to be shuffled.
    """

    scheme: Scheme
    why: str
    parts: tuple[tuple[Rows, Rows], ...]
    ordered: bool = False


def hold_outs(rows: int) -> int:
    """How many disjoint hold-outs a train set of so many rows gets: 1 to 5."""
    return min(5, max(1, math.ceil(ENOUGH_ROWS / (SHARE * rows)))) if rows else 1


def assign(
    spec: TaskSpec, train: pd.DataFrame, test: pd.DataFrame, ids: pd.Series | None, seed: int
) -> Assignment:
    """Choose the scheme and draw the rows.

    train, test: raw strings. ids: train's ids where they identify rows, else None; rows that share
    an id stay together. Only rows with an answer are held out. With a single such row, it is train
    and hold-out at once. Raises TaskError when no row has an answer.
    """
    random = np.random.RandomState(seed % 2**32)
    answered = ~np.column_stack([_unanswered(train[target], spec) for target in spec.targets]).any(axis=1)
    rows = np.flatnonzero(answered)
    if not len(rows):
        raise TaskError(
            f"no row of {spec.train_file} has an answer in {', '.join(spec.targets)}",
            "fill the target columns, or name other targets in task.toml",
        )
    everything = np.arange(len(train))
    if len(rows) == 1:
        return Assignment(
            "random",
            "only one row has an answer: it is used for training and for scoring",
            ((everything, rows),),
        )
    found = _by_group(spec, train, test, rows, random) or _by_time(spec, train, test, rows, random)
    if found is None and ids is not None and not ids.is_unique:
        codes = pd.factorize(ids)[0]
        parts = _group_parts(codes, rows, random)
        if parts:
            found = Assignment("group", "rows that share an id stay together", parts)
    found = _told_apart(spec, train, found) or _told_apart(spec, train, _by_answer(spec, train, rows, random))
    if found is None:
        why = "too few rows of a class to hold some out: the score is that on train itself"
        return Assignment("random", why, ((everything, rows),))
    skipped = len(train) - len(rows)
    if skipped:
        found = replace(found, why=f"{found.why}; {skipped:,} rows without an answer are never held out")
    return found


def _unanswered(values: pd.Series, spec: TaskSpec) -> npt.NDArray[np.bool_]:
    return np.asarray(is_missing(values) & ~values.isin(list(spec.labels_of(str(values.name)))), dtype=bool)


def _told_apart(spec: TaskSpec, train: pd.DataFrame, found: Assignment | None) -> Assignment | None:
    """The parts that hold two classes at least on either side; None without any."""
    if found is None or spec.problem not in ("binary", "multiclass", "ordinal", "multilabel"):
        return found
    labels = train[list(spec.targets)]
    parts = [part for part in found.parts if all(labels.iloc[rows].nunique().max() > 1 for rows in part)]
    return replace(found, parts=tuple(parts)) if parts else None


def _by_answer(spec: TaskSpec, train: pd.DataFrame, rows: Rows, random: np.random.RandomState) -> Assignment:
    """Random rows, stratified by the answer where it is a class."""
    codes: npt.NDArray[np.int64] | None = None
    scheme: Scheme = "random"
    why = f"the answer is a number and nothing orders or groups the rows of {spec.train_file}"
    if spec.problem in ("binary", "multiclass", "ordinal"):
        codes, scheme = pd.factorize(train[spec.targets[0]].iloc[rows])[0], "stratified"
        why = f"each class of {spec.targets[0]} has the same share in the hold-out"
    elif spec.problem == "multilabel":
        codes, scheme = _combinations(train[list(spec.targets)].iloc[rows]), "multilabel"
        why = "each combination of labels has about the same share in the hold-out"
    allowed = rows
    if codes is not None:
        single = np.bincount(codes)[codes] < 2
        if single.mean() <= 0.5:
            allowed, codes = rows[~single], codes[~single]
            if single.any():
                why += f"; {single.sum():,} rows that are alone in their class stay in train"
        else:
            codes, scheme, why = None, "random", "most classes have a single row"
    key = np.zeros(len(allowed), dtype=np.int64) if codes is None else codes
    order = allowed[np.lexsort((random.permutation(len(allowed)), key))]
    period = max(float(min(1 / SHARE, len(order))), len(order) / MOST_ROWS)
    phase = np.mod(np.arange(len(order)) + random.randint(0, max(1, int(period))), period)
    held = [np.sort(order[(phase >= fold) & (phase < fold + 1)]) for fold in range(hold_outs(len(order)))]
    return Assignment(
        scheme, why, tuple((np.setdiff1d(np.arange(len(train)), part), part) for part in held if len(part))
    )


def _combinations(labels: pd.DataFrame) -> npt.NDArray[np.int64]:
    """A stratum a combination of labels; rare combinations go with their rarest label."""
    plain = labels.apply(lambda column: pd.factorize(column.str.strip(), sort=True)[0])
    codes = pd.factorize(plain.astype(str).agg(" ".join, axis=1))[0].astype(np.int64)
    rare = np.bincount(codes)[codes] < 5
    present = plain.to_numpy() > 0
    frequency = np.where(present, present.sum(axis=0), np.iinfo(np.int64).max)
    codes[rare] = codes.max() + 1 + np.argmin(frequency, axis=1)[rare]
    return np.asarray(pd.factorize(codes)[0], dtype=np.int64)


def _by_group(
    spec: TaskSpec, train: pd.DataFrame, test: pd.DataFrame, rows: Rows, random: np.random.RandomState
) -> Assignment | None:
    """Whole groups, where the test's groups are new ones (or task.toml says so)."""
    name = spec.group_column
    if name is None or name not in train or name == spec.time_column:
        return None
    declared = spec.inferred.get("group_column", "").startswith("task.toml")
    if name in test and not declared and test[name].isin(set(train[name])).mean() > 0.1:
        return None
    parts = _group_parts(pd.factorize(train[name])[0], rows, random)
    if not parts:
        return None
    reason = "task.toml says so" if declared else "the test has other ones"
    return Assignment("group", f"no {name} of the hold-out is in the train part: {reason}", parts)


def _group_parts(
    codes: npt.NDArray[np.int64], rows: Rows, random: np.random.RandomState, most: int = 5
) -> tuple[tuple[Rows, Rows], ...]:
    """Groups spread over bins of like size; the bins nearest to the wanted share are the hold-outs.

    Empty when there are not two groups, or when every hold-out would take most of the rows.
    """
    present, sizes = np.unique(codes[rows], return_counts=True)
    bins = min(len(present), max(int(1 / SHARE), math.ceil(len(rows) / MOST_ROWS)))
    if bins < 2:
        return ()
    order = random.permutation(len(present))
    order = order[np.argsort(-sizes[order], kind="stable")]
    weight, home = np.zeros(bins, dtype=np.int64), np.zeros(codes.max() + 1, dtype=np.int64) - 1
    for group in order:
        smallest = int(np.argmin(weight))
        home[present[group]] = smallest
        weight[smallest] += sizes[group]
    wanted = len(rows) / bins
    near = sorted(range(bins), key=lambda item: (abs(weight[item] - wanted), item))
    kept = [item for item in near if weight[item] <= 0.5 * len(rows)][: min(most, hold_outs(len(rows)))]
    own, everything = home[codes], np.arange(len(codes))
    return tuple((everything[own != item], rows[own[rows] == item]) for item in kept)


def _by_time(
    spec: TaskSpec, train: pd.DataFrame, test: pd.DataFrame, rows: Rows, random: np.random.RandomState
) -> Assignment | None:
    """The last part of train where the test comes later; else what the test's gaps look like."""
    name = spec.time_column
    if name is None or name not in train or name not in test or not len(test):
        return None
    both, dates = _numbers(pd.concat([train[name], test[name]], ignore_index=True))
    if both is None:
        return None
    past, future = both[: len(train)], both[len(train) :]
    if np.nanmin(past) == np.nanmax(past):
        return None
    if np.mean(future > np.nanmax(past)) >= 0.95:
        return _forecast(name, past, future, rows, dates)
    if dates and (found := _month_days(name, past, future, rows)):
        return found
    return _blocks(
        name, np.floor(past) if dates else past, np.floor(future) if dates else future, rows, dates, random
    )


def _numbers(values: pd.Series) -> tuple[Times | None, bool]:
    """Times as numbers (days since 1970 for dates, NaN where unreadable), and whether they are dates.

    None when more than 1 % cannot be read.
    """
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() >= 0.99 and not numbers.between(19000101, 21001231).all():
        return np.asarray(numbers, dtype=np.float64), False
    for options in ({}, {"dayfirst": True}, {"format": "mixed", "errors": "coerce"}):
        try:
            moments = pd.to_datetime(values, utc=True, **options)
        except (ValueError, TypeError, OverflowError):
            continue
        if moments.notna().mean() >= 0.99:
            days = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
            return np.asarray(days, dtype=np.float64), True
    return None, False


def _length(span: float, dates: bool) -> str:
    return (f"{span:.0f} days" if span >= 2 else f"{span * 24:.0f} hours") if dates else f"{span:g} steps"


def _forecast(name: str, past: Times, future: Times, rows: Rows, dates: bool) -> Assignment | None:
    known = rows[~np.isnan(past[rows])]
    if not len(known):
        return None
    steps = np.diff(np.unique(past[~np.isnan(past)]))
    step, end = float(np.median(steps)), float(np.nanmax(past))
    horizon = float(np.nanmax(future) - np.nanmin(future)) + step
    gap = max(0.0, float(np.nanmin(future)) - end - step)
    inside = int((past[known] > end - horizon).sum())
    least = max(0.05 * len(known), min(50.0, SHARE * len(known)))
    ranked = np.sort(past[known])
    why = f"the test comes after train in {name} and spans {_length(horizon, dates)}"
    if inside > len(known) / 3:
        horizon = end - float(ranked[int((1 - SHARE) * len(ranked)) - 1])
        why += f"; that much of train would be too much, so its last {_length(horizon, dates)} are held out"
    elif inside < least:
        horizon = end - float(ranked[max(0, len(ranked) - math.ceil(least) - 1)])
        why += f"; so short a time has too few rows, so the last {_length(horizon, dates)} are held out"
    else:
        why += ": the last part of train of the same length is held out"
    parts = []
    for fold in range(1 if inside >= ENOUGH_ROWS else 2):
        upper = end - fold * horizon
        held = known[(past[known] > upper - horizon) & (past[known] <= upper)]
        before = past <= upper - horizon
        embargo = past <= upper - horizon - gap
        left = np.flatnonzero(embargo if embargo.sum() >= 0.5 * before.sum() else before)
        if len(held) and len(left) >= (0.4 if fold else 0.1) * len(past):
            parts.append((left, held))
    return Assignment("time", why, tuple(parts), ordered=True) if parts else None


def _month_days(name: str, past: Times, future: Times, rows: Rows) -> Assignment | None:
    """Train has some days of each month and the test the days that follow (or precede)."""
    own, other = _calendar(past), _calendar(future)
    days, asked = sorted(set(own.day[own.notna()])), sorted(set(other.day[other.notna()]))
    months = min(len(set(own.strftime("%Y-%m"))), len(set(other.strftime("%Y-%m"))))
    if len(days) < 2 or not asked or set(days) & set(asked) or months < 2:
        return None
    if not (asked[0] > days[-1] or asked[-1] < days[0]):
        return None
    if asked[0] > days[-1]:
        days = days[::-1]
    width = max(1, round(SHARE * len(days)))
    parts = []
    everything = np.arange(len(past))
    for fold in range(min(2, hold_outs(len(rows)), len(days) // width - 1)):
        chosen = days[fold * width : (fold + 1) * width]
        inside = np.isin(own.day, chosen)
        held = rows[inside[rows]]
        if len(held) and not inside.all():
            parts.append((everything[~inside], held))
    why = (
        f"train has days {min(days)}-{max(days)} of each month in {name}, the test "
        f"days {asked[0]}-{asked[-1]}: the {width} train days of each month next to them are held out"
    )
    return Assignment("time", why, tuple(parts), ordered=True) if parts else None


def _calendar(days: Times) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(days, unit="D"))


def _blocks(
    name: str, past: Times, future: Times, rows: Rows, dates: bool, random: np.random.RandomState
) -> Assignment | None:
    """The test lies between train's times: blocks as long as the test's are held out.

    None when the test's times are those of train: then time does not tell them apart.
    """
    known, asked = np.unique(past[~np.isnan(past)]), np.unique(future[~np.isnan(future)])
    if not len(asked) or np.isin(asked, known).mean() > 0.5:
        return None
    runs = np.unique(np.searchsorted(known, asked), return_counts=True)[1]
    length = max(1, int(np.median(runs)))
    codes = np.searchsorted(known, np.nan_to_num(past, nan=known[0])) // length
    parts = _group_parts(codes.astype(np.int64), rows, random, most=2)
    unit = "days" if dates else "steps"
    why = f"the test lies between the times of train in {name}: blocks of {length} {unit} are held out"
    return Assignment("time", why, parts, ordered=True) if parts else None
