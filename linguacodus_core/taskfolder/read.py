"""Reading a task folder: from description.md, task.toml and data/ to the task as understood."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from linguacodus_core.errors import OpenQuestion, TaskError
from linguacodus_core.taskfolder.columns import Columns, find_columns
from linguacodus_core.taskfolder.description import NAMED, read_description, slug_of, title_of
from linguacodus_core.taskfolder.files import data_files, data_sha256
from linguacodus_core.taskfolder.frames import Dialect, find_table, read_table, readable
from linguacodus_core.taskfolder.groups import TimeColumn, date_columns, find_group, find_time
from linguacodus_core.taskfolder.kinds import Media, find_media, find_text, order_kinds
from linguacodus_core.taskfolder.metric_choice import choose_metric
from linguacodus_core.taskfolder.problem import (
    classes_of,
    find_prediction,
    find_problem,
    holds_fractions,
    look_at_target,
    scores_numbers,
    target_classes_of,
)
from linguacodus_core.taskfolder.rankings import ranking_by, single_labels
from linguacodus_core.taskfolder.settings_file import TaskSettings, read_settings
from linguacodus_core.taskfolder.side_tables import find_side_tables
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

_FEW_ROWS = 20
_MEDIA = (DataType.IMAGE, DataType.AUDIO, DataType.VIDEO)


def read_task(folder: Path) -> TaskSpec:
    """The task in `folder`: what task.toml says, completed by what its files show.

    A folder with description.md and data/ is enough. The folder private/ beside data/ is never
    opened or listed. Raises TaskError when something is missing, unreadable or contradictory, and
    OpenQuestion, with the line to add to task.toml, when something cannot be told.
    """
    folder = Path(folder)
    _check_folder(folder)
    folder = folder.resolve()
    settings = read_settings(folder)
    description = read_description(folder)
    files = data_files(folder)
    data = folder / "data"
    paths = {name: find_table(data, name) for name in ("train", "test", "sample")}  # type: ignore[arg-type]
    (train, test, sample), dialects = _read_tables(paths)
    warnings = [f"{name} is {dialect}" for name, dialect in dialects.items() if not dialect.plain]
    _check_rows(train, test, sample)
    columns = find_columns(train, test, sample, settings)
    warnings += columns.warnings
    targets = tuple(look_at_target(train[name]) for name in columns.targets)
    warnings += [f"{t.missing:,} rows of train lack the target {t.name}" for t in targets if t.missing]
    if len(train) < _FEW_ROWS:
        warnings.append(f"train has only {len(train)} rows: scores on a hold-out will say little")
    answers = sample[[c for c in sample.columns if c != columns.id_column]]
    choice = choose_metric(description, settings, targets, columns.layout, fractions=holds_fractions(answers))
    warnings += choice.warnings
    metric = choice.metric
    problem, how_problem = find_problem(metric, targets, columns.layout, settings.problem)
    prediction, how_prediction, odd = find_prediction(metric, problem, answers, settings.prediction)
    warnings += [odd] if odd else []
    classes = columns.classes
    if not classes and len(targets) == 1 and problem in ("binary", "multiclass", "ordinal"):
        classes = classes_of(train[columns.targets[0]])
    if classes and columns.layout == "targets" and prediction == "label" and ranking_by(metric.name):
        classes = single_labels(classes)
    target_classes = target_classes_of(problem, prediction, targets, train)

    features = _features(train, test, columns)
    time = find_time(train[features], test[features], given=settings.time_column)
    if time is None and settings.data_type[:1] == (DataType.TIME_SERIES,):
        time = _asked_time(train[features])
    media = find_media(data, files, train, test, columns.targets)
    if settings.image_column:
        media = tuple(
            replace(m, column=settings.image_column) if m.kind is DataType.IMAGE else m for m in media
        )
    media_columns = {m.column for m in media if m.column}
    beside = [c for c in features if c not in media_columns and c != columns.id_column]
    text = settings.text_columns or find_text(train[beside])
    tabular = [c for c in beside if c not in text]
    numeric = scores_numbers(metric) or problem in ("regression", "multiregression")
    data_types, how_types = _data_types(settings, media, text, time, len(tabular), numeric, warnings)
    if not data_types and media:
        raise TaskError(
            f"data/ holds {media[0].kind} files ({media[0].where}), but no shared column names them",
            "write the files' names into a column of train and test, or add to task.toml: image_column",
        )
    if not data_types:
        raise TaskError(
            f"train ({_few(train.columns)}) and test ({_few(test.columns)}) share no column to learn from",
            "give train and test the same feature columns, or a column that names image files",
        )
    own = (*(path.name for path in paths.values()), *(c for c in answers.columns if c not in test.columns))
    tables, odd_tables = find_side_tables(data, files, train, test, columns.targets, own)
    warnings += odd_tables
    dialects |= {table.file: dialect for table, dialect in tables.items()}
    _note_columns(train, test, columns, warnings)
    group = (
        None
        if settings.group_column
        else find_group(train[tabular], test[tabular], skip={time.name} if time else ())
    )
    if settings.group_column:
        group = (settings.group_column, "task.toml")
    image = next((m for m in media if m.kind is DataType.IMAGE and m.column), None)
    name = settings.slug or folder.name
    slug = slug_of(name)
    title, how_title = (settings.title, "task.toml") if settings.title else title_of(description, name)
    if settings.slug and not settings.title and how_title == NAMED:
        how_title = "task.toml: its slug"
    inferred = {
        "slug": "task.toml" if settings.slug else "the folder's name",
        "title": how_title,
        "description": "description.md",
        "data_types": how_types,
        "metric": choice.found,
        "metric_category": f"metric table: {metric.name}",
        "stands_in_for": f"metric table: {choice.stands_in_for.name}"
        if choice.stands_in_for
        else "none: the metric can be computed",
        "direction": choice.how_direction,
        **columns.found,
        "prediction": how_prediction,
        "problem": how_problem,
        "classes": f"{len(classes)} values of train's {columns.targets[0]}"
        if classes
        else "none: numbers or several targets",
        "target_classes": f"values of train's {_few(columns.targets)}"
        if target_classes
        else "none: not several targets of labels",
        "time_column": time.found if time else "none: no column of dates sets test apart from train",
        "group_column": group[1]
        if group
        else "none: no repeated values that train and test divide between them",
        "text_columns": _how_text(settings, text),
        "image_column": _how_image(settings, image),
        "train_file": "data/: its name",
        "test_file": "data/: its name",
        "sample_file": "data/: its name",
        "tables": ", ".join(f"{t.file} by {t.key}" for t in tables)
        or "none: no other table shares one key column with train and test",
        "dialects": "the files' first bytes",
        "train_rows": f"{paths['train'].name}, counted",
        "test_rows": f"{paths['test'].name}, counted",
    }
    return TaskSpec(
        folder=folder,
        slug=slug,
        title=title,
        description=description,
        data_types=data_types,
        metric=metric.name,
        metric_category=metric.category,
        stands_in_for=choice.stands_in_for.name if choice.stands_in_for else None,
        direction=choice.direction,
        id_column=columns.id_column,
        targets=columns.targets,
        submission_columns=columns.submission_columns,
        layout=columns.layout,
        prediction=prediction,
        problem=problem,
        classes=classes,
        target_classes=target_classes,
        time_column=time.name if time else None,
        group_column=group[0] if group else None,
        text_columns=tuple(text),
        image_column=settings.image_column or (image.column if image else None),
        train_file=paths["train"].name,
        test_file=paths["test"].name,
        sample_file=paths["sample"].name,
        tables=tuple(tables),
        dialects={name: dialect for name, dialect in dialects.items() if not dialect.plain},
        train_rows=len(train),
        test_rows=len(test),
        inferred=inferred,
        warnings=tuple(dict.fromkeys(warnings)),
        data_sha256=data_sha256(folder, files),
    )


def _check_folder(folder: Path) -> None:
    with readable(folder):
        if not folder.exists():
            raise TaskError(
                f"there is no folder {folder}", "give the path of a folder with description.md and data/"
            )
        if not folder.is_dir():
            raise TaskError(
                f"{folder} is a file, a task is a folder", "give the folder with description.md and data/"
            )
        next(folder.iterdir(), None)


def _read_tables(paths: dict[str, Path]) -> tuple[list[pd.DataFrame], dict[str, Dialect]]:
    """The tables, and how each file is written."""
    frames, dialects = [], {}
    for path in paths.values():
        frame, dialects[path.name] = read_table(path)
        frames.append(frame)
    return frames, dialects


def _check_rows(train: pd.DataFrame, test: pd.DataFrame, sample: pd.DataFrame) -> None:
    for name, frame in (("train", train), ("test", test), ("the sample submission", sample)):
        if frame.empty:
            raise TaskError(f"{name} has column names but no rows", "check the file, it may have been cut")
    if len(train) == 1:
        raise TaskError("train has a single row", "nothing can be learned from one example; add more")


def _features(train: pd.DataFrame, test: pd.DataFrame, columns: Columns) -> list[str]:
    """The columns that train and test share, the id among them, without the targets."""
    return [c for c in train.columns if c in test.columns and c not in columns.targets]


def _asked_time(features: pd.DataFrame) -> TimeColumn | None:
    dates = date_columns(features)
    return TimeColumn(dates[0], f"{dates[0]}: the column of dates", False, True) if dates else None


def _data_types(
    settings: TaskSettings,
    media: tuple[Media, ...],
    text: Collection[str],
    time: TimeColumn | None,
    tabular: int,
    numeric: bool,
    warnings: list[str],
) -> tuple[tuple[DataType, ...], str]:
    found, how = order_kinds(media, list(text), time, tabular, numeric)
    for unnamed in (m for m in media if m.column is None):
        warnings.append(
            f"{unnamed.kind} files ({unnamed.where}) in data/ are named by no column of train: left out"
        )
    for kind in (DataType.AUDIO, DataType.VIDEO):
        if kind in found:
            warnings.append(f"{kind} files are not read yet: the floor and models of the tables only")
    if not settings.data_type:
        return found, how
    for kind in settings.data_type:
        if kind in _MEDIA and kind not in found:
            raise TaskError(
                f'task.toml: data_type = "{kind}", but no column of train names {kind} files in data/',
                "put the files or an archive of them into data/, and their names into train and test",
            )
        if kind is DataType.TEXT and not text:
            raise OpenQuestion(
                'task.toml: data_type = "text", but no column looks like natural language',
                'which one is it? Add to task.toml: text_columns = ["<column>"]',
            )
        if kind is DataType.TIME_SERIES and time is None:
            raise OpenQuestion(
                'task.toml: data_type = "time series", but no column looks like dates',
                'which one orders the rows? Add to task.toml: time_column = "<column>"',
            )
    if len(settings.data_type) > 1:
        return settings.data_type, "task.toml"
    rest = tuple(kind for kind in found if kind not in settings.data_type)
    return settings.data_type + rest, f"task.toml; {how}" if rest else "task.toml"


def _note_columns(train: pd.DataFrame, test: pd.DataFrame, columns: Columns, warnings: list[str]) -> None:
    ours = {columns.id_column, *columns.targets}
    if only_train := [c for c in train.columns if c not in test.columns and c not in ours]:
        warnings.append(f"only train has {_few(only_train)}: no feature for test")
    if only_test := [c for c in test.columns if c not in train.columns and c not in ours]:
        warnings.append(f"only test has {_few(only_test)}: left out")


def _how_text(settings: TaskSettings, text: Collection[str]) -> str:
    if settings.text_columns:
        return "task.toml"
    return f"{', '.join(text)}: sentences" if text else "none: no column holds sentences"


def _how_image(settings: TaskSettings, image: Media | None) -> str:
    if settings.image_column:
        return "task.toml"
    return f"{image.column}: names the image files ({image.where})" if image else "none: no image files"


def _few(names: Collection[str] | pd.Index, most: int = 8) -> str:
    shown = ", ".join(str(n) for n in list(names)[:most])
    return shown + (f", ... ({len(names)} in all)" if len(names) > most else "")
