"""The time of one generation, counted across restarts."""

import time


class Clock:
    """Seconds used so far, those of earlier processes included, against a limit."""

    def __init__(self, limit: float, used: float = 0.0) -> None:
        self.limit = limit
        self._used = used
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of work, of this process and of those before it."""
        return self._used + time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the limit, never negative."""
        return max(0.0, self.limit - self.elapsed)
