"""A chat request and its reply as the OpenAI protocol spells them; nothing here touches the network."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linguacodus_core.llm.prompts import Message

_LETTERS = b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_ASCII = bytes(range(128, 256))


@dataclass(frozen=True)
class Request:
    """One chat request. parameters: max_tokens and, when set, temperature, top_p, seed.

    prompt: the label of the prompt, for messages.
    """

    model: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any]
    schema: Mapping[str, Any] | None
    prompt: str


@dataclass(frozen=True)
class Reply:
    """What came back. Tokens are estimated where the endpoint does not count them."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int = 1


def body(request: Request, token_field: str) -> dict[str, Any]:
    """The JSON object to send. token_field: what the endpoint calls max_tokens."""
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        **request.parameters,
    }
    fields[token_field] = fields.pop("max_tokens")
    if request.schema is not None:
        shape = {"name": "reply", "strict": True, "schema": request.schema}
        fields["response_format"] = {"type": "json_schema", "json_schema": shape}
    return fields


def encoded(fields: Mapping[str, Any]) -> bytes:
    """A JSON object on one line, in UTF-8."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def reply_in(completion: Any, messages: Sequence[Message]) -> Reply:
    """The reply in a chat completion, parsed from JSON. messages: what was asked, to estimate its tokens by.

    Raises ValueError, LookupError, TypeError or AttributeError when it is no chat completion.
    """
    choice = completion["choices"][0]
    text = choice["message"].get("content") or ""
    if not isinstance(text, str):
        raise TypeError("the content is not text")
    usage = completion.get("usage") or {}
    return Reply(
        sendable(text),
        str(choice.get("finish_reason") or "stop"),
        int(usage.get("prompt_tokens") or projected_tokens(messages)),
        int(usage.get("completion_tokens") or math.ceil(len(text) / 3)),
    )


def sendable(text: str) -> str:
    """The text with "?" for lone surrogates, which no UTF-8 can hold; notebooks and replies have some."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def projected_tokens(messages: Sequence[Message]) -> int:
    """Tokens that messages may take, estimated high: a token for three letters or spaces, for each
    digit or sign, for two bytes of anything else."""
    total = 8.0
    for message in messages:
        raw = message["content"].encode()
        others = len(raw.translate(None, _LETTERS))
        signs = len(raw.translate(None, _LETTERS + _NOT_ASCII))
        total += 8 + (len(raw) - others) / 3 + signs + (others - signs) / 2
    return math.ceil(total)
