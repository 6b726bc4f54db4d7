"""Counting tokens: by an embedded model's own tokenizer, or by an estimate that needs no model."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from linguacodus_core.dataset.examples import CountTokens, estimated
from linguacodus_core.errors import ModelUnavailable
from linguacodus_core.llm.server import serve

SECONDS = 60.0


@contextmanager
def counter(model: str) -> Iterator[CountTokens]:
    """How to count tokens while the block runs. model: an embedded model's name or file; "": the estimate.

    Raises ModelUnavailable when the model is not here or cannot be served.
    """
    if not model:
        yield estimated
        return
    with serve(model, context=512) as url:
        yield lambda texts: _counted(url.removesuffix("/v1") + "/tokenize", texts)


def _counted(url: str, texts: Sequence[str]) -> list[int]:
    return [_one(url, text) for text in texts]


def _one(url: str, text: str) -> int:
    body = json.dumps({"content": text, "add_special": False}).encode()
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as reply:
            return len(json.load(reply)["tokens"])
    except (urllib.error.URLError, ValueError, KeyError) as error:
        raise ModelUnavailable(
            f"the embedded model's server does not count tokens: {error}", "leave out --tokenizer"
        ) from error
