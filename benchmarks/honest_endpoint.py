"""A local OpenAI-compatible endpoint that extracts honestly: it answers with what the shown code does."""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from linguacodus_core.extraction.static import static_fields

PROFILE = """
name = "local-test"
endpoint = "{url}"
context = 8192
concurrency = {concurrency}
timeout = 20
max_retries = 2

[defaults]
model = "extractor-1"
temperature = 0.2
max_tokens = 900
prices = {{ input = 1.0, output = 2.0 }}
"""


def honest(prompt: str) -> dict[str, Any]:
    """The fields of the code that a prompt shows, as the schema asks for them."""
    code = prompt.split("<code>\n", 1)[1].rsplit("\n</code>", 1)[0]
    fields = static_fields(code).model_dump(mode="json")
    pairs = [
        {"name": str(name)[:40], "value": str(value)[:40]}
        for name, value in fields["hyperparameters"].items()
    ]
    return fields | {
        "preprocessing": fields["preprocessing"][:700],
        "architecture": fields["architecture"][:700],
        "training": fields["training"][:700],
        "hyperparameters": pairs[:14],
        "families": fields["families"][:6],
        "libraries": fields["libraries"][:10],
        "features": [feature[:80] for feature in fields["features"]][:12],
    }


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that was killed while it waited is no error here; any other is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*_)  # type: ignore[arg-type]


class Endpoint:
    """asked: how often each prompt (its last message) was answered. delay: seconds an answer takes."""

    def __init__(self, delay: float = 0.0) -> None:
        self.asked: Counter[str] = Counter()
        self.delay = delay
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(endpoint.answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The completion of one request, counted."""
        time.sleep(self.delay)
        prompt = body["messages"][-1]["content"]
        text = json.dumps(honest(next(m["content"] for m in body["messages"] if "<code>\n" in m["content"])))
        with self._lock:
            self.asked[prompt] += 1
        return {
            "id": "x",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 700, "completion_tokens": 200, "total_tokens": 900},
        }

    @property
    def calls(self) -> int:
        """Calls answered so far."""
        return self.asked.total()

    def profile(self, folder: Path, concurrency: int = 4) -> Path:
        """A profile that points here."""
        path = folder / "profile.toml"
        path.write_text(PROFILE.format(url=self.url, concurrency=concurrency))
        return path

    @contextmanager
    def serving(self) -> Iterator["Endpoint"]:
        """Answer while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
