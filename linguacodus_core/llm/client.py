"""The one way to an LLM: through the ledger, under the budget, to any OpenAI-compatible endpoint.

A call whose key the ledger knows is not made again. With a schema the reply is decoded under it
where the endpoint can, validated here in any case, and asked for again with the validation error
at most twice; each re-ask is a call of its own.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Unpack

from jsonschema.protocols import Validator

from linguacodus_core.errors import BudgetExceeded, EndpointError, Unanswered, UnusableReply
from linguacodus_core.llm import meter, replies
from linguacodus_core.llm.budget import Budget, Cost
from linguacodus_core.llm.calls import Options, continued, in_words, key_of, record_of
from linguacodus_core.llm.chat import Request, projected_tokens, sendable
from linguacodus_core.llm.endpoint import Endpoint, NoSchema, ping
from linguacodus_core.llm.ledger import CallRecord, Ledger
from linguacodus_core.llm.place import Place
from linguacodus_core.llm.profiles import Profile, Roles
from linguacodus_core.llm.prompts import Rendered

__all__ = ["Client", "Completion", "ping"]

REASKS = 2


@dataclass(frozen=True)
class Completion:
    """What a call gave.

    parsed: the JSON object when a schema was given. key: the ledger key of the (last) call; keys:
    of every call, re-asks included. prompt: the prompt's label. Tokens are those of all these
    calls; usd and seconds are what was spent now: 0 for what the ledger knew (cached).
    """

    text: str
    parsed: dict[str, Any] | None
    key: str
    model: str
    prompt: str
    prompt_tokens: int
    completion_tokens: int
    usd: float
    seconds: float
    cached: bool
    finish_reason: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Done:
    """A call that was made: now, or before (cached). seconds: spent now."""

    record: CallRecord
    cached: bool
    seconds: float


class Client:
    """Calls for one run. Thread-safe; at most profile.concurrency calls are under way at a time.

    `asked`: the ledger keys of every answered call so far, cached ones too, in order. `closing`: set
    by close(); it ends the calls that are under way, and whatever else was given it.
    """

    def __init__(
        self,
        profile: Profile,
        ledger: Ledger,
        budget: Budget,
        endpoint: str | None = None,
        *,
        endpoint_overrides: Mapping[str, str] | None = None,
    ) -> None:
        """endpoint: the base URL to use instead of the profile's, endpoint_overrides: by role, that of
        those which go elsewhere, both as `server.endpoints_for` yields them.

        Raises ProfileError when a model that the run serves itself comes without a URL, or a key is missing.
        """
        self.profile, self.ledger, self.budget = profile, ledger, budget
        self._slots = threading.BoundedSemaphore(profile.concurrency)
        self._shapes: dict[str, _Shape] = {}
        self.asked: list[str] = []
        self.closing = threading.Event()
        self._endpoints = _connected(profile, endpoint, endpoint_overrides or {})
        plain = self.endpoints() if profile.schema_mode == "none" else ()
        self._plain_text: set[Endpoint] = set(plain)

    def __repr__(self) -> str:
        return f"Client(profile={self.profile.name!r})"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self.closing.is_set()

    def close(self) -> None:
        """Close the connections; a call that is under way in another thread ends as an EndpointError."""
        self.closing.set()
        for endpoint in set(self._endpoints.values()):
            endpoint.close()

    def complete(
        self,
        role: str,
        rendered: Rendered,
        *,
        schema: dict[str, Any] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        timeout: float | None = None,
        allow_truncated: bool = False,
    ) -> Completion:
        """The model's reply to a prompt, from the ledger when it is there.

        role: extractor, instructor, refiner or coder; it chooses model and sampling, which
        max_tokens and temperature override. schema: JSON schema of the object to reply with.
        timeout: seconds for one call, its retries included (default: the profile's), never more
        than the budget's time. allow_truncated: return text that max_tokens cut off
        (finish_reason "length") instead of raising.

        Raises BudgetExceeded before anything is sent; EndpointError when the endpoint gave no
        reply; UnusableReply when the replies are empty, cut off, or do not fit the schema;
        StoreError when the ledger cannot be written.
        """
        request = self._request(role, rendered, seed, max_tokens, temperature)
        if schema is None:
            done = self._call(role, request, timeout)
            return _completion([done], _whole(done.record, allow_truncated), None)
        return self._object(role, request, schema, timeout)

    def request(self, role: str, rendered: Rendered, **options: Unpack[Options]) -> Request:
        """The first request that `complete` makes with these arguments; a re-ask is another one."""
        request = self._request(
            role, rendered, options.get("seed"), options.get("max_tokens"), options.get("temperature")
        )
        schema = options.get("schema")
        if schema is None:
            return request
        if self._endpoints[role] in self._plain_text:
            return in_words(request, schema)
        return continued(request, (), schema)

    def key_of(self, role: str, rendered: Rendered, **options: Unpack[Options]) -> str:
        """The ledger key of the first call that `complete` makes with these arguments; nothing is sent.

        `ledger.knows(key)` says whether it is answered.
        """
        return key_of(self.request(role, rendered, **options))

    def projected(self, role: str, rendered: Rendered, **options: Unpack[Options]) -> Cost:
        """What the first call that `complete` makes with these arguments may cost, estimated high."""
        return self.cost_of(role, self.request(role, rendered, **options))

    def cost_of(self, role: str, request: Request) -> Cost:
        """What a request may cost, estimated high: what the budget reserves for it."""
        prompt, most = projected_tokens(request.messages), request.parameters["max_tokens"]
        if request.schema is not None:
            prompt += self._shape(request.schema).tokens
        return Cost(self.profile.role(role).prices.usd(prompt, most), prompt + most)

    def endpoints(self) -> list[Endpoint]:
        """Every endpoint that a role's calls go to, once."""
        return list(dict.fromkeys(self._endpoints.values()))

    def endpoint_of(self, role: str) -> Endpoint:
        """The endpoint that a role's calls go to."""
        self.profile.role(role)
        return self._endpoints[role]

    def _object(
        self, role: str, request: Request, schema: dict[str, Any], timeout: float | None
    ) -> Completion:
        check = self._shape(schema).check
        replied: tuple[dict[str, str], ...] = ()
        calls: list[_Done] = []
        for _ in range(1 + REASKS):
            calls.append(self._call_for(role, request, schema, replied, timeout))
            record = calls[-1].record
            try:
                return _completion(calls, record.reply, replies.parse(record.reply, check))
            except replies.Unfit as error:
                problem = str(error)
            if record.finish_reason == "length":
                problem = f"it was cut off after {record.completion_tokens} tokens: be much briefer"
            again = (
                f"That reply cannot be used: {problem}. Reply again: the whole JSON object and nothing else."
            )
            replied += (
                {"role": "assistant", "content": record.reply[:4000]},
                {"role": "user", "content": again},
            )
        began = self._endpoints[role].scrub(record.reply[:200])
        raise UnusableReply(
            f"{record.model} at {record.endpoint} gave no usable JSON for {record.prompt} "
            f"in {len(calls)} replies: {problem}. The last one began: {began!r}",
            "use a stronger model for this role, or give it more tokens (max_tokens in the profile)",
        )

    def _call_for(
        self,
        role: str,
        request: Request,
        schema: dict[str, Any],
        replied: tuple[dict[str, str], ...],
        timeout: float | None,
    ) -> _Done:
        """The call under the schema where the endpoint can, else with the schema in words."""
        if self._endpoints[role] not in self._plain_text:
            try:
                return self._call(role, continued(request, replied, schema), timeout)
            except NoSchema:
                self._plain_text.add(self._endpoints[role])
        return self._call(role, continued(in_words(request, schema), replied, None), timeout)

    def _request(
        self,
        role: str,
        rendered: Rendered,
        seed: int | None,
        max_tokens: int | None,
        temperature: float | None,
    ) -> Request:
        chosen = self.profile.role(role)
        heat = chosen.temperature if temperature is None else temperature
        given = {"temperature": heat, "top_p": chosen.top_p, "seed": seed}
        parameters = {name: value for name, value in given.items() if value is not None}
        parameters["max_tokens"] = max_tokens or chosen.max_tokens
        messages = tuple(
            {**message, "content": sendable(message["content"])} for message in rendered.messages
        )
        return Request(chosen.model, messages, parameters, None, rendered.prompt)

    def _call(self, role: str, request: Request, timeout: float | None) -> _Done:
        key = key_of(request)
        done = self._answer(role, request, key, timeout)
        self.asked.append(key)
        record = done.record
        tokens = record.prompt_tokens + record.completion_tokens
        meter.count(meter.Meter(known=1) if done.cached else meter.Meter(1, 0, record.usd, tokens))
        return done

    def _answer(self, role: str, request: Request, key: str, timeout: float | None) -> _Done:
        if record := self.ledger.get(key):
            return _Done(record, True, 0.0)
        timeout = timeout or self.profile.timeout
        started = time.monotonic()
        with self.ledger.alone(key, timeout, self.closing):
            if record := self.ledger.get(key):
                return _Done(record, True, time.monotonic() - started)
            return _Done(self._make(role, request, key, timeout), False, time.monotonic() - started)

    def _make(self, role: str, request: Request, key: str, timeout: float) -> CallRecord:
        """Make the call: reserve, send, settle, record."""
        endpoint, prices = self._endpoints[role], self.profile.role(role).prices
        with (
            self.budget.reserve(self.cost_of(role, request), wait=timeout) as ticket,
            self._slot(endpoint, timeout),
        ):
            left = self.budget.seconds_left()
            started = time.monotonic()
            try:
                reply = endpoint.send(request, started + (timeout if left is None else min(timeout, left)))
            except EndpointError as error:
                if isinstance(error, Unanswered):
                    ticket.settle(ticket.projected)
                if self.budget.seconds_left() != 0.0:
                    raise
                raise BudgetExceeded(
                    f"the run's time was up while a call to {endpoint.words} was under way",
                    "give the run more time (--time-limit)",
                ) from error
            seconds = time.monotonic() - started
            usd = prices.usd(reply.prompt_tokens, reply.completion_tokens)
            ticket.settle(Cost(usd, reply.prompt_tokens + reply.completion_tokens))
        record = record_of(key, role, endpoint.label, request, reply, usd, seconds)
        self.ledger.put(record)
        return record

    @contextmanager
    def _slot(self, endpoint: Endpoint, timeout: float) -> Iterator[None]:
        """One of the calls that may be under way at a time."""
        if not self._slots.acquire(timeout=timeout):
            raise EndpointError(
                f"{endpoint.words} is busy: {self.profile.concurrency} calls were under way "
                f"for {timeout:.0f} s",
                "raise concurrency or timeout in the profile",
            )
        try:
            yield
        finally:
            self._slots.release()

    def _shape(self, schema: Mapping[str, Any]) -> "_Shape":
        name = json.dumps(schema)
        if name not in self._shapes:
            self._shapes[name] = _Shape.of(dict(schema), name)
        return self._shapes[name]


def _connected(profile: Profile, endpoint: str | None, overrides: Mapping[str, str]) -> dict[str, Endpoint]:
    """Each role's endpoint; roles that go to the same place with the same key share one."""
    mixed = len(profile.places()) > 1
    targets: dict[tuple[str, Place], list[str]] = {}
    for role in Roles.model_fields:
        place = profile.place_of(role)
        url = overrides.get(role) or (endpoint if place == profile.place else None) or place.endpoint
        if role in overrides and place == profile.place:  # elsewhere by the caller's wish alone
            place = Place(endpoint=url, api_key_env=place.api_key_env)
        targets.setdefault((url, place), []).append(role)
    made: dict[str, Endpoint] = {}
    for (url, place), roles in targets.items():
        made |= dict.fromkeys(roles, Endpoint(profile, url, place, roles if mixed else ()))
    return made


@dataclass(frozen=True)
class _Shape:
    """What is made of a schema once: its validator, and the tokens that it may take in a prompt."""

    check: Validator
    tokens: int

    @classmethod
    def of(cls, schema: dict[str, Any], text: str) -> "_Shape":
        return cls(replies.validator(schema), projected_tokens([{"role": "system", "content": text}]))


def _whole(record: CallRecord, allow_truncated: bool) -> str:
    where = f"{record.model} at {record.endpoint}, asked {record.prompt},"
    if not record.reply.strip():
        raise UnusableReply(
            f"{where} returned an empty reply (finish reason: {record.finish_reason})",
            "use another model or another seed for this role",
        )
    if record.finish_reason == "length" and not allow_truncated:
        raise UnusableReply(
            f"{where} was cut off after {record.completion_tokens} tokens: {record.reply[:200]!r}...",
            "raise max_tokens for this role in the profile, or ask for less",
        )
    return record.reply


def _completion(calls: list[_Done], text: str, parsed: dict[str, Any] | None) -> Completion:
    last = calls[-1].record
    return Completion(
        text=text,
        parsed=parsed,
        key=last.key,
        model=last.model,
        prompt=last.prompt,
        prompt_tokens=sum(call.record.prompt_tokens for call in calls),
        completion_tokens=sum(call.record.completion_tokens for call in calls),
        usd=sum(0.0 if call.cached else call.record.usd for call in calls),
        seconds=sum(call.seconds for call in calls),
        cached=all(call.cached for call in calls),
        finish_reason=last.finish_reason,
        keys=tuple(call.record.key for call in calls),
    )
