"""How far a long step is: a live status, a line now and then, a progress artifact of the Prefect UI."""

import time
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.futures import PrefectFuture, as_completed

from linguacodus_core.llm.progress import Progress
from linguacodus_core.progress import doing, say
from tasks.ui import courtesy

SAY_SECONDS = 15.0
"""A long step says no more often how far it is; a terminal's live line and the artifact move more often."""

SAY_SHARE = 0.05
"""No line before so much of the time since the beginning has passed again: hours give lines, not pages."""

SHOW_SECONDS = 1.0

Made = TypeVar("Made")


class Counting:
    """How far one step is."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self._began = self._said = time.monotonic()
        self._shown = 0.0
        self._artifact: UUID | None = None
        if total is not None:
            with courtesy():
                made = create_progress_artifact(0.0, description=what)
                self._artifact = made if isinstance(made, UUID) else None

    def more(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        seconds = max(time.monotonic() - self._began, 1e-3)
        of = f" of {self.total:,}" if self.total is not None else f", {self.done / seconds:,.0f}/s"
        self.show(f"{self.what}: {self.done:,}{of}", self.done, self.total)

    def answered(self, progress: Progress) -> None:
        """A call more is answered."""
        self.show(f"{self.what}: {progress.line()}", progress.done, progress.total)

    def collect(self, futures: Sequence[PrefectFuture[Made]]) -> list[Made]:
        """The results of submitted tasks in their order, counted as they come. Raises the first failure."""
        for future in as_completed(list(futures)):
            future.result()
            self.more()
        return [future.result() for future in futures]

    def end(self) -> None:
        """The step is done."""
        self._advance(100.0)

    def show(self, line: str, done: int, total: int | None, *, aloud: bool = False) -> None:
        """So many of the total are done: the live status moves, a line is said now and then (aloud: now)."""
        now = time.monotonic()
        if now - self._shown < SHOW_SECONDS and done != total and not aloud:
            return
        self._shown = now
        doing(line)
        if aloud or now - self._said > max(SAY_SECONDS, SAY_SHARE * (now - self._began)):
            self._said = now
            say(line)
        if total:
            self._advance(100 * done / total)

    def _advance(self, percent: float) -> None:
        if self._artifact:
            with courtesy():
                update_progress_artifact(self._artifact, progress=percent)
