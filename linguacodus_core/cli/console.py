"""What the terminal shows: progress lines with a live status under them, and errors as one message."""

import logging
import time
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from linguacodus_core import store
from linguacodus_core.errors import LinguacodusError
from linguacodus_core.progress import Standing, logger
from linguacodus_core.settings import local_home


def complain(error: LinguacodusError) -> None:
    """One error on stderr: the problem, then what to do."""
    console = Console(stderr=True, highlight=False)
    piped = not console.is_terminal
    console.print(Text.assemble(("error: ", "bold red"), error.problem), soft_wrap=piped)
    if error.remedy:
        console.print(Text.assemble(("  try: ", "bold"), error.remedy), soft_wrap=piped)


def complain_of_a_bug(error: Exception) -> None:
    """An unexpected error: one message, the traceback in a file of LINGUACODUS_HOME/logs."""
    text = "".join(traceback.format_exception(error))
    try:
        log = local_home() / "logs" / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
        store.write_text(log, text)
        where = f"the traceback is in {log}"
    except (OSError, LinguacodusError):
        where = "the traceback could not be kept"
    complain(LinguacodusError(f"unexpected {type(error).__name__}: {error}", f"the same again; {where}"))


class LiveProgress(logging.Handler):
    """Prints the run's progress lines; on a terminal with a status line of time, best score and doing."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(logging.DEBUG)
        self._console = console or Console(highlight=False)
        self._standing: Standing | None = None
        self._since = time.monotonic()
        self._doing = "starting"
        self._live = Live(
            get_renderable=self._status, console=self._console, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> Self:
        logger.addHandler(self)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line; what is below INFO only moves the status."""
        standing = getattr(record, "standing", None)
        if standing:
            self._standing, self._since = standing, time.monotonic()
        self._doing = getattr(record, "doing", self._doing)
        if record.levelno >= logging.INFO:
            message = record.getMessage()
            style = "yellow" if record.levelno >= logging.WARNING else ""
            self._console.print(
                Text.assemble((f"{self._elapsed:6.0f} s  ", "dim"), (message, style)), soft_wrap=True
            )

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._since + (self._standing.elapsed if self._standing else 0.0)

    def _status(self) -> Text:
        if self._standing is None:
            return Text(f"{self._elapsed:6.0f} s  {self._doing}", style="cyan")
        left = max(0.0, self._standing.limit - self._elapsed)
        best = f" · best {self._standing.best}" if self._standing.best else ""
        return Text(f"{self._elapsed:6.0f} s  {self._standing.doing}{best} · {left:.0f} s left", style="cyan")
