"""The language model's lane of a generation: one step of the agenda at a time, beside the harness."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect.futures import PrefectFuture

from linguacodus_core.errors import (
    BudgetExceeded,
    EndpointError,
    LinguacodusError,
    ModelUnavailable,
    ProfileError,
    UnusableReply,
)
from linguacodus_core.generation.agenda import Step, next_step
from linguacodus_core.generation.outputs import call_rows
from linguacodus_core.generation.progress import say, warn
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.write import Written
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.server import endpoint_for
from linguacodus_core.settings import ledger_path
from tasks.generate import write_step

ENDS_THE_LANE = (BudgetExceeded, EndpointError, ModelUnavailable, ProfileError)


class WriterLane:
    """Asks for one step after the other; what comes back goes to the search."""

    def __init__(self, run: Run, client: Client | None) -> None:
        self._run = run
        self._client = client
        self._future: PrefectFuture[Written] | None = None
        self._step: Step | None = None

    @property
    def busy(self) -> bool:
        """Whether the model is at work."""
        return self._future is not None

    def tend(self) -> None:
        """Take what the model has finished and ask for the next step; never waits."""
        if self._future and self._future.state.is_final():
            self._take(self._future)
        if self._client and self._future is None:
            search = self._run.search
            step = next_step(
                self._run.request,
                search.instructions,
                search.ranked_instructions,
                search.done,
                search.written,
            )
            if step:
                self._step = step
                self._future = write_step.submit(step, self._run, self._client)

    def wait(self, seconds: float) -> None:
        """Wait until the model has finished its step, at most so long."""
        if self._future:
            self._future.wait(timeout=seconds)

    def _take(self, future: PrefectFuture[Written]) -> None:
        assert self._client is not None
        calls, self._client.asked = self._client.asked, []
        step, self._future = self._step, None
        assert step is not None
        written = future.result(raise_on_failure=False)
        if isinstance(written, ENDS_THE_LANE) and not isinstance(written, UnusableReply):
            self._client = None
            self._run.notes.append(f"the language model was not asked any further: {written.problem}")
            warn(f"going on without the language model: {written}")
        elif isinstance(written, LinguacodusError):
            self._run.search.give_up(step.id, written.problem, calls)
            say(f"no {step.words}: {written.problem}", self._run.standing("searching"))
        elif isinstance(written, BaseException):
            raise written
        elif written.instruction:
            self._run.search.learn(written.instruction, step.id, calls)
            say(f"the model wrote the {step.words}", self._run.standing("searching"))
        elif written.candidate:
            new = self._run.search.offer(written.candidate, step.id, calls)
            known = "" if new else " (the same program is known already)"
            say(f"the model wrote {written.candidate.label}{known}", self._run.standing("searching"))


@contextmanager
def writer_lane(run: Run) -> Iterator[WriterLane]:
    """The lane with its endpoint up; without one (nothing to ask, or it cannot be had) an idle lane."""
    search = run.search
    if not next_step(
        run.request, search.instructions, search.ranked_instructions, search.done, search.written
    ):
        yield WriterLane(run, None)
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(endpoint_for(run.profile))
        except LinguacodusError as error:
            run.notes.append(f"no language model: {error.problem}")
            warn(f"going on without a language model: {error}")
            yield WriterLane(run, None)
            return
        spent = sum(float(str(row["usd"])) for row in call_rows(run))
        budget = Budget(usd=max(0.0, run.request.budget_usd - spent), seconds=run.clock.left)
        yield WriterLane(run, Client(run.profile, Ledger(ledger_path()), budget, endpoint=url))
