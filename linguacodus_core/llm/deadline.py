"""One deadline for a whole HTTP exchange: connect, TLS, headers and body together.

An HTTP client's own time-outs count from one packet to the next, so that a server which sends one
byte a second is never cut off. Here every wait on the socket is cut to what is left of the
deadline that the calling thread has set, and a reply is cut at a size no honest reply has. A wait
for the reply also ends when another thread closes the client.
"""

import logging
import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

MAX_BYTES = 64 << 20
SLICE_SECONDS = 0.25
"""How often a wait for the reply looks whether the client was closed."""
_thread = threading.local()


@contextmanager
def deadline(at: float) -> Iterator[None]:
    """Cut every wait of this thread's HTTP calls at this time (of time.monotonic())."""
    _thread.at, _thread.bytes, _thread.most = at, 0, MAX_BYTES
    try:
        yield
    finally:
        del _thread.at


def allow(most_bytes: int) -> None:
    """Let this thread's reply, under the deadline that is in force, be so many bytes long."""
    _thread.most = most_bytes


def guard(http_client: Any, closed: threading.Event) -> None:
    """Make an httpx2 client obey `deadline`, and give up its replies when `closed` is set.

    httpx2 has no public way to give its own transports a network backend; where their insides have
    changed, the client keeps its time-outs from packet to packet, and a warning is logged.
    """
    try:
        for transport in (http_client._transport, *http_client._mounts.values()):
            if transport is not None:
                transport._pool._network_backend = _Backend(transport._pool._network_backend, closed)
    except AttributeError:
        logging.getLogger(__name__).warning("this version of httpx2 cannot be given a deadline")


def _left(timeout: float | None, kind: type[Exception]) -> float | None:
    at: float | None = getattr(_thread, "at", None)
    if at is None:
        return timeout
    left = at - time.monotonic()
    if left <= 0:
        raise kind("the deadline of the call has passed")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, closed: threading.Event) -> None:
        self._inner, self._closed = inner, closed

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._awaited(max_bytes, _left(timeout, httpcore2.ReadTimeout))
        _thread.bytes = getattr(_thread, "bytes", 0) + len(data)
        if _thread.bytes > getattr(_thread, "most", MAX_BYTES):
            raise httpcore2.ReadError(f"the reply is longer than {_thread.most >> 20} MiB")
        return data

    def _awaited(self, max_bytes: int, seconds: float | None) -> bytes:
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._closed.is_set():
            try:
                return self._inner.read(max_bytes, max(0.001, min(SLICE_SECONDS, until - time.monotonic())))
            except httpcore2.ReadTimeout:
                if time.monotonic() >= until:
                    raise
        raise httpcore2.ReadError("the client was closed")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._closed)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, inner: httpcore2.NetworkBackend, closed: threading.Event) -> None:
        self._inner, self._closed = inner, closed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._closed)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_unix_socket(path, left, socket_options), self._closed)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)
