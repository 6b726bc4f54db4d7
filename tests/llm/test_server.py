import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from linguacodus_core.errors import EndpointError, ModelUnavailable
from linguacodus_core.llm import models, server
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.llm.prompts import Rendered

from .conftest import ask, make_profile

ROOT = str(Path(__file__).parents[2])
SCHEMA = {
    "type": "object",
    "properties": {"family": {"enum": ["lightgbm", "forest"]}, "trees": {"type": "integer", "maximum": 999}},
    "required": ["family", "trees"],
    "additionalProperties": False,
}


@pytest.fixture
def small() -> str:
    """The name of the test model; skips where it cannot be served."""
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    if not models.check("smollm2").ok:
        pytest.skip("smollm2 is not here: run `linguacodus models pull smollm2`")
    return "smollm2"


def _children() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "linguacodus_core.llm.llama" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_configured_endpoint_is_passed_through():
    with server.endpoints_for(make_profile()) as (url, elsewhere):
        assert (url, elsewhere) == ("http://127.0.0.1:1/v1", {})


def test_without_llama_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match=r"linguacodus\[local\]"), server.serve("smollm2"):
        pass


def test_a_missing_model_names_the_pull(monkeypatch):
    monkeypatch.setattr(server, "require_llama", lambda: None)
    with pytest.raises(ModelUnavailable, match="models pull"), server.serve("smollm2"):
        pass


def _start_in_a_thread(file: Path) -> str:
    """What `serve` raises, as text; fails where it neither serves nor raises."""
    said: list[BaseException] = []

    def serve() -> None:
        try:
            with server.serve(file):
                pass
        except BaseException as error:
            said.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for ever"
    (error,) = said
    assert isinstance(error, ModelUnavailable), repr(error)
    assert error.remedy
    return str(error)


@pytest.fixture
def model_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file that nothing reads, with llama.cpp said to be installed."""
    monkeypatch.setattr(server, "require_llama", lambda: None)
    file = tmp_path / "some.gguf"
    file.write_bytes(b"GGUF" + b"\x00" * 100)
    return file


def _raising(code: int) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_process_that_cannot_be_started_is_said(model_file: Path, monkeypatch):
    monkeypatch.setattr(server.subprocess, "Popen", _raising(errno.EMFILE))
    assert "could not be started" in (said := _start_in_a_thread(model_file))
    assert "Too many open files" in said


def test_a_full_disk_at_the_log_is_said(model_file: Path, monkeypatch):
    opened, refuse = Path.open, _raising(errno.ENOSPC)
    monkeypatch.setattr(
        Path, "open", lambda path, *how: (refuse if path.suffix == ".log" else opened)(path, *how)
    )
    assert "No space left on device" in _start_in_a_thread(model_file)


def test_a_logs_folder_that_cannot_be_made_is_said(model_file: Path, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("LINGUACODUS_HOME", str(tmp_path))
    (tmp_path / "logs").write_text("in the way")
    assert "could not be started" in _start_in_a_thread(model_file)


def test_a_start_that_hangs_is_given_up(model_file: Path, monkeypatch):
    monkeypatch.setattr(server, "START_SECONDS", 0.2)
    monkeypatch.setattr(server, "BEYOND_SECONDS", 0.2)
    monkeypatch.setattr(server._Keeper, "_spawn", lambda *_, **__: time.sleep(1) or "http://127.0.0.1:1")
    assert "did not start" in _start_in_a_thread(model_file)


@pytest.mark.model
def test_a_damaged_model_file_ends_in_a_message_with_the_log(small, tmp_path: Path):
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + b"\x00" * 5000)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"could not serve broken@.*exit status"), server.serve(file):
        pass
    assert time.monotonic() - started < 60
    assert _children() == []


@pytest.mark.model
def test_the_embedded_model_answers_under_a_schema_and_reads_a_known_prefix_once(small, ledger):
    profile = load_profile("embedded:smollm2")
    prefix = " ".join(f"Column c{n} is numeric with {n % 7} missing values;" for n in range(40))

    def prompt(question: str) -> Rendered:
        return Rendered(({"role": "user", "content": f"{prefix}\n{question}"},), "default/test@1", "")

    with (
        server.endpoints_for(profile) as (url, _),
        Client(profile, ledger, Budget(usd=0.0), url) as client,
    ):
        assert url.startswith("http://127.0.0.1:")
        first = client.complete("coder", prompt("Which?"), schema=SCHEMA, seed=1)
        assert first.parsed is not None
        assert first.parsed["family"] in {"lightgbm", "forest"}
        body = {"messages": list(prompt("And which now?").messages), "max_tokens": 2}
        usage = client._endpoints["coder"].api.post("/chat/completions", body=body, cast_to=object)["usage"]  # type: ignore[index]
        assert usage["prompt_tokens"] > 400
        assert usage["prompt_tokens_details"]["cached_tokens"] > 0.9 * usage["prompt_tokens"]
        with pytest.raises(EndpointError, match="too long"):
            client.complete("coder", ask("word " * 9000))
    assert _children() == []


@pytest.mark.model
def test_a_child_that_dies_is_started_again_once_at_the_same_address(small, ledger):
    profile = load_profile("embedded:smollm2")
    with server.endpoints_for(profile) as (url, _), Client(profile, ledger, Budget(), url) as client:
        _children()[0].kill()
        assert client.complete("coder", ask("Hello"), max_tokens=4, allow_truncated=True).model
        _children()[0].kill()
        quick = make_profile(endpoint=url, max_retries=1)
        time.sleep(0.2)
        with Client(quick, ledger, Budget()) as other, pytest.raises(EndpointError, match="cannot reach"):
            other.complete("coder", ask("Hello again"))


PARENT = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from linguacodus_core.llm.server import serve
with serve("smollm2", context=512) as url:
    print(url, flush=True)
    time.sleep(120)
"""


@pytest.mark.model
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_never_outlives_its_parent(small, way):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, ROOT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("http://127.0.0.1:")
        (child,) = psutil.Process(parent.pid).children()
        assert child.environ()["OMP_WAIT_POLICY"] == "PASSIVE"
        assert os.getsid(child.pid) != os.getsid(parent.pid)
        parent.send_signal(way)
        parent.wait(20)
        _, alive = psutil.wait_procs([child], timeout=10)
        assert not alive
    finally:
        parent.kill()
        parent.wait()


def test_the_child_listens_on_loopback_only_and_shares_its_context(monkeypatch):
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    import argparse

    from linguacodus_core.llm.llama import parameters

    given = argparse.Namespace(model="m.gguf", alias="m", lora="", slots=2, context=4096, threads=3, port=0)
    settings = parameters(given)
    assert settings.hostnames == ["127.0.0.1"]  # type: ignore[attr-defined]
    assert settings.n_ctx == 8192  # type: ignore[attr-defined]
    assert json.dumps(settings.cors_origins) != '"*"'  # type: ignore[attr-defined]
