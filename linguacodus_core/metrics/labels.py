"""Labels compared as a competition means them: 1, 1.0 and "1" are one label, so are True and "true"."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from linguacodus_core.errors import LinguacodusError

Keys = NDArray[np.object_]

_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?")
_DECIMAL = re.compile(r"[+-]?\d*\.\d+")
_TRUTH_VALUES = {"true", "false"}
_AS_BOOLEAN = {"1": "true", "0": "false"}
_AS_NUMBER = {"true": "1", "false": "0"}


def label_key(value: object) -> str:
    """The one spelling of a label, whatever type it was read as."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = str(value).strip()
    if _WHOLE.fullmatch(text):
        return str(int(text.split(".")[0]))
    if _DECIMAL.fullmatch(text):
        return repr(float(text))
    return text.lower() if text.lower() in _TRUTH_VALUES else text


def label_keys(column: pd.Series) -> Keys:
    """The keys of a column of labels; None where a value is missing."""
    codes, uniques = pd.factorize(column)
    keys = np.empty(len(uniques) + 1, dtype=object)
    keys[:-1] = [label_key(value) for value in uniques]
    keys[-1] = None
    found: Keys = keys[codes]
    return found


def same_booleans(truth: Keys, predicted: Keys) -> Keys:
    """The predicted keys with 0/1 written as the truth writes false/true, and the other way round."""
    known = set(truth)
    if known <= _TRUTH_VALUES:
        turn = _AS_BOOLEAN
    elif known <= {"0", "1"}:
        turn = _AS_NUMBER
    else:
        return predicted
    turned: Keys = np.array([turn.get(key, key) for key in predicted], dtype=object)
    return turned


def numbers(keys: Iterable[str]) -> list[float] | None:
    """The labels as numbers, or None when one of them is none."""
    found = []
    for key in keys:
        try:
            found.append(float(key))
        except ValueError:
            return None
    return found if all(np.isfinite(found)) else None


def ordered(keys: Iterable[str]) -> list[str]:
    """Distinct labels in their order: by number when all are numbers, else by spelling."""
    distinct = sorted(set(keys))
    values = numbers(distinct)
    if values is None:
        return distinct
    return [key for _, key in sorted(zip(values, distinct, strict=True))]


def positive_label(truth: Keys, classes: Sequence[str]) -> str:
    """The label that counts as positive: "1", "true", the last of two `classes`, else the greater of the two.

    LinguacodusError when the truth has more than two labels, or one only and nothing says which it is.
    """
    present = ordered(truth)
    if len(present) > 2:
        shown = ", ".join(repr(key) for key in present[:5])
        raise LinguacodusError(
            f"a binary metric cannot score a target with {len(present)} labels ({shown}, ...)",
            "Choose a multi-class metric: f1 macro, multiclass log loss, categorization accuracy.",
        )
    for usual, positive in (({"0", "1"}, "1"), (_TRUTH_VALUES, "true"), ({"-1", "1"}, "1")):
        if set(present) <= usual:
            return positive
    if len(classes) == 2:
        keys = [label_key(each) for each in classes]
        if set(present) <= set(keys):
            return keys[-1]
    if len(present) < 2:
        raise LinguacodusError(
            f"the target has only the label {present[0]!r} here, and nothing says whether it is positive",
            "Score on rows with both labels, or name both classes of the task.",
        )
    return present[-1]
