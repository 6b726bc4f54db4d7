"""How many kernels each step of a rebuild left out, and why: the rows of `dropped`, counted."""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

UNITS = ("competitions", "kernels", "code_blocks", "instructions", "examples")
"""The tables that rows are dropped from, in the order of the steps."""


def reasons(dropped: pa.Table) -> Iterator[tuple[str, str, int]]:
    """(table, reason, rows) in the order of the steps, most frequent reason first; without notes."""
    counts = Counter((row["table"], row["reason"]) for row in dropped.select(["table", "reason"]).to_pylist())
    order = {name: number for number, name in enumerate(UNITS)}
    known = [item for item in counts.items() if item[0][0] in order]
    for (name, reason), count in sorted(known, key=lambda item: (order[item[0][0]], -item[1], item[0][1])):
        yield name, reason, count


def lines(counts: list[tuple[str, str, int]], kernels: int, solutions: int, instructions: int) -> list[str]:
    """The funnel for a terminal: kernels, what each reason took, solutions, instructions."""

    def left_out(unit: str) -> list[str]:
        return [f"{-count:>12,}  {reason}" for name, reason, count in counts if name == unit]

    found = [f"{kernels:>12,}  kernels", *left_out("kernels"), f"{solutions:>12,}  solutions"]
    return [*found, *left_out("instructions"), f"{instructions:>12,}  instructions"]
