"""From the text of a reply to a JSON object that fits a schema, or a reason why not."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import SchemaError
from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from linguacodus_core.llm.chat import sendable

THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*?)```", re.DOTALL)


class Unfit(ValueError):
    """Why a reply cannot be used, in words that the model can act on."""


def validator(schema: dict[str, Any]) -> Validator:
    """A validator of that schema. Raises ValueError when the schema itself is not valid."""
    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a JSON schema: {error.message}") from error
    return kind(schema)


def parse(text: str, check: Validator) -> dict[str, Any]:
    """The first JSON object in text that fits: bare, in a fence, or among prose. Raises Unfit."""
    if not text.strip():
        raise Unfit("the reply was empty")
    problem: Unfit | None = None
    for value in _objects(text):
        found: dict[str, Any] = _whole(value)
        error = best_match(check.iter_errors(found))
        if error is None:
            return found
        where = "/".join(map(str, error.absolute_path))
        problem = problem or Unfit(f"{f'at {where}: ' if where else ''}{error.message[:300]}")
    raise problem or Unfit("the reply held no complete JSON object")


def _whole(value: Any) -> Any:
    """The value with "?" for lone surrogates, which JSON can spell and UTF-8 cannot hold."""
    if isinstance(value, str):
        return sendable(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return value


def _objects(text: str) -> Iterator[dict[str, Any]]:
    text = THINKING.sub("", text).strip()
    for source in (text, *FENCE.findall(text)):
        try:
            value = json.loads(source)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
    decoder, start, tries = json.JSONDecoder(), text.find("{"), 0
    while start >= 0 and tries < 200:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if isinstance(value, dict):
                yield value
        start = text.find("{", end)
