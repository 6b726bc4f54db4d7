"""Submitting calls to the Batch API: into files by its limits, under the budget, and none of them twice."""

import tempfile
import time
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import IO

from linguacodus_core.errors import BudgetExceeded, EndpointError
from linguacodus_core.llm import batch_api
from linguacodus_core.llm.batch_api import BatchApi
from linguacodus_core.llm.batch_book import Batch, Book, Waiting
from linguacodus_core.llm.budget import NOTHING, Cost
from linguacodus_core.llm.calls import Options, key_of, messages_text, parameters_text
from linguacodus_core.llm.chat import Request
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.prompts import Rendered

SETTLE_SECONDS = 30.0
"""How long after it was asked for a batch may still turn up at the endpoint."""


@dataclass(frozen=True)
class Limits:
    """The most that one batch may hold: requests, and bytes of its file. OpenAI's own by default."""

    requests: int = 50_000
    bytes: int = 195_000_000


@dataclass(frozen=True)
class Ask:
    """One call to submit: what `Client.complete` would be given beside the role."""

    rendered: Rendered
    options: Options = field(default_factory=lambda: Options())


@dataclass(frozen=True)
class Submission:
    """What was submitted.

    batches: the new ones. submitted: calls in them; cost: what these may cost. answered: calls that
    the ledger knew; waiting: calls that an open batch holds already. left and left_cost: calls that
    the budget did not allow, and what they may cost.
    """

    batches: tuple[Batch, ...]
    submitted: int
    cost: Cost
    answered: int
    waiting: int
    left: int
    left_cost: Cost

    def line(self) -> str:
        """One line for a terminal."""
        files = "1 batch" if len(self.batches) == 1 else f"{len(self.batches)} batches"
        parts = [f"{self.submitted:,} calls submitted in {files}"]
        if self.cost.usd:
            parts.append(f"they may cost ${self.cost.usd:.2f}")
        if self.answered:
            parts.append(f"{self.answered:,} were answered before")
        if self.waiting:
            parts.append(f"{self.waiting:,} wait in open batches")
        if self.left:
            parts.append(_left(self.left, self.left_cost))
        return ", ".join(parts)


def settle(client: Client, api: BatchApi, book: Book, endpoint: str) -> list[Waiting]:
    """Find out what became of batches that a run was about to create at an endpoint when it ended.

    Those that the endpoint has are open; the others are dropped, and their calls returned. Raises
    EndpointError when it cannot be found out; then nothing is dropped.
    """
    unsure = [batch for batch in book.batches(endpoint) if batch.remote is None]
    if not unsure:
        return []
    tags, since = {batch.batch for batch in unsure}, min(batch.begun for batch in unsure)
    found = api.find(tags, since)
    settled = max(batch.begun for batch in unsure) + SETTLE_SECONDS
    if len(found) < len(unsure) and (rest := settled - time.time()) > 0:
        client.closing.wait(min(rest, SETTLE_SECONDS))
        found = api.find(tags, since)
    dropped: list[Waiting] = []
    for batch in unsure:
        if remote := found.get(batch.batch):
            book.created(batch.batch, remote.id)
        else:
            dropped += book.calls(batch.batch)
            book.drop(batch.batch)
    return dropped


class Sender:
    """Submits calls of one role."""

    def __init__(self, client: Client, role: str, book: Book, limits: Limits) -> None:
        self._client, self._role, self._book, self._limits = client, role, book, limits
        self._endpoint = client.endpoint_of(role)
        self._api = BatchApi(self._endpoint)
        self._prices = client.profile.role(role).prices
        self._sent: list[Batch] = []

    def send(self, asks: Iterable[Ask]) -> Submission:
        """Submit what is neither answered nor waiting, as far as the budget goes."""
        answered = waiting = left = 0
        left_cost = NOTHING
        with ExitStack() as disk:
            file = _File(self._limits, disk.enter_context(tempfile.TemporaryFile()))
            for ask in asks:
                request = self._client.request(self._role, ask.rendered, **ask.options)
                key = key_of(request)
                if self._client.ledger.knows(key):
                    answered += 1
                    continue
                if key in file.calls or self._book.holds(key):
                    waiting += 1
                    continue
                cost = self._cost(request)
                if left or not self._client.budget.fits(file.cost + cost):
                    left, left_cost = left + 1, left_cost + cost
                    continue
                line = batch_api.line(key, self._endpoint.body(request))
                if not file.takes(line):
                    self._submit(file)
                    file = _File(self._limits, disk.enter_context(tempfile.TemporaryFile()))
                file.add(key, line, request, cost)
            if file.calls:
                self._submit(file)
        if left and not self._sent:
            raise BudgetExceeded(
                f"no call was submitted: the budget does not allow one; {_left(left, left_cost)}",
                "raise the budget (--budget-usd)",
            )
        submitted = sum(batch.calls for batch in self._sent)
        cost = sum((Cost(batch.usd, batch.tokens) for batch in self._sent), NOTHING)
        return Submission(tuple(self._sent), submitted, cost, answered, waiting, left, left_cost)

    def _cost(self, request: Request) -> Cost:
        full = self._client.cost_of(self._role, request)
        return Cost(full.usd * (1 - self._prices.batch_discount), full.tokens)

    def _submit(self, file: "_File") -> None:
        prices = self._prices.in_batch()
        batch = Batch(
            batch=uuid.uuid4().hex,
            endpoint=self._endpoint.label,
            role=self._role,
            model=file.model,
            remote=None,
            begun=time.time(),
            usd=file.cost.usd,
            tokens=file.cost.tokens,
            input_price=prices.input,
            output_price=prices.output,
            calls=len(file.calls),
        )
        with self._client.budget.reserve(file.cost, wait=0.0) as ticket:
            self._book.begin(batch, file.calls.values())
            try:
                uploaded = self._api.upload(f"linguacodus-{batch.batch}.jsonl", file.content)
            except EndpointError as error:
                self._book.drop(batch.batch)
                raise self._told(error) from error.__cause__
            self._book.creating(batch.batch)
            try:
                remote = self._api.create(uploaded, batch.batch)
            except EndpointError as error:
                if batch_api.surely_not_created(error):
                    self._book.drop(batch.batch)
                else:
                    ticket.settle(file.cost)
                raise self._told(error) from error.__cause__
            ticket.settle(file.cost)
            self._book.created(batch.batch, remote.id)
        self._sent.append(replace(batch, remote=remote.id))

    def _told(self, error: EndpointError) -> EndpointError:
        if not self._sent:
            return error
        before = f"{sum(batch.calls for batch in self._sent):,} calls were submitted before that"
        return type(error)(f"{error.problem}; {before}", error.remedy)


class _File:
    """The requests of one batch, on disk, and its calls by key."""

    def __init__(self, limits: Limits, content: IO[bytes]) -> None:
        self._limits, self.content = limits, content
        self.size, self.cost, self.model = 0, NOTHING, ""
        self.calls: dict[str, Waiting] = {}

    def takes(self, line: bytes) -> bool:
        """Whether one more request fits; the first always does."""
        fits = len(self.calls) < self._limits.requests and self.size + len(line) <= self._limits.bytes
        return fits or not self.calls

    def add(self, key: str, line: bytes, request: Request, cost: Cost) -> None:
        """One more request."""
        self.content.write(line)
        self.size, self.cost, self.model = self.size + len(line), self.cost + cost, request.model
        self.calls[key] = Waiting(key, request.prompt, messages_text(request), parameters_text(request))


def _left(calls: int, cost: Cost) -> str:
    return f"{calls:,} calls are left and may cost ${cost.usd:.2f}"
