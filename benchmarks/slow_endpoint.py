"""A very light chat endpoint that answers every request after a fixed latency, for benchmarks.

    python benchmarks/slow_endpoint.py [--latency 0.2]

Prints its port, serves on loopback until its standard input ends. Speaks HTTP/1.1 with keep-alive by a raw
asyncio protocol, because the machine's cores are for the client that is measured. GET anything: what was
asked so far, as JSON: requests, most (the most under way at a time), cpu (its own seconds).
"""

import argparse
import asyncio
import json
import sys
import time

REPLY = {
    "text": (
        "Read the training and test tables, drop the identifier and parse the date column into year, month, "
        "weekday and hour. Impute missing numbers by the median and categories by a constant, then encode "
        "the categories by target means that are computed inside each fold. Train LightGBM on the logarithm "
        "of the target with early stopping on the fold's held-out part, average five folds, and write the "
        "exponential of the mean prediction minus one to the submission."
    ),
    "preprocessing": "Date parts, median and constant imputation, target encoding inside the folds.",
    "architecture": "Gradient boosted trees (LightGBM) on the logarithm of the target.",
    "training": "Five folds, 2,000 rounds at a learning rate of 0.03, early stopping after 100 rounds.",
    "libraries": ["pandas", "numpy", "lightgbm", "scikit-learn"],
    "families": ["gradient boosting"],
    "validation": "5-fold cross-validation",
    "features": ["year", "month", "weekday", "hour", "target mean of the category"],
    "hyperparameters": [
        {"name": "learning_rate", "value": "0.03"},
        {"name": "num_leaves", "value": "63"},
        {"name": "n_estimators", "value": "2000"},
    ],
}
"""About 250 tokens: what an extraction is answered with."""
PROBE, PROBED = b"Jason is 25 years old.", {"name": "Jason", "age": 25}
"""What bespokelabs-curator asks first, to see whether an endpoint decodes under a schema."""


class Asked:
    """How many requests came, and how many were under way at a time."""

    def __init__(self) -> None:
        self.requests = self.now = self.most = 0

    def begin(self) -> None:
        """One more is under way."""
        self.requests += 1
        self.now += 1
        self.most = max(self.most, self.now)


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def completion(value: object) -> bytes:
    """A chat completion whose text is this JSON value."""
    message = {"role": "assistant", "content": json.dumps(value)}
    return json.dumps(
        {
            "id": "chatcmpl-benchmark",
            "object": "chat.completion",
            "created": 1767225600,
            "model": "gpt-4.1-mini-2025-04-14",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 1800, "completion_tokens": 270, "total_tokens": 2070},
        }
    ).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection; a request is a head, then as many bytes as its Content-Length says."""

    def __init__(self, latency: float, asked: Asked) -> None:
        self.latency, self.asked = latency, asked
        self.loop = asyncio.get_running_loop()
        self.held = bytearray()
        self.needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.held += data
        while len(self.held) >= max(self.needed, 1):
            if not self.needed:
                end = self.held.find(b"\r\n\r\n")
                if end < 0:
                    return
                head = bytes(self.held[:end]).lower()
                length = head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
                self.needed, self.get = end + 4 + int(length or 0), head.startswith(b"get")
                continue
            if self.get:
                told = {"requests": self.asked.requests, "most": self.asked.most, "cpu": time.process_time()}
                self.transport.write(_http(json.dumps(told).encode()))
            else:
                self.asked.begin()
                answer = PROBE_ANSWER if PROBE in self.held else ANSWER
                self.loop.call_later(self.latency, self.reply, answer)
            del self.held[: self.needed]
            self.needed = 0

    def reply(self, answer: bytes) -> None:
        """Send the answer to one request."""
        self.asked.now -= 1
        if not self.transport.is_closing():
            self.transport.write(answer)


ANSWER, PROBE_ANSWER = _http(completion(REPLY)), _http(completion(PROBED))


async def serve(latency: float) -> None:
    """Serve on a free port of loopback, print it, end with standard input."""
    loop, asked = asyncio.get_running_loop(), Asked()
    server = await loop.create_server(lambda: Connection(latency, asked), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until an answer is sent")
    asyncio.run(serve(parser.parse_args().latency))


if __name__ == "__main__":
    main()
