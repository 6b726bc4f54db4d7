"""Which competitions are held out, and which kernels must not stand in training because of them.

A competition's split follows from its name, so that it does not move when others come; those whose
descriptions are near-duplicates (re-runs) stay together, by the name that comes first.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

import pyarrow as pa

from linguacodus_core.curation.duplicates import Families, signature, unpacked

Split = Literal["train", "validation", "test"]
HELD_OUT: tuple[Split, ...] = ("test", "validation")
SHORTEST = 200
"""Characters that a description needs to tell that two competitions are the same."""


def splits(competitions: pa.Table, held_out: float, similarity: float) -> dict[str, Split]:
    """competition -> train, validation or test.

    held_out: the share of competitions in validation, and again in test. With three competitions or more,
    validation is never empty; with fewer, all are for training. Training is never empty.
    """
    groups = _groups(competitions, similarity)
    drawn = {group: _draw(group) for group in sorted(set(groups.values()))}
    chosen = {group: _split(number, held_out) for group, number in drawn.items()}
    if len(drawn) < 3:
        chosen = dict.fromkeys(drawn, "train")
    elif "validation" not in chosen.values():
        chosen[min(drawn, key=lambda group: abs(drawn[group] - held_out))] = "validation"
    if "train" not in chosen.values() and chosen:
        chosen[max(drawn, key=lambda group: drawn[group])] = "train"
    return {competition: chosen[group] for competition, group in groups.items()}


def across_the_split(
    solutions: Iterable[Mapping[str, object]], split: Mapping[str, Split], similarity: float
) -> dict[str, str]:
    """Solutions that may not be used, since a near-duplicate stands in a split further out -> that solution.

    solutions: rows with solution, competition, signature. Test stands before validation, validation before
    train: it is the training side that gives way.
    """
    rows = list(solutions)
    families = Families(similarity)
    leaks: dict[str, str] = {}
    for side in (*HELD_OUT, "train"):
        new = []
        for row in rows:
            if split[str(row["competition"])] != side:
                continue
            values = unpacked(row["signature"])  # type: ignore[arg-type]
            if near := families.nearest(values):
                leaks[str(row["solution"])] = near[0]
            elif side != "train":
                new.append((str(row["solution"]), values))
        for name, values in new:
            families.add(name, values)
    return leaks


def _draw(name: str) -> float:
    """A number in [0, 1) that belongs to the name for ever."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]) / 2**56


def _split(number: float, held_out: float) -> Split:
    return "test" if number < held_out else "validation" if number < 2 * held_out else "train"


def _groups(competitions: pa.Table, similarity: float) -> dict[str, str]:
    families = Families(similarity)
    groups: dict[str, str] = {}
    for row in competitions.select(["competition", "description"]).sort_by("competition").to_pylist():
        name, description = row["competition"], row["description"] or ""
        groups[name] = name
        if len(description) < SHORTEST:
            continue
        values = signature(_sentences(description))
        if near := families.nearest(values):
            groups[name] = near[0]
        else:
            families.add(name, values)
    return groups


def _sentences(text: str) -> str:
    return text.replace(". ", ".\n").lower()
