"""The time of one generation, counted across restarts."""

import time
from contextvars import ContextVar

STARTED: ContextVar[float | None] = ContextVar("started", default=None)
"""When the work began (of time.monotonic()): the command line says so, to count its own start too."""


class Clock:
    """Seconds used so far, those of earlier processes included, against a limit."""

    def __init__(self, limit: float, used: float = 0.0) -> None:
        """used: seconds of earlier processes. This one counts from STARTED, where that is set."""
        self.limit = limit
        self._used = used
        self._start = STARTED.get() or time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of work, of this process and of those before it."""
        return self._used + time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the limit, never negative."""
        return max(0.0, self.limit - self.elapsed)
