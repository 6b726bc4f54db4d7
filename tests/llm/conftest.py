"""A fake OpenAI-compatible server, and profiles that point at it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.prompts import Rendered

CHAT = "/v1/chat/completions"


def chat(text: str | None = "hello", finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **more,
    }


def replies(*bodies: Any) -> Callable[[Any], Response]:
    """A handler that gives these replies in turn, the last one for ever; its `asked` holds the requests."""
    left = list(bodies)
    asked: list[dict[str, Any]] = []

    def handler(request: Any) -> Response:
        asked.append(json.loads(request.data))
        body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, Response):
            return Response(body.get_data(), body.status_code, dict(body.headers))
        return Response(json.dumps(body), 200, content_type="application/json")

    handler.asked = asked  # type: ignore[attr-defined]
    return handler


def make_profile(**changes: Any) -> Profile:
    role = {"model": "m", "temperature": 0.5, "max_tokens": 50, "prices": {"input": 1.0, "output": 2.0}}
    fields: dict[str, Any] = {
        "name": "test",
        "endpoint": "http://127.0.0.1:1/v1",
        "max_retries": 3,
        "timeout": 5.0,
        "roles": dict.fromkeys(("extractor", "instructor", "refiner", "coder"), role),
    }
    return Profile.model_validate(fields | changes)


def ask(text: str = "hi") -> Rendered:
    return Rendered(({"role": "user", "content": text},), "default/test@1", "0" * 64)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A home of its own for every test, except those that need a real model file."""
    if request.node.get_closest_marker("model") is None:
        monkeypatch.setenv("LINGUACODUS_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VLLM_BASE_URL", "TUNED_BASE_URL", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linguacodus_core.llm.endpoint.FIRST_WAIT", 0.02)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def client(httpserver: HTTPServer, ledger: Ledger) -> Any:
    made: list[Client] = []

    def make(budget: Budget | None = None, **changes: Any) -> Client:
        profile = make_profile(endpoint=httpserver.url_for("/v1"), **changes)
        made.append(Client(profile, ledger, budget or Budget()))
        return made[-1]

    yield make
    for one in made:
        one.close()
