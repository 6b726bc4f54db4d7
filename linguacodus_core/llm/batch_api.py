"""The Batch API of an OpenAI-compatible endpoint: files of requests up, batches, files of replies down.

https://platform.openai.com/docs/api-reference/batch: a batch is made of an uploaded file (purpose
"batch", JSON lines of custom_id, method, url, body); its replies come as JSON lines of custom_id and
response (status_code, body) or error, in a file of successes and a file of errors.
"""

import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from typing import IO, Any, Literal, TypeVar

import httpx2
import openai
from pydantic import BaseModel

from linguacodus_core.errors import EndpointError
from linguacodus_core.llm import chat, deadline
from linguacodus_core.llm.endpoint import PASSING, Endpoint

R = TypeVar("R")

URL = "/v1/chat/completions"
TRANSFER_SECONDS = 900.0
LONGEST_FILE = 2 << 30
TAG = "linguacodus"
"""The key of a batch's metadata that holds our own id of it."""
PAGE = 100
AGE_SECONDS = 86_400.0
"""How much older than what is looked for a listed batch may be, by the endpoint's clock."""
LACKING = frozenset({404, 405, 501})

State = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]


class Counts(BaseModel):
    """How many requests of a batch are answered."""

    completed: int = 0
    failed: int = 0
    total: int = 0


class Problem(BaseModel):
    """Why a batch failed; line: of its file."""

    code: str | None = None
    message: str | None = None
    line: int | None = None


class Problems(BaseModel):
    """Why a batch failed."""

    data: list[Problem] | None = None


class RemoteBatch(BaseModel):
    """A batch as the endpoint describes it; only the fields that are used here."""

    id: str
    status: State
    created_at: float = 0.0
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: Counts | None = None
    errors: Problems | None = None
    metadata: dict[str, str] | None = None

    @property
    def open(self) -> bool:
        """Whether the endpoint is still at it."""
        return self.status in {"validating", "in_progress", "finalizing", "cancelling"}

    def said(self) -> list[str]:
        """Why it failed, one problem each."""
        found = []
        for problem in (self.errors and self.errors.data) or []:
            text = problem.message or problem.code or "no reason given"
            found.append(f"line {problem.line}: {text}" if problem.line is not None else text)
        return found


def line(key: str, body: dict[str, Any]) -> bytes:
    """One request of a batch's file."""
    return chat.encoded({"custom_id": key, "method": "POST", "url": URL, "body": body}) + b"\n"


class BatchApi:
    """The Batch API behind one endpoint, with its retries and deadlines; raises EndpointError."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._api = endpoint, endpoint.api

    def upload(self, name: str, content: IO[bytes]) -> str:
        """Upload a file of requests; its id. Tried again where that can help: a file costs nothing."""

        def send(timeout: openai.Timeout) -> Any:
            content.seek(0)
            return self._api.files.create(
                file=(name, content, "application/jsonl"), purpose="batch", timeout=timeout
            )

        found = self._tried(send, "POST /files", TRANSFER_SECONDS, LACKING)
        identity = getattr(found, "id", None)
        if not isinstance(identity, str):
            raise self._lacking("its answer to POST /files names no file")
        return identity

    def create(self, file: str, tag: str) -> RemoteBatch:
        """Make a batch of an uploaded file.

        An attempt that failed may have made it all the same: before another one, the batch is looked
        for by its tag.
        """
        until = time.monotonic() + self._endpoint.profile.timeout
        began, attempts = time.time(), 0

        def once() -> RemoteBatch:
            nonlocal attempts
            attempts += 1
            if attempts > 1 and (made := self._found({tag}, began, until).get(tag)):
                return made
            return self._exchanged(
                lambda timeout: self._post(file, tag, timeout), "POST /batches", until, LACKING
            )

        return self._endpoint.retried(once, until)[0]

    def retrieve(self, batch: str) -> RemoteBatch:
        """How a batch stands."""

        def send(timeout: openai.Timeout) -> RemoteBatch:
            return _batch(self._api.get(f"/batches/{batch}", cast_to=object, options={"timeout": timeout}))

        return self._tried(send, f"the batch {batch}", self._endpoint.profile.timeout)

    def find(self, tags: Collection[str], since: float) -> dict[str, RemoteBatch]:
        """The batches of these tags that the endpoint knows, made since then (Unix time)."""
        until = time.monotonic() + self._endpoint.profile.timeout
        return self._endpoint.retried(lambda: self._found(tags, since, until), until)[0]

    def lines(self, file: str) -> Iterator[dict[str, Any]]:
        """The JSON objects of a file of replies, downloaded whole before the first is yielded."""
        with tempfile.TemporaryFile() as content:

            def send(timeout: openai.Timeout) -> None:
                content.seek(0)
                content.truncate()
                deadline.allow(LONGEST_FILE)
                try:
                    with self._api.files.with_streaming_response.content(file, timeout=timeout) as response:
                        for piece in response.iter_bytes():
                            content.write(piece)
                except httpx2.TimeoutException as error:
                    raise openai.APITimeoutError(request=error.request) from error
                except httpx2.TransportError as error:
                    raise openai.APIConnectionError(request=error.request) from error

            self._tried(send, f"the file {file}", TRANSFER_SECONDS)
            content.seek(0)
            for text in content:
                try:
                    value = json.loads(text)
                except ValueError:
                    continue  # what a line does not say is missing, and its call is made again
                if isinstance(value, dict):
                    yield value

    def _post(self, file: str, tag: str, timeout: openai.Timeout) -> RemoteBatch:
        body = {
            "input_file_id": file,
            "endpoint": URL,
            "completion_window": "24h",
            "metadata": {TAG: tag},
        }
        return _batch(self._api.post("/batches", cast_to=object, body=body, options={"timeout": timeout}))

    def _found(self, tags: Collection[str], since: float, until: float) -> dict[str, RemoteBatch]:
        found: dict[str, RemoteBatch] = {}
        after: str | None = None
        while True:
            params = {"limit": PAGE} | ({"after": after} if after else {})

            def send(timeout: openai.Timeout, params: dict[str, Any] = params) -> list[RemoteBatch]:
                page: Any = self._api.get(
                    "/batches", cast_to=object, options={"timeout": timeout, "params": params}
                )
                return [_batch(item) for item in page["data"]]

            batches = self._exchanged(send, "GET /batches", until, LACKING)
            for batch in batches:
                tag = (batch.metadata or {}).get(TAG)
                if tag in tags:
                    found[str(tag)] = batch
            oldest = min((batch.created_at for batch in batches), default=0.0)
            if len(batches) < PAGE or len(found) == len(tags) or oldest < since - AGE_SECONDS:
                return found
            after = batches[-1].id

    def _tried(
        self,
        send: Callable[[openai.Timeout], R],
        asked: str,
        seconds: float,
        lacking: Collection[int] = (),
    ) -> R:
        until = time.monotonic() + seconds
        return self._endpoint.retried(lambda: self._exchanged(send, asked, until, lacking), until)[0]

    def _exchanged(
        self, send: Callable[[openai.Timeout], R], asked: str, until: float, lacking: Collection[int] = ()
    ) -> R:
        """One attempt. lacking: the statuses that say that there is no Batch API."""

        def refused(error: openai.APIStatusError) -> Exception:
            if error.status_code in lacking:
                return self._lacking(f"HTTP {error.status_code} for {asked}")
            return self._endpoint.refusal(error, asked)

        try:
            return self._endpoint.exchange(send, refused, until)
        except (ValueError, LookupError, TypeError) as error:
            raise self._lacking(f"its answer for {asked} is none of that API's") from error

    def _lacking(self, why: str) -> EndpointError:
        return EndpointError(
            f"{self._endpoint.label} offers no Batch API ({why})",
            "leave out --batch, or use the profile of an endpoint that has one",
        )


def surely_not_created(error: EndpointError) -> bool:
    """Whether the endpoint refused a batch with this error, so that it cannot have made it."""
    cause = error.__cause__
    status = cause.status_code if isinstance(cause, openai.APIStatusError) else 0
    return status in LACKING or (400 <= status < 500 and status not in PASSING)


def _batch(value: object) -> RemoteBatch:
    return RemoteBatch.model_validate(value)
