"""Which column is the id, which are the targets: from the sample submission, train and test together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from linguacodus_core.errors import OpenQuestion, TaskError
from linguacodus_core.taskfolder.settings_file import TaskSettings, close_to, did_you_mean
from linguacodus_core.taskfolder.spec import Layout

_MOST_CLASSES = 5_000


@dataclass(frozen=True)
class Columns:
    """The submission's columns as understood; `found` says how, by the field's name.

    `classes` is filled for the layout "class_columns" only, in the order of `class_columns`.
    """

    id_column: str | None
    targets: tuple[str, ...]
    submission_columns: tuple[str, ...]
    layout: Layout
    classes: tuple[str, ...] = ()
    found: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def find_columns(
    train: pd.DataFrame, test: pd.DataFrame, sample: pd.DataFrame, settings: TaskSettings
) -> Columns:
    """The id column, targets and layout of a task.

    Raises TaskError where the tables contradict each other or task.toml names a column that is not
    there; OpenQuestion where the target cannot be told.
    """
    warnings: list[str] = []
    _check_named("id_column", settings.id_column, sample, "the sample submission")
    for key in ("time_column", "group_column", "image_column"):
        _check_named(key, getattr(settings, key), train)
    for name in settings.text_columns:
        _check_named("text_columns", name, train)
        _check_named("text_columns", name, test, "test")
    _check_named("image_column", settings.image_column, test, "test")
    id_column, how_id = _find_id(train, test, sample, settings)
    _check_ids(id_column, train, test, sample, warnings)
    rest = [c for c in sample.columns if c != id_column]
    if not rest:
        raise TaskError(
            f"the sample submission has the single column {id_column}, and no target",
            "add one column a target (or one a class) with any valid value",
        )
    carried = _carried(rest, train, test, settings.targets)
    if carried:
        warnings.append(f"the sample submission's {_list(carried)} are columns of test, copied from there")
    wanted = [c for c in rest if c not in carried]
    targets, layout, classes, how = _find_targets(wanted, train, test, settings)
    if leaked := [t for t in targets if t in test.columns]:
        warnings.append(f"test holds the target {_list(leaked)}: left out as a feature")
    return Columns(
        id_column,
        targets,
        tuple(sample.columns),
        layout,
        classes,
        {
            "id_column": how_id,
            "targets": how,
            "layout": "one column a class" if layout == "class_columns" else "one column a target",
            "submission_columns": "sample submission",
        },
        tuple(warnings),
    )


def _check_named(key: str, name: str | None, frame: pd.DataFrame, where: str = "train") -> None:
    if name is not None and name not in frame.columns:
        raise TaskError(
            f'task.toml: {key} = "{name}", but {where} has no such column',
            f"{did_you_mean(name, frame.columns)}its columns are {_list(frame.columns)}",
        )


def _find_id(
    train: pd.DataFrame, test: pd.DataFrame, sample: pd.DataFrame, settings: TaskSettings
) -> tuple[str | None, str]:
    if settings.id_column is not None:
        return settings.id_column, "task.toml"
    only_train = [c for c in sample.columns if c in train.columns and c not in test.columns]
    shared = [c for c in sample.columns if c in test.columns]
    unique = [c for c in shared if sample[c].is_unique and test[c].is_unique]
    if unique:
        place = "first column" if unique[0] == sample.columns[0] else "a column"
        return unique[0], f"sample submission: {place}, unique, also in test"
    first = str(sample.columns[0])
    if shared and shared[0] == first:
        if len([c for c in shared if c not in only_train]) > 1 and not sample.duplicated(shared).any():
            raise TaskError(
                f"no single id column: only {_list(shared)} together tell the sample submission's rows apart",
                "add one id column with the same unique values to test and to the sample submission",
            )
        return first, "sample submission: first column, also in test"
    numbered = len(sample.columns) > 1 and first in only_train and train[first].is_unique
    if numbered and sample[first].is_unique:
        return first, "sample submission: first column, unique, not in test: rows go by their order"
    if first in only_train or len(sample.columns) == 1:
        return None, "none: the sample submission holds only targets, rows go by their order"
    if like := [c for c in test.columns if c.casefold().strip() == first.casefold().strip()]:
        raise TaskError(
            f"the sample submission calls its first column {first!r}, test calls it {like[0]!r}",
            "give it the same name in both",
        )
    if sample[first].is_unique:
        return first, "sample submission: first column, unique, not in test: rows go by their order"
    return None, "none: the sample submission has no unique column, rows go by their order"


def _check_ids(
    id_column: str | None,
    train: pd.DataFrame,
    test: pd.DataFrame,
    sample: pd.DataFrame,
    warnings: list[str],
) -> None:
    if id_column is None or id_column not in test.columns:
        if len(sample) != len(test):
            raise TaskError(
                f"the sample submission has {len(sample):,} rows, test has {len(test):,}",
                "give test the id column of the sample submission, or the two as many rows",
            )
        return
    for name, frame in (("test", test), ("the sample submission", sample)):
        ids = frame[id_column]
        if ids.isna().any():
            raise TaskError(f"{name} has rows without {id_column}", "give every row an id")
        if repeated := ids[ids.duplicated()].astype(str).unique().tolist():
            raise TaskError(
                f"{name} repeats {len(repeated):,} values of its id {id_column} ({_list(repeated[:3])})",
                "every row needs its own id",
            )
    asked, given = as_text(sample[id_column]), as_text(test[id_column])
    lacking, extra = set(given) - set(asked), set(asked) - set(given)
    if lacking or extra:
        parts = [
            f"{len(some):,} {id_column} of {name} are not in {other} ({_list(sorted(some)[:3])})"
            for some, name, other in (
                (lacking, "test", "the sample submission"),
                (extra, "the sample submission", "test"),
            )
            if some
        ]
        raise TaskError(
            f"sample submission and test disagree: {'; '.join(parts)}",
            "the sample submission needs one row for each row of test",
        )
    if asked.tolist() != given.tolist():
        warnings.append("the sample submission has test's ids in another order")
    if id_column not in train.columns:
        warnings.append(f"train has no id column {id_column}: its row number stands for it")
    elif (again := int(train[id_column].duplicated().sum())) > 0:
        warnings.append(f"train repeats {again:,} values of its id column {id_column}")


def _carried(
    rest: Sequence[str], train: pd.DataFrame, test: pd.DataFrame, targets: tuple[str, ...]
) -> list[str]:
    """Columns of the sample that are features copied from test, when true targets stand beside them."""
    if targets:
        return [c for c in rest if c in test.columns and c not in targets]
    if any(c not in test.columns for c in rest):
        return [c for c in rest if c in test.columns]
    return [c for c in rest if c not in train.columns]


def _find_targets(
    wanted: list[str], train: pd.DataFrame, test: pd.DataFrame, settings: TaskSettings
) -> tuple[tuple[str, ...], Layout, tuple[str, ...], str]:
    if settings.targets:
        return _given_targets(wanted, train, settings.targets)
    if all(c in train.columns for c in wanted):
        return tuple(wanted), "targets", (), "sample submission: columns of train, beside the id"
    folded = {c.casefold().strip(): c for c in train.columns}
    if all(c.casefold().strip() in folded for c in wanted):
        names = tuple(folded[c.casefold().strip()] for c in wanted)
        return names, "targets", (), "sample submission: columns of train, written differently"
    only_train = [c for c in train.columns if c not in test.columns]
    for column in only_train if len(wanted) > 1 else ():
        if classes := _match_classes(wanted, train[column], column):
            how = f"sample submission: its columns are the {len(classes)} values of train's {column}"
            return (column,), "class_columns", classes, how
    absent = [c for c in wanted if c not in train.columns]
    options = close_to(absent[0], only_train) + only_train[::-1]
    lines = " or ".join(f'targets = ["{c}"]' for c in list(dict.fromkeys(options))[:3])
    problem = f"the sample submission asks for {_list(absent)}, which train does not have"
    if not only_train:
        raise TaskError(problem, f"add {_list(absent)} to train: it has no column that test lacks")
    raise OpenQuestion(problem, f"which column of train is meant? Add to task.toml: {lines}")


def _given_targets(
    wanted: list[str], train: pd.DataFrame, targets: tuple[str, ...]
) -> tuple[tuple[str, ...], Layout, tuple[str, ...], str]:
    for name in targets:
        _check_named("targets", name, train)
    if len(targets) == len(wanted):
        if set(targets) == set(wanted):
            targets = tuple(wanted)
        return targets, "targets", (), "task.toml"
    if len(targets) == 1:
        if classes := _match_classes(wanted, train[targets[0]], targets[0]):
            return targets, "class_columns", classes, "task.toml"
        values = _list(sorted(as_text(train[targets[0]].dropna()).unique())[:6])
        raise TaskError(
            f"the sample submission's columns {_list(wanted)} are not the values of {targets[0]} ({values})",
            "name the sample's columns after the classes, or correct targets in task.toml",
        )
    raise TaskError(
        f"task.toml names {len(targets)} targets, the sample submission has {len(wanted)} columns for them",
        f"its columns are {_list(wanted)}",
    )


def _match_classes(names: Sequence[str], values: pd.Series, column: str) -> tuple[str, ...]:
    """The class that each submission column stands for, () when names and values do not match.

    A prefix that all names share ("Status_C", "Status_CL") and differences in case, spaces and
    punctuation do not count. Every value of train must have its column.
    """
    present = values.dropna()
    if present.nunique() > _MOST_CLASSES:
        return ()
    written = as_text(present).unique().tolist()
    by_key = {_key(v): str(v) for v in written}
    if len(by_key) != len(written) or len(written) < 2:
        return ()
    shared = _common_start(names)
    at_border = re.sub(r"[^_\s\-.]*$", "", shared)
    for prefix in dict.fromkeys(("", f"{column}_", at_border, shared)):
        keys = [_key(n[len(prefix) :] if n.casefold().startswith(prefix.casefold()) else n) for n in names]
        if len(set(keys)) == len(keys) and set(by_key) <= set(keys):
            return tuple(by_key.get(k, n[len(prefix) :]) for k, n in zip(keys, names, strict=True))
    return ()


def _common_start(names: Sequence[str]) -> str:
    """The letters with which all names begin."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold()) or name


def as_text(values: pd.Series) -> pd.Series:
    """Values as text, one spelling each: 1 and 1.0 are "1", True is "True"; missing stays missing."""
    if pd.api.types.is_float_dtype(values):
        present = values.dropna()
        if len(present) and bool((present % 1 == 0).all()) and bool((present.abs() < 2**53).all()):
            return present.astype("int64").astype(str).reindex(values.index)
    return values.astype(object).where(values.isna(), values.astype(str))


def _list(names: Sequence[object] | pd.Index, most: int = 12) -> str:
    shown = ", ".join(str(n) for n in names[:most])
    return shown + (f", ... ({len(names)} in all)" if len(names) > most else "")
