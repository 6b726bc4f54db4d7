"""The language model's lane of a generation: one step of the agenda at a time, beside the harness."""

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect.futures import PrefectFuture

from linguacodus_core.errors import (
    BudgetExceeded,
    EndpointError,
    LinguacodusError,
    ModelUnavailable,
    ProfileError,
    PromptTooLong,
    UnusableReply,
)
from linguacodus_core.generation.agenda import Step, next_step
from linguacodus_core.generation.outputs import money_spent
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.write import Written
from linguacodus_core.llm.adapted import models_of
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.server import endpoints_for
from linguacodus_core.progress import say
from linguacodus_core.settings import ledger_path
from tasks.generate import write_step
from tasks.models import fetch_model

ENDS_THE_LANE = (BudgetExceeded, EndpointError, ModelUnavailable, ProfileError)
ENDS_THE_STEP = (PromptTooLong, UnusableReply)
CLOSING_SECONDS = 3.0
"""How long the ledger and the server are kept for a step that is being given up."""


class WriterLane:
    """Asks for one step after the other, each as soon as the one before has ended.

    Everything that the lane changes in the run's search goes through `search`, which is thread-safe.
    """

    def __init__(self, run: Run, client: Client | None) -> None:
        self._run = run
        self._client = client
        self._step: Step | None = None
        self._error: Exception | None = None
        self._changed = threading.Event()
        self._flow = contextvars.copy_context()

    @property
    def busy(self) -> bool:
        """Whether the model is at work. Raises what went wrong in the lane itself."""
        if self._error:
            raise self._error
        return self._step is not None

    def wait(self, seconds: float) -> None:
        """Wait until the model has brought something, at most so long."""
        self._changed.wait(seconds)
        self._changed.clear()

    def ask(self) -> None:
        """Begin the next step of the agenda, if there is one; its end begins the one after."""
        client = self._client
        self._step = _next(self._run) if client and self._run.search.seconds_for_next else None
        if client and self._step:
            future = write_step.submit(self._step, self._run, client)
            future.add_done_callback(lambda done: self._flow.copy().run(self._ended, done))

    def close(self) -> None:
        """Give up the step that is under way and begin no further one; what still comes is left out."""
        client, self._client = self._client, None
        if client:
            client.close()
        until = time.monotonic() + CLOSING_SECONDS
        while self._step and time.monotonic() < until:
            self.wait(0.1)

    def _ended(self, future: PrefectFuture[Any]) -> None:
        try:
            if self._client:
                self._take(future.result(raise_on_failure=False))
            self.ask()
        except Exception as error:  # for the flow's thread: here nobody would see it
            self._error, self._client, self._step = error, None, None
        self._changed.set()

    def _take(self, written: object) -> None:
        step, client, run = self._step, self._client, self._run
        assert step is not None
        assert client is not None
        calls, client.asked = client.asked, []
        if isinstance(written, ENDS_THE_LANE) and not isinstance(written, ENDS_THE_STEP):
            self._client = None
            run.search.give_up("", written.problem, calls)
            run.go_on_without_model(written)
        elif isinstance(written, Written) and written.instruction:
            run.search.learn(written.instruction, step.id, calls)
            say(f"the model wrote the {step.words}")
        elif isinstance(written, Written) and written.candidate:
            new = run.search.offer(written.candidate, step.id, calls)
            known = "" if new else " (the same program is known already)"
            say(f"the model wrote {written.candidate.label}{known}")
        else:
            why = written.problem if isinstance(written, LinguacodusError) else f"unexpected: {written!r}"
            run.search.give_up(step.id, why, calls)
            say(f"no {step.words}: {why}")


def _next(run: Run) -> Step | None:
    search = run.search
    return next_step(
        run.request, search.instructions, search.ranked_instructions, search.done, search.written
    )


@contextmanager
def writer_lane(run: Run) -> Iterator[WriterLane]:
    """The lane with its endpoint up; an idle one where it cannot be had, or there is no time or step."""
    if not _next(run) or not run.search.seconds_for_next:
        yield WriterLane(run, None)
        return
    with ExitStack() as stack:
        try:
            for model in models_of(run.profile):
                fetch_model(model)
            url, elsewhere = stack.enter_context(endpoints_for(run.profile))
            money = max(0.0, run.request.budget_usd - money_spent(run))
            budget = Budget(usd=money, seconds=run.clock.left)
            ledger = stack.enter_context(Ledger(ledger_path()))
            client = Client(run.profile, ledger, budget, url, endpoint_overrides=elsewhere)
            lane = WriterLane(run, client)
        except LinguacodusError as error:
            run.go_on_without_model(error)
            lane = WriterLane(run, None)
        stack.callback(lane.close)
        lane.ask()
        yield lane
