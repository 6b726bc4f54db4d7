"""A competition's solutions: its kernels in rank order, looked at until the best `top` usable ones are found.

Looking no further than needed is what makes a corpus of millions of blocks a matter of minutes; it gives the
same selection as filtering everything first, since a kernel's fate depends only on better ones.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from linguacodus_core.curation import cells
from linguacodus_core.curation.duplicates import Families, Signature, signature
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.syntax import flaw

CELL = "\x00\n"
"""Between the cells of a kernel: Python holds no NUL, and a cell's first line still begins a line."""

BEYOND = "beyond the top"
NO_CODE, SHORT, LONG, NO_MODEL, DUPLICATE = "no code", "too short", "too long", "no model", "near-duplicate"

_MODEL_MARKS = (".fit(", ".predict(", ".predict_proba(", ".to_csv(")
"""The most frequent of what _MODEL finds, for which no regular expression is needed."""

_MODEL = re.compile(
    r"\.(?:fit|fit_transform|fit_generator|predict|predict_proba|train|backward|compile|generate)\s*\("
    r"|from_pretrained\s*\(|\b(?:lgb|lgbm|lightgbm|xgb|xgboost)\.(?:train|cv)\s*\(|(?:to_csv|write_csv|load_state_dict|load_model|joblib\.load)\s*\(|Learner\w{0,30}\("
)


@dataclass(frozen=True)
class Ranked:
    """A kernel in rank order. place_known: False where nothing ranks it."""

    kernel: str
    ranked_by: str
    score: float | None
    votes: int | None


@dataclass
class Selection:
    """Rows of `solutions` (with `signature`), and (kernel, reason, detail) of those that were dropped."""

    solutions: list[dict[str, object]] = field(default_factory=list)
    dropped: list[tuple[str, str, str]] = field(default_factory=list)


def select(
    competition: str, ranked: Sequence[Ranked], code: Mapping[str, str], options: CurationOptions
) -> Selection:
    """The competition's solutions, best first.

    code: kernel -> its code cells in order, CELL between them. Solutions that something ranks have the places
    1, 2, ...; the others have none. The best of a family of near-duplicates is kept.
    """
    found = Selection()
    families = Families(options.similarity)
    for kernel in ranked:
        if len(found.solutions) == options.top:
            found.dropped.append((kernel.kernel, f"{BEYOND} {options.top}", ""))
            continue
        joined = code.get(kernel.kernel, "")
        if len(joined) > options.most_characters:
            found.dropped.append((kernel.kernel, LONG, f"{len(joined):,} characters"))
            continue
        source = _source(joined)
        reason, detail = unusable(source, options)
        if reason:
            found.dropped.append((kernel.kernel, reason, detail))
            continue
        values = signature(source)
        if near := families.nearest(values):
            found.dropped.append((kernel.kernel, DUPLICATE, f"of {near[0]} ({near[1]:.2f})"))
            continue
        reason, detail = flaw(source)
        if reason:
            found.dropped.append((kernel.kernel, reason, detail))
            continue
        families.add(kernel.kernel, values)
        found.solutions.append(_row(competition, kernel, source, values, len(found.solutions) + 1))
    return found


def _source(joined: str) -> str:
    joined = joined.replace("\r\n", "\n")
    if not cells.suspect(joined):
        return joined.replace(CELL, "\n")
    return cells.join(joined.split(CELL))


def unusable(source: str, options: CurationOptions) -> tuple[str, str]:
    """(reason, detail) why a source is no solution, whatever its syntax; ("", "") when it may be one."""
    code = (line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    lines = len(list(islice(code, options.least_lines)))
    if lines == 0:
        return NO_CODE, ""
    if lines < options.least_lines:
        return SHORT, f"{lines} lines"
    if not any(mark in source for mark in _MODEL_MARKS) and not _MODEL.search(source):
        return NO_MODEL, "nothing is fitted, predicted or written"
    return "", ""


def _row(competition: str, kernel: Ranked, source: str, values: Signature, place: int) -> dict[str, object]:
    sha256 = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "solution": hashlib.sha256(f"{competition}\0{kernel.kernel}\0{sha256}".encode()).hexdigest()[:16],
        "kernel": kernel.kernel,
        "competition": competition,
        "place": None if kernel.ranked_by == "nothing" else place,
        "ranked_by": kernel.ranked_by,
        "score": kernel.score,
        "votes": kernel.votes,
        "code": source,
        "code_sha256": sha256,
        "lines": source.count("\n") + 1,
        "signature": values,
    }
