import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from linguacodus_core.adapters import registry
from linguacodus_core.adapters.manifest import WEIGHTS
from linguacodus_core.cli.app import app
from linguacodus_core.errors import AdapterError, GateRefused, ModelUnavailable
from linguacodus_core.llm import models
from tests.adapter_files import SMOLLM2, random_lora, registered

ROOT = str(Path(__file__).parents[2])
SHELF = models.folder().resolve()
runner = CliRunner()
pytestmark = pytest.mark.usefixtures("home")


def run(*arguments: str) -> str:
    done = runner.invoke(app, ["adapters", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_without_adapters_says_how_to_make_one() -> None:
    assert "linguacodus finetune" in run("list")


def test_the_list_marks_the_promoted_one_and_fits_eighty_columns(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    registered(tmp_path, "small-sft-0123abcd", created="2026-01-01T00:00:00+00:00")
    registered(tmp_path, "big-sft-4567abcd", created="2026-01-02T00:00:00+00:00", passed=False)
    registry.promote("small")
    lines = run("list").splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["2026-01-02", "00:00", "failed", "big-sft-4567abcd"]
    assert lines[3].split() == ["*", "2026-01-01", "00:00", "passed", "small-sft-0123abcd"]
    assert f"on embedded:{SMOLLM2}" in lines[4]


def test_show_tells_origin_measures_files_and_use(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd", passed=False)
    shown = run("show", "small")
    for expected in (
        "d7914ef92758e6a0",
        "11 held-out competitions",
        "completion loss",
        "-0.500",
        "-0.600 to -0.400",
        "failed  form: 0.10 worse",
        WEIGHTS,
        "--profile adapter:small-sft-0123abcd",
        "linguacodus adapters serve small-sft-0123abcd --engine llama",
    ):
        assert expected in shown


def test_show_of_an_adapter_on_safetensors_names_the_engines_that_can(tmp_path: Path) -> None:
    registered(tmp_path, "big-sft-4567abcd", base="some/model", base_identity="some/model", gguf=None)
    shown = run("show", "big")
    assert "--engine vllm, or transformers" in shown
    assert "--profile adapter:" not in shown


def test_promote_says_what_was_before_and_refuses_with_the_reason(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    registered(tmp_path, "big-sft-4567abcd", passed=False)
    assert "small-sft-0123abcd is promoted" in run("promote", "small")
    with pytest.raises(GateRefused, match=r"form: 0\.10 worse"):
        run("promote", "big")
    said = run("promote", "big", "--force")
    assert "(before: small-sft-0123abcd)" in said
    assert "its gate had refused it" in said


def test_verify_fails_for_a_damaged_adapter(tmp_path: Path) -> None:
    adapter = registered(tmp_path, "small-sft-0123abcd")
    assert "5 files are as the manifest says" in run("verify", "latest")
    (adapter.folder / WEIGHTS).write_bytes(b"flipped")
    done = runner.invoke(app, ["adapters", "verify", "latest"])
    assert done.exit_code == 1
    assert f"{WEIGHTS} has changed" in done.output


def test_an_unknown_adapter_is_one_message_with_the_close_name(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    with pytest.raises(AdapterError, match="did you mean small-sft-0123abcd"):
        run("show", "smal-sft-0123abcd")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_serve_names_the_option_when_its_port_is_taken(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ModelUnavailable) as caught:
            run("serve", "latest", "--port", str(taken.getsockname()[1]))
    assert "--port" in caught.value.remedy


def test_serve_by_llama_of_a_base_without_gguf_names_the_other_engines(tmp_path: Path) -> None:
    registered(tmp_path, "big-sft-4567abcd", base="some/model", base_identity="some/model", gguf=None)
    with pytest.raises(ModelUnavailable, match="no GGUF file") as caught:
        run("serve", "big", "--port", str(free_port()))
    assert "--engine transformers (or vllm)" in caught.value.remedy


def test_serve_by_vllm_becomes_vllm_with_the_names_that_profiles_use(tmp_path: Path, monkeypatch) -> None:
    adapter = registered(
        tmp_path, "big-sft-4567abcd", base="some/model", base_identity="some/model", gguf=None
    )
    port = free_port()
    place = tmp_path / "bin"
    place.mkdir()
    (place / "vllm").write_text('#!/bin/sh\necho "$@"\n')
    (place / "vllm").chmod(0o755)
    command = [sys.executable, "-c", "from linguacodus_core.cli import main; main()"]
    done = subprocess.run(
        [*command, "adapters", "serve", "big", "--engine", "vllm", "--port", str(port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PATH": f"{place}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    exported, serving, became = done.stdout.splitlines()
    assert exported == f"export VLLM_BASE_URL=http://127.0.0.1:{port}/v1"
    assert serving.startswith(f"serving big-sft-4567abcd at http://127.0.0.1:{port}/v1")
    assert became == (
        "serve some/model --served-model-name some/model --enable-lora "
        f"--lora-modules big-sft-4567abcd={adapter.folder} --max-lora-rank 16 --host 127.0.0.1 --port {port}"
    )


def test_without_vllm_the_command_for_elsewhere_is_told(tmp_path: Path, monkeypatch) -> None:
    registered(tmp_path, "big-sft-4567abcd", base="some/model", base_identity="some/model")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="vLLM is not installed") as caught:
        run("serve", "big", "--engine", "vllm", "--port", str(free_port()))
    assert "serve some/model --served-model-name some/model --enable-lora" in caught.value.remedy


def test_vllm_needs_the_bases_safetensors(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd", base_folder=str(tmp_path / "gone"))
    with pytest.raises(AdapterError, match="not there as safetensors"):
        run("serve", "small", "--engine", "vllm", "--port", str(free_port()))


def test_transformers_without_the_extra_names_it(tmp_path: Path, monkeypatch) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="needs torch, transformers, peft") as caught:
        run("serve", "small", "--engine", "transformers", "--port", str(free_port()))
    assert "linguacodus[train]" in caught.value.remedy


@pytest.mark.model
def test_llama_serves_an_adapter_by_its_name_until_ctrl_c(tmp_path: Path, home: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    pytest.importorskip("gguf", reason="the extra `train` is not installed")
    home.mkdir(exist_ok=True)
    (home / "models").symlink_to(SHELF)
    if not models.check("smollm2").ok:
        pytest.skip("smollm2 is not here: run `linguacodus models pull smollm2`")
    gguf = random_lora(tmp_path / "random.gguf").read_bytes()
    registered(tmp_path, "random-sft-0123abcd", gguf=gguf)
    port = free_port()
    command = [sys.executable, "-u", "-c", "from linguacodus_core.cli import main; main()"]
    serving = subprocess.Popen(
        [*command, "adapters", "serve", "random", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    try:
        assert serving.stdout is not None
        assert (
            serving.stdout.readline()
            == f"serving random-sft-0123abcd at http://127.0.0.1:{port}/v1 (Ctrl-C ends)\n"
        )
        assert f"TUNED_BASE_URL=http://127.0.0.1:{port}/v1" in serving.stdout.readline()
        offered = httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=30).json()["data"]
        assert [model["id"] for model in offered] == ["random-sft-0123abcd"]
        serving.send_signal(signal.SIGINT)
        rest, _ = serving.communicate(timeout=30)
        assert rest == "\nstopped\n"
        assert serving.returncode == 0
    finally:
        serving.kill()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
        except httpx.TransportError:
            break
    else:
        pytest.fail("the server outlived the command")
