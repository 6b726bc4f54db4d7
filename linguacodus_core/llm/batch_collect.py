"""Collecting the replies of batches: into the ledger what was answered, into a list what was not."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from linguacodus_core.errors import EndpointError
from linguacodus_core.llm import chat
from linguacodus_core.llm.batch_api import BatchApi, RemoteBatch, State
from linguacodus_core.llm.batch_book import Batch, Book, Waiting
from linguacodus_core.llm.budget import NOTHING, Cost
from linguacodus_core.llm.endpoint import Endpoint
from linguacodus_core.llm.ledger import CallRecord
from linguacodus_core.llm.profiles import Prices

AT_A_TIME = 500
"""Replies that land in the ledger in one transaction."""


@dataclass(frozen=True)
class Failed:
    """A call that came back without a reply, and why; it may be submitted again."""

    key: str
    prompt: str
    why: str


@dataclass(frozen=True)
class Found:
    """How one batch stands: its state at the endpoint, how many of its requests are done, its errors."""

    batch: Batch
    state: State
    done: int
    errors: tuple[str, ...]

    def line(self) -> str:
        """One line for a terminal."""
        said = f"{self.batch.remote}: {self.state.replace('_', ' ')}, {self.done:,} of {self.batch.calls:,}"
        return "; ".join([said, *self.errors])


@dataclass(frozen=True)
class BatchStatus:
    """What a look at the open batches found.

    batches: each of them. collected: replies that landed in the ledger now, and their cost. failed:
    calls without a reply. waiting: calls in batches that are still open, at any endpoint.
    """

    batches: tuple[Found, ...]
    collected: int
    cost: Cost
    failed: tuple[Failed, ...]
    waiting: int

    def line(self) -> str:
        """One line for a terminal."""
        parts = [f"{self.collected:,} replies collected"]
        if self.cost.usd:
            parts.append(f"${self.cost.usd:.2f}")
        if self.failed:
            parts.append(f"{len(self.failed):,} calls without a reply")
        if self.waiting:
            parts.append(f"{self.waiting:,} still wait")
        return ", ".join(parts)


class Collector:
    """Looks at batches one after the other and adds up what it finds."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._batches: list[Found] = []
        self._failed: list[Failed] = []
        self._collected, self._cost = 0, NOTHING

    def never_created(self, calls: list[Waiting]) -> None:
        """Calls of batches that never came to be."""
        why = "its batch was never created"
        self._failed += [Failed(call.key, call.prompt, why) for call in calls]

    def look(self, api: BatchApi, endpoint: Endpoint) -> None:
        """Look at every open batch of an endpoint; close those that have ended."""
        for batch in self._book.batches(endpoint.label):
            if batch.remote is None:
                continue
            remote = api.retrieve(batch.remote)
            counts = remote.request_counts
            errors = tuple(endpoint.scrub(error) for error in remote.said())
            done = counts.completed + counts.failed if counts else 0
            self._batches.append(Found(batch, remote.status, done, errors))
            if not remote.open:
                self._close(api, endpoint, batch, remote, "; ".join(errors))

    def status(self) -> BatchStatus:
        """What was found."""
        waiting = sum(batch.calls for batch in self._book.batches())
        return BatchStatus(tuple(self._batches), self._collected, self._cost, tuple(self._failed), waiting)

    def _close(
        self, api: BatchApi, endpoint: Endpoint, batch: Batch, remote: RemoteBatch, errors: str
    ) -> None:
        files = [file for file in (remote.output_file_id, remote.error_file_id) if file]
        if not files and remote.request_counts and remote.request_counts.completed:
            raise EndpointError(
                f"{endpoint.label} says that {remote.id} is {remote.status} and names no file of replies",
                "collect again later",
            )
        why: dict[str, str] = {}
        for file in files:
            self._read(api, file, batch, why)
        nothing = errors or f"no reply: the batch is {remote.status}"
        for call in self._book.calls(batch.batch):
            said = endpoint.scrub(why.get(call.key, nothing))
            self._failed.append(Failed(call.key, call.prompt, said))
        self._book.drop(batch.batch)

    def _read(self, api: BatchApi, file: str, batch: Batch, why: dict[str, str]) -> None:
        """Put the replies of a file into the ledger; add to `why` what came instead of a reply."""
        records: list[CallRecord] = []
        for line in api.lines(file):
            key = line.get("custom_id")
            call = self._book.call(key, batch.batch) if isinstance(key, str) else None
            if call is None:
                continue
            try:
                records.append(_record(batch, call, _completion(line)))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                why[call.key] = " ".join(str(error).split())[:300]
            if len(records) >= AT_A_TIME:
                self._keep(records)
                records = []
        self._keep(records)

    def _keep(self, records: list[CallRecord]) -> None:
        self._book.answered(records)
        self._collected += len(records)
        for record in records:
            self._cost += Cost(record.usd, record.prompt_tokens + record.completion_tokens)


def _completion(line: dict[str, Any]) -> Any:
    """The chat completion of one line. Raises ValueError saying what came instead."""
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and response.get("status_code", 200) == 200:
        return response["body"]
    if isinstance(response, dict):
        raise ValueError(f"HTTP {response.get('status_code')}: {_message(response.get('body'))}")
    raise ValueError(_message({"error": error}))


def _message(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else body
    if isinstance(error, dict):
        return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name)) or "no reason"
    return str(error or "no reason")


def _record(batch: Batch, call: Waiting, completion: Any) -> CallRecord:
    try:
        reply = chat.reply_in(completion, json.loads(call.messages))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("its reply is no chat completion") from error
    prices = Prices(input=batch.input_price, output=batch.output_price)
    return CallRecord(
        key=call.key,
        role=batch.role,
        model=batch.model,
        endpoint=batch.endpoint,
        prompt=call.prompt,
        messages=call.messages,
        parameters=call.parameters,
        reply=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        usd=prices.usd(reply.prompt_tokens, reply.completion_tokens),
        seconds=0.0,
        attempts=1,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
