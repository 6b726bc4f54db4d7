"""A reply over TLS, of which a record may stop half way: looking for the client's end loses nothing of it."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import httpx2
import pytest

from linguacodus_core.llm import deadline

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
PAUSE = 2.5 * deadline.SLICE_SECONDS
BODY = bytes(range(256)) * 16
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def server(tmp_path: Path):
    """An https URL that answers in one TLS record, sent in four parts with pauses between."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command = ["openssl", "req", *options, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(coming, going, server_side=True)
            while True:
                try:
                    tls.do_handshake()
                    tls.read(10_000)
                    break
                except ssl.SSLWantReadError:
                    connection.sendall(going.read())
                    coming.write(connection.recv(10_000))
            tls.write(REPLY)
            record = going.read()
            for start in range(0, len(record), len(record) // 3):
                time.sleep(PAUSE)
                connection.sendall(record[start : start + len(record) // 3])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_slow_reply_over_tls_comes_whole(server: str) -> None:
    with httpx2.Client(verify=False, trust_env=False) as client:
        deadline.guard(client, threading.Event())
        with deadline.deadline(time.monotonic() + 20):
            assert client.get(server, timeout=20).content == BODY


def test_closing_ends_the_wait_over_tls(server: str) -> None:
    closed = threading.Event()
    with httpx2.Client(verify=False, trust_env=False) as client:
        deadline.guard(client, closed)
        threading.Timer(PAUSE / 2, closed.set).start()
        with pytest.raises(httpx2.ReadError, match="the client was closed"):
            client.get(server, timeout=20)
