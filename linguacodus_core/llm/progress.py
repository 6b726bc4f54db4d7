"""How far many calls are: counts, rate, money so far and in all, time left."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from linguacodus_core.llm.meter import Meter

WINDOW_SECONDS = 30.0
FEWEST = 16
"""Events that a rate looks back to at least, however long ago they were."""


@dataclass(frozen=True)
class Progress:
    """How far the rows are.

    done: rows with a result, an error too; failed: those with an error; cached: those that the
    ledger answered. total: all rows, None where nobody knows. rate: rows a second, lately. usd and
    tokens: spent now. projected_usd: for all rows, by the mean of those that were paid for, None
    while none was. seconds_left: None while nothing can be said.
    """

    done: int
    failed: int
    cached: int
    total: int | None
    rate: float
    usd: float
    tokens: int
    projected_usd: float | None
    seconds_left: float | None

    @property
    def left(self) -> int | None:
        """Rows without a result."""
        return None if self.total is None else self.total - self.done

    def line(self) -> str:
        """One line for a terminal: "1,203 of 7,023 (17 %), 64/s, $0.41 so far, about $2.40 in all, ..."."""
        parts = [self.counted()]
        if self.cached:
            parts.append(f"{self.cached:,} known before")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.rate:
            parts.append(f"{self.rate:.0f}/s" if self.rate >= 10 else f"{self.rate:.2g}/s")
        if self.usd or self.projected_usd:
            parts.append(f"${self.usd:.2f} so far")
            if self.projected_usd is not None:
                parts.append(f"about ${self.projected_usd:.2f} in all")
        elif self.tokens:
            parts.append(f"{self.tokens:,} tokens")
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        return ", ".join(parts)

    def counted(self) -> str:
        """The rows that are done, of all where that is known."""
        if self.total is None:
            return f"{self.done:,}"
        share = 100 * self.done / self.total if self.total else 100
        return f"{self.done:,} of {self.total:,} ({share:.0f} %)"

    def left_to_do(self) -> str:
        """What is done, what is left, and what that may cost, as the end of a sentence."""
        said = f"{self.done:,} rows are done"
        if self.failed:
            said += f" ({self.failed:,} of them without a usable answer)"
        if self.left is not None:
            said += f", {self.left:,} are left"
            if self.projected_usd is not None and self.projected_usd > self.usd:
                said += f" and may cost about ${self.projected_usd - self.usd:.2f}"
        return said


def duration(seconds: float) -> str:
    """Seconds for a reader: "45 s", "1 min 31 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Pace:
    """Events a second over the last WINDOW_SECONDS, or over the last FEWEST events where those are fewer."""

    def __init__(self, start: float) -> None:
        self._times = deque([start])

    def add(self, now: float) -> None:
        """One event at that time, in seconds."""
        self._times.append(now)
        while len(self._times) > FEWEST and self._times[0] < now - WINDOW_SECONDS:
            self._times.popleft()

    def rate(self, now: float) -> float:
        """Events a second."""
        return (len(self._times) - 1) / max(now - self._times[0], 1e-6)


@dataclass
class Tally:
    """Counts results into a Progress. total: all rows, None where nobody knows."""

    total: int | None
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    failed: int = 0
    cached: int = 0
    paid: int = 0
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self._all, self._paid = Pace(self.clock()), Pace(self.clock())

    def add(self, meter: Meter, failed: bool) -> None:
        """One row is done, for which these calls were made."""
        now = self.clock()
        self.done += 1
        self.failed += failed
        self.meter.add(meter)
        self._all.add(now)
        if meter.made:
            self.paid += 1
            self._paid.add(now)
        elif meter.known and not failed:
            self.cached += 1

    def progress(self) -> Progress:
        """How far it is."""
        now = self.clock()
        left = None if self.total is None else self.total - self.done
        rate = self._all.rate(now)
        projected = seconds = None
        if left == 0:
            projected, seconds = self.meter.usd, 0.0
        elif left is not None and self.paid:
            projected = self.meter.usd + left * self.meter.usd / self.paid
            seconds = left / max(self._paid.rate(now), 1e-9)
        elif left is not None and self.done:
            seconds = left / max(rate, 1e-9)
        return Progress(
            self.done,
            self.failed,
            self.cached,
            self.total,
            rate,
            self.meter.usd,
            self.meter.tokens,
            projected,
            seconds,
        )
