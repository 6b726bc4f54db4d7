"""The task as understood: what every later step knows about it."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from linguacodus_core.taskfolder.frames import Dialect


class DataType(StrEnum):
    """What the data are; several may hold for one task."""

    TABULAR = "tabular"
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TIME_SERIES = "time series"


Prediction = Literal["probability", "label", "value"]
Problem = Literal["binary", "multiclass", "multilabel", "regression", "multiregression", "ordinal"]
Layout = Literal["targets", "class_columns"]


class SideTable(BaseModel):
    """A further table in data/ that can be joined to train and test by its column `key`."""

    model_config = ConfigDict(frozen=True)

    file: str
    key: str


class TaskSpec(BaseModel):
    """One task, read from its folder and completed by inference.

    `layout` says how the submission's columns relate to the targets: "targets" = one column a
    target; "class_columns" = one target in train, one probability column a class in the submission.
    `classes` are the target's values as text, whole numbers without a point (for "class_columns" in
    the order of the submission's columns after the id); empty for numbers and several targets.
    `target_classes` are the same for several targets of labels, one tuple a target in the order of
    `targets` (with two values the second is the positive one); empty for all other tasks.
    `stands_in_for` is the metric that was asked for, where `metric` only stands in for it.
    `dialects` says how those files are written that are no UTF-8 with commas and decimal points.
    `inferred` maps each field to how it was found ("task.toml", "sample submission: ...", ...).
    `data_sha256` covers description, task.toml and every file of data/ (never private/).
    """

    model_config = ConfigDict(frozen=True)

    folder: Path
    slug: str
    title: str
    description: str
    data_types: tuple[DataType, ...]
    metric: str
    metric_category: str
    stands_in_for: str | None = None
    direction: Literal["min", "max"]
    id_column: str | None
    targets: tuple[str, ...]
    submission_columns: tuple[str, ...]
    layout: Layout = "targets"
    prediction: Prediction
    problem: Problem
    classes: tuple[str, ...] = ()
    target_classes: tuple[tuple[str, ...], ...] = ()
    time_column: str | None = None
    group_column: str | None = None
    text_columns: tuple[str, ...] = ()
    image_column: str | None = None
    train_file: str
    test_file: str
    sample_file: str
    tables: tuple[SideTable, ...] = ()
    dialects: dict[str, Dialect] = {}
    train_rows: int
    test_rows: int
    inferred: dict[str, str]
    warnings: tuple[str, ...] = ()
    data_sha256: str

    @property
    def data(self) -> Path:
        """The folder data/ of the task."""
        return self.folder / "data"

    @property
    def decimal(self) -> str:
        """The decimal sign of train's numbers; with a comma its labels that are numbers have one too."""
        return self.dialects[self.train_file].decimal if self.train_file in self.dialects else "."

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The known labels of a target, or of the submission's column for it; () where it has none."""
        if not self.target_classes:
            return self.classes
        columns = [name for name in self.submission_columns if name != self.id_column]
        for names in (columns, list(self.targets)):
            if column in names and names.index(column) < len(self.target_classes):
                return self.target_classes[names.index(column)]
        return ()

    @property
    def data_type(self) -> DataType:
        """The leading data type."""
        return self.data_types[0]
