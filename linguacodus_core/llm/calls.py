"""One call as data: the request that a client would send, its key, and how the ledger keeps its answer."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict

from linguacodus_core.llm.chat import Reply, Request
from linguacodus_core.llm.ledger import CallRecord, call_key
from linguacodus_core.llm.prompts import Message


class Options(TypedDict, total=False):
    """What a call may say beside its role and prompt, as `Client.complete` takes it."""

    schema: dict[str, Any] | None
    seed: int | None
    max_tokens: int | None
    temperature: float | None


def key_of(request: Request) -> str:
    """The ledger key of a request."""
    return call_key(request.model, request.messages, request.parameters, request.schema)


def record_of(
    key: str, role: str, endpoint: str, request: Request, reply: Reply, usd: float, seconds: float
) -> CallRecord:
    """An answered request as the ledger keeps it. endpoint: its label."""
    return CallRecord(
        key=key,
        role=role,
        model=request.model,
        endpoint=endpoint,
        prompt=request.prompt,
        messages=messages_text(request),
        parameters=parameters_text(request),
        reply=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        usd=usd,
        seconds=seconds,
        attempts=reply.attempts,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def messages_text(request: Request) -> str:
    """A request's messages as JSON text."""
    return json.dumps(request.messages, ensure_ascii=False)


def parameters_text(request: Request) -> str:
    """A request's parameters as JSON text, the schema among them."""
    parameters = dict(request.parameters) | ({"schema": request.schema} if request.schema else {})
    return json.dumps(parameters, ensure_ascii=False)


def continued(request: Request, more: tuple[Message, ...], schema: Mapping[str, Any] | None) -> Request:
    """The request with more messages at its end, decoded under that schema."""
    return Request(request.model, request.messages + more, request.parameters, schema, request.prompt)


def in_words(request: Request, schema: Mapping[str, Any]) -> Request:
    """The request with the schema told in its last message, for endpoints that do not decode under one."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    wish = f"Reply with one JSON object and nothing else. It must fit this JSON schema:\n{text}"
    *before, last = request.messages
    told = (*before, {"role": last["role"], "content": f"{last['content']}\n\n{wish}"})
    return Request(request.model, told, request.parameters, None, request.prompt)
