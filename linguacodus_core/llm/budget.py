"""A budget in money, tokens and time, reserved before each call and settled after it.

Reserving is what keeps many calls at a time from passing the budget together: what is spent, what
is reserved and what the next call may cost never exceed the limit at the moment it is sent.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from linguacodus_core.errors import BudgetExceeded


@dataclass(frozen=True)
class Cost:
    """US dollars and tokens (prompt and completion together)."""

    usd: float = 0.0
    tokens: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.usd - other.usd, self.tokens - other.tokens)


NOTHING = Cost()
ROUNDING = 1e-9


@dataclass
class Ticket:
    """One reservation. `settle` says what the call really cost; unsettled, it cost nothing."""

    projected: Cost
    real: Cost = NOTHING

    def settle(self, real: Cost) -> None:
        """Book the real cost instead of the projected one."""
        self.real = real


class Budget:
    """Limits for one run; None: no limit. Thread-safe. The clock starts when it is made.

    usd: US dollars. tokens: prompt and completion tokens together. seconds: wall-clock time.
    """

    def __init__(
        self, usd: float | None = None, tokens: int | None = None, seconds: float | None = None
    ) -> None:
        self.usd, self.tokens, self.seconds = usd, tokens, seconds
        self._started = time.monotonic()
        self._spent = NOTHING
        self._reserved = NOTHING
        self._under_way = 0
        self._changed = threading.Condition()

    @property
    def spent(self) -> Cost:
        """What the settled calls cost."""
        with self._changed:
            return self._spent

    def seconds_left(self) -> float | None:
        """Seconds until the time is up (never negative), None without a limit."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - (time.monotonic() - self._started))

    def fits(self, projected: Cost) -> bool:
        """Whether that much could be reserved now."""
        with self._changed:
            return self._fits(self._held(), projected)

    @contextmanager
    def reserve(self, projected: Cost, wait: float | None = None) -> Iterator[Ticket]:
        """Hold the projected cost while a call is under way, then book what it settled for.

        Where only calls under way stand in the way, it waits for them, `wait` seconds at most
        (None: until they end). Raises BudgetExceeded when the call does not fit; nothing is booked.
        """
        until = None if wait is None else time.monotonic() + wait
        with self._changed:
            while not self._fits(self._held(), projected):
                self._refuse_unless(self._fits(self._spent, projected) and self._under_way > 0, projected)
                left = None if until is None else until - time.monotonic()
                self._refuse_unless(left is None or left > 0, projected)
                self._changed.wait(0.5 if left is None else min(0.5, left))
            self._reserved += projected
            self._under_way += 1
        ticket = Ticket(projected)
        try:
            yield ticket
        finally:
            with self._changed:
                self._under_way -= 1
                self._reserved = self._reserved - projected if self._under_way else NOTHING
                self._spent += ticket.real
                self._changed.notify_all()

    def _held(self) -> Cost:
        return self._spent + self._reserved

    def _fits(self, held: Cost, projected: Cost) -> bool:
        total = held + projected
        if self.usd is not None and projected.usd > 0 and total.usd > self.usd + ROUNDING:
            return False
        if self.tokens is not None and total.tokens > self.tokens:
            return False
        return self.seconds_left() != 0.0

    def _refuse_unless(self, fits: bool, projected: Cost) -> None:
        if fits:
            return
        parts, options = [], []
        if self.usd is not None:
            parts.append(
                f"spent ${self._spent.usd:.4f} of ${self.usd:.4f}, "
                f"the next call may cost ${projected.usd:.4f}, "
                f"${max(0.0, self.usd - self._held().usd):.4f} is left"
            )
            options.append("the money (--budget-usd)")
        if self.tokens is not None:
            parts.append(
                f"used {self._spent.tokens:,} of {self.tokens:,} tokens, the next call may take "
                f"{projected.tokens:,}, {max(0, self.tokens - self._held().tokens):,} are left"
            )
            options.append("the tokens")
        if self.seconds is not None:
            elapsed = time.monotonic() - self._started
            parts.append(f"{elapsed:.0f} of {self.seconds:.0f} seconds are gone")
            options.append("the time (--time-limit)")
        raise BudgetExceeded(
            f"the next call would pass the budget: {'; '.join(parts)}",
            f"raise {' or '.join(options)}; what is in the ledger costs nothing when run again",
        )
