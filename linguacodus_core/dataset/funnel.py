"""How many kernels each step of a rebuild left out, and why: the rows of `dropped`, counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

UNITS = ("competitions", "kernels", "code_blocks", "instructions", "examples")
"""The tables that rows are dropped from, in the order of the steps."""


def reasons(dropped: pa.Table) -> Iterator[tuple[str, str, int]]:
    """(table, reason, rows) in the order of the steps, most frequent reason first; without notes."""
    counts = Counter((row["table"], row["reason"]) for row in dropped.select(["table", "reason"]).to_pylist())
    yield from _ordered(counts)


def _ordered(counts: Counter[tuple[str, str]]) -> Iterator[tuple[str, str, int]]:
    order = {name: number for number, name in enumerate(UNITS)}
    known = [item for item in counts.items() if item[0][0] in order]
    for (name, reason), count in sorted(known, key=lambda item: (order[item[0][0]], -item[1], item[0][1])):
        yield name, reason, count


def added(parts: Iterable[Iterable[tuple[str, str, int]]]) -> list[tuple[str, str, int]]:
    """The counts of several tables `dropped` as one, in the order of the steps."""
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        for name, reason, count in part:
            counts[name, reason] += count
    return list(_ordered(counts))


def lines(counts: Sequence[tuple[str, str, int]], kernels: int, solutions: int) -> list[str]:
    """The funnel for a terminal: all kernels, what each reason took, the solutions that are left."""

    def left_out(unit: str, what: str) -> list[str]:
        return [f"{-count:>12,}  {what}{reason}" for name, reason, count in counts if name == unit]

    said = [f"{kernels:>12,}  kernels", *left_out("kernels", "")]
    return [
        *said,
        f"{solutions:>12,}  solutions",
        *left_out("instructions", ""),
        *left_out("examples", "examples: "),
    ]
