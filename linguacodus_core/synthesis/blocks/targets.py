"""Verified blocks for targets: labels as codes, numbers, and the scales that models are fitted on."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import PowerTransformer

from linguacodus_core.synthesis.blocks.submit import as_sample_writes


def plain_label(value: object) -> str:
    """A label as text; whole numbers without a decimal part ("1.0" -> "1")."""
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else text


def label_codes(column: pd.Series, classes: list[str]) -> tuple[np.ndarray, list[str]]:
    """Labels as places in `classes` (extended by what else occurs); -1 where the label is missing."""
    labels = [plain_label(value) for value in column]
    known = list(classes)
    places = {plain_label(name): place for place, name in enumerate(known)}
    places |= {name.lower(): place for name, place in places.items() if name in ("True", "False")}
    places |= {name.upper(): place for name, place in places.items() if name in ("true", "false")}
    for label in sorted(set(labels) - set(places) - {"", "nan"}):
        places[label] = len(known)
        known.append(label)
    return np.array([places.get(label, -1) for label in labels], dtype=int), known


def one_label_a_row(train: pd.DataFrame, target: str) -> tuple[pd.DataFrame, np.ndarray]:
    """A row for each label of the target's cells (blanks between them), and the row that each comes from."""
    cells = train[target].where(train[target].notna(), "").astype(str).str.split()
    split = train.assign(**{target: cells}).reset_index(drop=True).explode(target)
    return split.reset_index(drop=True), split.index.to_numpy()


def several_codes(train: pd.DataFrame, classes: dict[str, list[str]]) -> np.ndarray:
    """Each target's labels as places in its classes, rows x targets; -1 where missing or unknown."""
    codes = [label_codes(train[name], known)[0] for name, known in classes.items()]
    sizes = [len(known) for known in classes.values()]
    return np.column_stack([np.where(code < size, code, -1) for code, size in zip(codes, sizes, strict=True)])


def several_labels(codes: np.ndarray, classes: dict[str, list[str]], sample: pd.DataFrame) -> dict[str, Any]:
    """Codes (rows x targets) as each target's own labels, written as the sample submission does."""
    return {
        name: as_sample_writes(np.array(known, dtype=object)[codes[:, place]], sample[name])
        for place, (name, known) in enumerate(classes.items())
    }


def number_target(train: pd.DataFrame, targets: list[str]) -> np.ndarray:
    """The targets as rows x targets float64; NaN where they are missing."""
    words = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "y": 1.0, "n": 0.0, "t": 1.0, "f": 0.0}
    columns = []
    for name in targets:
        column = train[name]
        numbers = pd.to_numeric(column, errors="coerce").astype(float)
        text = column.astype(str).str.strip().str.lower().map(words).astype(float)
        columns.append(numbers.where(numbers.notna(), text).to_numpy())
    values = np.column_stack(columns)
    return np.where(np.isfinite(values), values, np.nan)


def log_scale(y: np.ndarray) -> tuple[np.ndarray, Any]:
    """log(1 + y) and its inverse; what lies below -0.999 counts as that."""
    return np.log1p(np.maximum(y, -0.999)), lambda scaled: np.expm1(np.clip(scaled, -7, 80))


def power_scale(y: np.ndarray) -> tuple[np.ndarray, Any]:
    """The Yeo-Johnson transform of each column of y, standardised, and its inverse."""
    power = PowerTransformer().fit(y)
    low, high = power.transform(y).min(axis=0) - 1, power.transform(y).max(axis=0) + 1

    def back(scaled: np.ndarray) -> np.ndarray:
        values = power.inverse_transform(np.clip(scaled, low, high))
        return np.asarray(np.where(np.isfinite(values), values, np.nanmedian(y, axis=0)))

    return power.transform(y), back


def plain_scale(y: np.ndarray) -> tuple[np.ndarray, Any]:
    """y as it is."""
    return y, lambda scaled: scaled


def exclusive_codes(y: np.ndarray) -> np.ndarray:
    """Several yes/no targets as one class a row: the first that is 1, or one past the last when none is."""
    return np.asarray(np.where(y.any(axis=1), y.argmax(axis=1), y.shape[1]), dtype=int)


def balanced_weights(y: np.ndarray) -> np.ndarray:
    """A weight for each row so that every class weighs the same in all."""
    values, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (len(y) / (len(values) * counts))[places]
