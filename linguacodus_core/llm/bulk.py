"""Many calls at a time: thousands of rows, each asked through one client, results as they come.

Every call goes through `Client.complete` and so through the ledger and under the budget: what was
answered once is found again by the next run, whenever this one ends.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Generic, TypeVar

from linguacodus_core.errors import EndpointError, LinguacodusError, PromptTooLong, UnusableReply
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.endpoint import refuses_everyone
from linguacodus_core.llm.meter import Meter, metered
from linguacodus_core.llm.progress import Progress, Tally

T = TypeVar("T")
R = TypeVar("R")

GRACE_SECONDS = 2.0
"""How long the calls under way are waited for when the caller gives up (Ctrl-C, break)."""
ROOM = 2
"""Rows for each worker that may be begun and not yet handed on."""
LOOK_SECONDS = 0.25
"""How often a worker that waits for the caller looks whether the work has ended."""


def each(
    client: Client,
    rows: Iterable[T],
    ask: Callable[[T], R],
    *,
    total: int | None = None,
    workers: int | None = None,
    on_done: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[T, R | Exception]]:
    """Ask for every row, many at a time; yield each row with its result, in the order of completion.

    ask: called in the workers' threads; makes its calls by `client`. rows: pulled as workers become
    free, one at a time, never from two threads at once. total: how many rows there are, where `rows`
    has no length. workers: rows at a time (default: the profile's concurrency). on_done: called
    before each result is yielded, in the caller's thread. stop: when set, no more rows are begun; the
    results of those under way are yielded, then the iteration ends.

    An error that is one row's own is that row's result: UnusableReply, PromptTooLong, and an
    EndpointError as long as other rows are answered. One that concerns every row (BudgetExceeded, a
    refused key, an endpoint that cannot be reached or answers nobody, StoreError) begins no more
    rows; the results of those under way are yielded, then an error of the same class is raised that
    says what is done, what is left and what that may cost. Whatever else `ask` or `rows` raises is
    raised then as it is. When the caller gives up (Ctrl-C, break), calls under way are waited for
    GRACE_SECONDS at most; their answers land in the ledger as long as it is open.
    """
    if total is None and isinstance(rows, Sized):
        total = len(rows)
    tally = Tally(total)
    crew = _Crew(client, iter(rows), ask, workers or client.profile.concurrency, stop)
    try:
        for row, result, meter in crew.results():
            tally.add(meter, isinstance(result, Exception))
            if on_done is not None:
                on_done(tally.progress())
            yield row, result
    finally:
        crew.dismiss()
    if (cause := crew.cause) is None:
        return
    if not isinstance(cause, LinguacodusError):
        raise cause
    raise type(cause)(f"{cause.problem}; {tally.progress().left_to_do()}", cause.remedy) from cause


class _Crew(Generic[T, R]):
    """The workers' threads. cause: the error that ended the work, None as long as there is none."""

    def __init__(
        self,
        client: Client,
        rows: Iterator[T],
        ask: Callable[[T], R],
        workers: int,
        stop: threading.Event | None,
    ) -> None:
        self._client, self._rows, self._ask, self._stop = client, rows, ask, stop
        self._pulling = threading.Lock()
        self._room = threading.Semaphore(workers * ROOM)
        self._results: queue.SimpleQueue[tuple[T, R | Exception, Meter] | None] = queue.SimpleQueue()
        self._halted = threading.Event()
        self._in_a_row, self._patience = 0, max(3, workers)
        self.cause: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, name=f"bulk {number}", daemon=True)
            for number in range(workers)
        ]

    def results(self) -> Iterator[tuple[T, R | Exception, Meter]]:
        """Start the workers; their results until every one of them has ended."""
        for thread in self._threads:
            thread.start()
        working = len(self._threads)
        while working:
            found = self._results.get()
            if found is None:
                working -= 1
            else:
                yield found
                self._room.release()

    def dismiss(self) -> None:
        """Begin no more rows; wait a moment for those under way."""
        self._halted.set()
        until = time.monotonic() + GRACE_SECONDS
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        try:
            while self._has_room() and self._one_row():
                pass
        except BaseException as error:
            self._halt(error)
        finally:
            self._results.put(None)

    def _one_row(self) -> bool:
        """Ask for the next row; False when there is none to be begun."""
        with self._pulling:
            if self._ended():
                return False
            try:
                row = next(self._rows)
            except StopIteration:
                self._halted.set()
                return False
        with metered() as meter:
            try:
                result: R | Exception = self._ask(row)
                self._in_a_row = 0
            except EndpointError as error:
                if self._concerns_all(error):
                    raise
                result = error
        self._results.put((row, result, meter))
        return True

    def _concerns_all(self, error: EndpointError) -> bool:
        if isinstance(error, UnusableReply | PromptTooLong):
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        nobody_is_answered = self._in_a_row >= self._patience
        return nobody_is_answered or refuses_everyone(error) or self._client.closing.is_set()

    def _has_room(self) -> bool:
        while not self._room.acquire(timeout=LOOK_SECONDS):
            if self._ended():
                return False
        return True

    def _ended(self) -> bool:
        return self._halted.is_set() or (self._stop is not None and self._stop.is_set())

    def _halt(self, error: BaseException) -> None:
        with self._pulling:
            self.cause = self.cause or error
            self._halted.set()
