"""Values out of JSON that others wrote: the text, count or number that is there, else None."""

import math
from typing import Any


def text(value: object) -> str | None:
    """A string without space around it; None for an empty one and for anything else."""
    return (whole(value).strip() or None) if isinstance(value, str) else None


def texts(value: object) -> list[str]:
    """The strings of a list that are not empty."""
    return [found for each in value if (found := text(each))] if isinstance(value, list) else []


def count(value: Any) -> int | None:
    """A number as a whole one, if Arrow's int64 can hold it."""
    found = real(value)
    return int(value) if found is not None and abs(found) < 2**63 else None


def real(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: str) -> str:
    """The text with halves of characters, which JSON can hold and UTF-8 cannot, replaced by U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
