"""What the calls of one piece of work take, counted in the thread that makes them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_thread = threading.local()


@dataclass
class Meter:
    """made: calls that were made now, with their usd and tokens (prompt and completion); known: calls
    that the ledger answered."""

    made: int = 0
    known: int = 0
    usd: float = 0.0
    tokens: int = 0

    def add(self, other: "Meter") -> None:
        """Count another meter's calls in."""
        self.made += other.made
        self.known += other.known
        self.usd += other.usd
        self.tokens += other.tokens


@contextmanager
def metered() -> Iterator[Meter]:
    """Count this thread's calls until the block ends; a block around it counts them too."""
    outer: Meter | None = getattr(_thread, "meter", None)
    meter = _thread.meter = Meter()
    try:
        yield meter
    finally:
        _thread.meter = outer
        if outer is not None:
            outer.add(meter)


def count(meter: Meter) -> None:
    """Add calls to the meter of this thread, where it has one."""
    if (running := getattr(_thread, "meter", None)) is not None:
        running.add(meter)
