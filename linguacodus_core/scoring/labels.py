"""Class labels and numbers as submissions spell them.

`spell`, `to_classes` and `numbers` are also copied into the programs of blends: they use pandas only.
"""

from collections.abc import Sequence

import pandas as pd


def spell(values: pd.Series) -> pd.Series:
    """Labels as text without surrounding blanks, whole numbers without a fraction ("1.0" -> "1")."""
    return values.astype(str).str.strip().str.replace(r"^([+-]?\d+)\.0*$", r"\1", regex=True)


def to_classes(values: pd.Series, classes: Sequence[str]) -> pd.Series:
    """Labels in the spelling of `classes`, NaN where unknown; True and False stand for 1 and 0."""
    text = spell(values)
    if not len(classes):
        return text.astype(object)
    same = {"true": "1", "false": "0"}
    names = pd.Series(list(classes), dtype=object)
    known = dict(zip(spell(names), names, strict=True))
    loose = {same.get(key.lower(), key): name for key, name in known.items()}
    folded = text.map(lambda value: same.get(value.lower(), value))
    found = [known.get(value, loose.get(other)) for value, other in zip(text, folded, strict=True)]
    return pd.Series(found, index=values.index, dtype=object)


def numbers(values: pd.Series) -> pd.Series:
    """Values as floats, exactly as written; NaN where they are none. A decimal comma is understood."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float)
    found = pd.to_numeric(values, errors="coerce").astype(float)
    if found.isna().any():
        found = found.fillna(
            pd.to_numeric(values.astype(str).str.replace(",", "."), errors="coerce").astype(float)
        )
    return found


def is_class_column(name: str, label: str) -> bool:
    """Whether a submission's column belongs to a class: its name, perhaps with a prefix (Status_D for D)."""
    return name == label or name.endswith((f"_{label}", f" {label}"))
