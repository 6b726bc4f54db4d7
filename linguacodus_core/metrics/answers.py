"""Truth and predictions brought side by side, in the form that a scoring function asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.labels import Keys, label_key, label_keys, positive_label, same_booleans
from linguacodus_core.metrics.table import Metric

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """One scoring: the columns of `predicted` are in the order of `truth`, or one a class.

    `class_columns`: truth is one column of labels and predicted has one column a class, named in
    `class_keys` (label keys, same order as the columns).
    """

    metric: Metric
    truth: pd.DataFrame
    predicted: pd.DataFrame
    classes: tuple[str, ...]
    class_columns: bool
    class_keys: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows, at least one."""
        return len(self.truth)

    @cached_property
    def values(self) -> tuple[Floats, Floats]:
        """Truth and predictions as finite numbers, each rows x targets."""
        self._one_column_a_target()
        return numeric(self.truth, "truth"), numeric(self.predicted, "predictions")

    @cached_property
    def scores(self) -> Floats:
        """The predictions as finite numbers, rows x predicted columns."""
        return numeric(self.predicted, "predictions")

    @cached_property
    def keys(self) -> tuple[list[Keys], list[Keys]]:
        """Truth and predictions as label keys, one array a target; the likeliest class for class columns."""
        truth = [self._truth_keys(column) for column in self.truth.columns]
        if self.class_columns:
            names = np.array(self.class_keys, dtype=object)
            return truth, [same_booleans(truth[0], names[self.scores.argmax(axis=1)])]
        predicted = []
        for known, column in zip(truth, self.predicted.columns, strict=True):
            found = label_keys(self.predicted[column])
            _refuse_missing(found, column, "predictions")
            self._refuse_probabilities(known, self.predicted[column])
            predicted.append(same_booleans(known, found))
        return truth, predicted

    @cached_property
    def binary(self) -> tuple[NDArray[np.int64], Floats]:
        """Truth as 0/1 and predictions as finite numbers, rows x targets.

        Class columns become one target a class; with two classes only the positive one stays.
        """
        if self.class_columns:
            truth = self.class_index
            onehot = np.eye(len(self.class_keys), dtype=np.int64)[truth]
            if len(self.class_keys) == 2:
                positive = self.class_keys.index(
                    positive_label(np.array(self.class_keys, dtype=object), self.classes)
                )
                return onehot[:, [positive]], self.scores[:, [positive]]
            return onehot, self.scores
        columns = [self._truth_keys(column) for column in self.truth.columns]
        classes = self.classes if len(columns) == 1 else ()
        found = [(keys == positive_label(keys, classes)).astype(np.int64) for keys in columns]
        return np.column_stack(found), self.scores

    @cached_property
    def class_index(self) -> NDArray[np.int64]:
        """For class columns: the column of each row's true class."""
        keys = self._truth_keys(self.truth.columns[0])
        where = {key: at for at, key in enumerate(self.class_keys)}
        # Columns named "0" and "1" for a target of True and False, or the other way round.
        if not set(keys) <= set(where):
            keys = same_booleans(np.array(self.class_keys, dtype=object), keys)
        unknown = sorted(set(keys) - set(where))
        if unknown:
            raise LinguacodusError(
                f"the predictions have no column for the class {unknown[0]!r}"
                + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""),
                f"Columns there are: {', '.join(self.class_keys[:8])}.",
            )
        return np.array([where[key] for key in keys], dtype=np.int64)

    @cached_property
    def distributions(self) -> tuple[Floats, Floats]:
        """True and predicted probabilities of each class, rows x classes; every row sums to 1."""
        if self.class_columns:
            truth = np.eye(len(self.class_keys))[self.class_index]
        elif self.truth.shape[1] == 1:
            known, scores = self.binary
            positive = np.clip(scores[:, 0], 0.0, 1.0)
            return np.column_stack([1 - known[:, 0], known[:, 0]]).astype(float), np.column_stack(
                [1 - positive, positive]
            )
        else:
            truth = numeric(self.truth, "truth")
        return _rows_to_one(truth, "truth"), _rows_to_one(self.scores, "predictions")

    @cached_property
    def one_class_a_row(self) -> bool:
        """Whether the answers are one distribution over classes a row, not independent targets."""
        if self.class_columns:
            return True
        if self.truth.shape[1] < 2:
            return False
        truth = self.truth.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
        return bool(np.all(truth >= 0) and np.allclose(truth.sum(axis=1), 1.0, atol=1e-6))

    def texts(self) -> tuple[list[list[str]], list[list[str]]]:
        """Truth and predictions as text, one list a target; missing is the empty text."""
        self._one_column_a_target()
        return (
            [_text(self.truth[column]) for column in self.truth.columns],
            [_text(self.predicted[column]) for column in self.predicted.columns],
        )

    def lists(self) -> tuple[list[list[str]], list[list[str]]]:
        """True and predicted labels of each row, best first; class columns are ranked by their values."""
        if self.truth.shape[1] != 1 or (self.predicted.shape[1] != 1 and not self.class_columns):
            raise LinguacodusError(
                f"{self.metric.name} needs one column of space-separated labels",
                "Give one target column, or one column a class.",
            )
        truth = _label_lists(self.truth.iloc[:, 0])
        if not self.class_columns:
            return truth, _label_lists(self.predicted.iloc[:, 0])
        order = np.argsort(-self.scores, axis=1, kind="stable")
        return truth, [[self.class_keys[at] for at in row] for row in order]

    def _truth_keys(self, column: object) -> Keys:
        found = label_keys(self.truth[column])
        _refuse_missing(found, column, "truth")
        return found

    def _refuse_probabilities(self, known: Keys, predicted: pd.Series) -> None:
        """A fraction where the truth has whole numbers only is a probability, not a label."""
        if not pd.api.types.is_float_dtype(predicted) or not all(
            key.lstrip("-").isdigit() or key in {"true", "false"} for key in set(known)
        ):
            return
        values = predicted.to_numpy(dtype=float)
        broken = int(np.sum(values != np.round(values)))
        if broken:
            raise LinguacodusError(
                f"{broken} of {len(values)} predictions in column {predicted.name!r} are fractions, "
                f"but {self.metric.name} compares labels",
                "Turn probabilities into labels with a threshold, ordinal values by rounding.",
            )

    def _one_column_a_target(self) -> None:
        if self.class_columns:
            raise LinguacodusError(
                f"{self.metric.name} needs one predicted column a target; "
                f"the predictions have {self.predicted.shape[1]} columns for one target",
                "Predict the target itself, not a probability for each class.",
            )


def align(metric: Metric, truth: pd.DataFrame, predicted: pd.DataFrame, classes: Sequence[str]) -> Answers:
    """Bring predictions beside the truth; LinguacodusError when rows or columns do not fit."""
    if len(truth) == 0:
        raise LinguacodusError("there is no row to score", "Give at least one row of truth.")
    if len(truth) != len(predicted):
        raise LinguacodusError(
            f"there are {len(predicted)} predictions for {len(truth)} rows",
            "Predict every row once, in the same order.",
        )
    if truth.shape[1] == 0 or predicted.shape[1] == 0:
        raise LinguacodusError("there is no column to score", "Leave out the id column only.")
    names = tuple(str(each) for each in classes)
    if truth.shape[1] == predicted.shape[1] == 1:
        return Answers(metric, truth, predicted, names, class_columns=False)
    if truth.shape[1] == 1:
        keys = _class_keys([str(column) for column in predicted.columns], names)
        return Answers(metric, truth, predicted, names, class_columns=True, class_keys=keys)
    by_name = {str(column): column for column in predicted.columns}
    missing = [str(column) for column in truth.columns if str(column) not in by_name]
    if missing or len(by_name) != truth.shape[1] or len(by_name) != predicted.shape[1]:
        raise LinguacodusError(
            f"the predictions have the columns {', '.join(by_name)}; "
            f"wanted: {', '.join(map(str, truth.columns))}",
            "Name one predicted column after each target.",
        )
    ordered = predicted[[by_name[str(column)] for column in truth.columns]]
    return Answers(metric, truth, ordered, names, class_columns=False)


def _class_keys(columns: list[str], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The class that each predicted column stands for: by name, or by ending ("Status_C" for "C")."""
    keys = tuple(label_key(column) for column in columns)
    wanted = [label_key(each) for each in classes]
    if len(set(keys)) != len(keys):
        raise LinguacodusError("two columns of the predictions have one name", "Give one column a class.")
    if not wanted or set(wanted) <= set(keys):
        return keys
    found: dict[str, str] = {}
    for key in wanted:
        ending = [
            column for column in columns if column.lower().endswith(("_" + key.lower(), " " + key.lower()))
        ]
        if len(ending) != 1 or ending[0] in found:
            return keys
        found[ending[0]] = key
    return tuple(found.get(column, key) for column, key in zip(columns, keys, strict=True))


def numeric(frame: pd.DataFrame, whose: str) -> Floats:
    """A frame as finite numbers; LinguacodusError names the first column and row that is none."""
    columns = []
    for name in frame.columns:
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        broken = np.flatnonzero(~np.isfinite(values))
        if len(broken):
            shown = frame[name].iloc[broken[0]]
            raise LinguacodusError(
                f"column {name!r} of the {whose} has {len(broken)} values that are missing, infinite or "
                f"no numbers (the first, {shown!r}, in row {broken[0] + 1})",
                "Fill or clip them before they are scored.",
            )
        columns.append(values)
    return np.column_stack(columns)


def _rows_to_one(values: Floats, whose: str) -> Floats:
    """Rows divided by their sums, as Kaggle does; LinguacodusError for a row with nothing to divide by."""
    values = np.clip(values, 0.0, None)
    sums = values.sum(axis=1, keepdims=True)
    empty = np.flatnonzero(~(np.isfinite(sums[:, 0]) & (sums[:, 0] > 0)))
    if len(empty):
        raise LinguacodusError(
            f"row {empty[0] + 1} of the {whose} has class probabilities that do not sum to anything above 0 "
            f"({len(empty)} such rows)",
            "Give every row at least one probability above 0.",
        )
    divided: Floats = values / sums
    return divided


def _refuse_missing(keys: Keys, column: object, whose: str) -> None:
    missing = np.flatnonzero(pd.isna(keys))
    if len(missing):
        raise LinguacodusError(
            f"column {column!r} of the {whose} has {len(missing)} missing labels "
            f"(the first in row {missing[0] + 1})",
            "Every row needs a label.",
        )


def _text(column: pd.Series) -> list[str]:
    return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]


def _label_lists(column: pd.Series) -> list[list[str]]:
    if pd.api.types.is_numeric_dtype(column):
        return [[] if key is None else [key] for key in label_keys(column)]
    return [list(dict.fromkeys(label_key(word) for word in text.split())) for text in _text(column)]
