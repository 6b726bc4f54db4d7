"""Arrow text columns -> ids, numbers, counts and links; what a text does not say is null."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

KAGGLE = "https://www.kaggle.com/"
_NUMBER = r"^-?(\d{1,300}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
_WHOLE = r"^-?\d{1,18}(\.0*)?$"


def texts(column: Any) -> Any:
    """The texts without space around them; null where nothing is left."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def ids(column: Any) -> Any:
    """Ids as text. A whole number that pandas wrote as a decimal one ("12.0") is "12"."""
    trimmed = texts(column)
    if pc.any(pc.ends_with(trimmed, ".0")).as_py():
        return pc.replace_substring_regex(trimmed, pattern=r"^(\d+)\.0$", replacement=r"\1")
    return trimmed


def numbers(column: Any) -> Any:
    """The numbers (float64) that the texts spell; "nan", "inf" and what is no number are null."""
    plain = pc.utf8_ltrim(texts(column), characters="+")
    known = pc.if_else(pc.match_substring_regex(plain, _NUMBER), plain, pa.scalar(None, pa.string()))
    found = known.cast(pa.float64())
    return pc.if_else(pc.is_finite(found), found, pa.scalar(None, pa.float64()))


def counts(column: Any) -> Any:
    """The whole numbers (int64) that the texts spell, "12" or "12.0"; null where a text is none."""
    plain = texts(column)
    try:
        return plain.cast(pa.int64())
    except pa.ArrowInvalid:
        whole = pc.if_else(pc.match_substring_regex(plain, _WHOLE), plain, pa.scalar(None, pa.string()))
        return pc.replace_substring_regex(whole, pattern=r"\.0*$", replacement="").cast(pa.int64())


def links(column: Any) -> Any:
    """Addresses on Kaggle in full: "/owner/slug" is "https://www.kaggle.com/owner/slug"."""
    short = pc.replace_substring_regex(
        texts(column), pattern=r"^(?:https?://)?(?:www\.)?kaggle\.com/+|^/+", replacement=""
    )
    foreign = pc.match_substring_regex(short, r"^https?://")
    return pc.if_else(foreign, short, pc.binary_join_element_wise(KAGGLE, short, ""))
