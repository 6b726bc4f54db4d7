"""Small pieces of English: lists, numbers, articles, sentences."""

import re
from collections.abc import Iterable, Sequence
from typing import Any


def listed(names: Iterable[str], most: int = 6) -> str:
    """A, B and C; with more than `most`: A, B, C and 4 more."""
    kept = list(dict.fromkeys(name for name in names if name))
    if len(kept) > most + 1:
        return f"{', '.join(kept[:most])} and {len(kept) - most} more"
    if len(kept) < 2:
        return "".join(kept)
    return f"{', '.join(kept[:-1])} and {kept[-1]}"


MARK = "\x00"
"""Stands before a name that keeps its case at the start of a sentence."""


def columns(names: Iterable[str], most: int = 6) -> str:
    """Names of columns, listed; they keep their case wherever they stand. Groups of columns are words of
    ours."""
    text = listed(names, most)
    return text if re.match(r"(numeric|categorical|ordinal|skewed|binary) columns", text) else MARK + text


def number(value: Any) -> str:
    """2,000 of 2000, 0.05 of 0.05, 1e-05 of 0.00001; texts as they are."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:g}"
    text = str(value)
    if re.fullmatch(r"\d{5,}", text):
        return f"{int(text):,}"
    return text


def article(words: str) -> str:
    """The words with a or an before them."""
    first = words[:1].lower()
    spelled = re.match(r"(LSTM|XGB|SVM|SVC|SVR|RNN|NB|MLP|F1|LGBM|LLM|HGB|R²)(?![a-z])", words)
    silent = re.match(r"(uni|use|one|eu|U-?Net)", words, re.IGNORECASE)
    vowel = (
        (first in "aeiou" and not silent)
        or (bool(spelled) and not words.startswith("U"))
        or words.startswith("XG")
    )
    return f"{'an' if vowel else 'a'} {words}"


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end; "" stays empty."""
    text = " ".join(text.split()).strip(" ;,")
    if not text:
        return ""
    if text.startswith(MARK):
        return text.replace(MARK, "").rstrip(".") + "."
    text = (text[0].upper() + text[1:]).replace(MARK, "")
    return text if text.endswith((".", "!", "?")) else text + "."


def joined(sentences: Sequence[str]) -> str:
    """Sentences one after the other, empty ones left out."""
    return " ".join(made for made in map(sentence, sentences) if made)


def share(size: float) -> str:
    """20 % of 0.2, 1,000 rows of 1000."""
    if size < 1:
        return f"{size * 100:.3g} % of the rows"
    return f"{size:,.0f} rows"


def plural(count: int, word: str) -> str:
    """one layer, 3 layers."""
    return f"one {word}" if count == 1 else f"{count} {word}s"


def are(names: Sequence[str]) -> str:
    """is for one name, are for several (and for one that is itself a plural)."""
    return "is" if len(names) == 1 and not names[0].endswith(" columns") else "are"
