"""Serving one adapter until it is stopped: by llama.cpp, transformers (merged into its base) or vLLM."""

import ctypes
import importlib.util
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from linguacodus_core.adapters.manifest import LORA_CONFIG, WEIGHTS
from linguacodus_core.adapters.registry import Adapter, verify
from linguacodus_core.errors import AdapterError, ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.llm.adapted import served
from linguacodus_core.llm.fetch import fetch_model
from linguacodus_core.llm.place import ADAPTER, Place
from linguacodus_core.llm.server import healthy, serve
from linguacodus_core.progress import say
from linguacodus_core.settings import local_home
from linguacodus_core.store import described

HOST = "127.0.0.1"
CONTEXT = 8192
VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as --max-lora-rank."""
START_SECONDS = 600.0
STOP_SECONDS = 10.0
GONE_SECONDS = 60.0
"""How long a server may be unreachable until it counts as dead: llama.cpp's is started again once."""
PR_SET_PDEATHSIG = 1
REVISION = "0" * 40


@contextmanager
def by_llama(adapter: Adapter, port: int) -> Iterator[str]:
    """Serve by llama.cpp; yields the base URL. Raises what `adapted.served` and `server.serve` raise."""
    what = served(Place(endpoint=f"{ADAPTER}{adapter.name}"))
    assert what is not None
    fetch_model(what.model)
    context = min(CONTEXT, models.context(what.model) or CONTEXT)
    with serve(what.model, context=context, lora=what.lora, alias=what.alias, port=port) as url:
        yield url


@contextmanager
def by_transformers(adapter: Adapter, port: int) -> Iterator[str]:
    """Merge the adapter into its base, once, and serve that by `transformers serve`; yields the base URL.

    Raises AdapterError when the adapter is damaged or cannot be merged; ModelUnavailable without the extra
    `train`, or when the server does not start.
    """
    folder = merged(adapter)
    log = local_home() / "logs" / f"transformers-serve-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", adapter.name]
    command += ["--host", HOST, "--port", str(port)]
    say(f"loading {adapter.name}; the server's log is {log}")
    listed = {"HF_HUB_CACHE": str(_listed(folder))}
    with log.open("wb") as stream:  # the model's name is its folder's, as a caller asks for it
        child = _start(command, stream.fileno(), cwd=folder.parent, more=listed)
    try:
        address = f"http://{HOST}:{port}"
        if not healthy(address, child, time.monotonic() + START_SECONDS):
            said = " | ".join(log.read_text("utf-8", "replace").split("\n")[-8:])[-600:]
            raise ModelUnavailable(f"transformers could not serve {adapter.name}: {said}", f"see {log}")
        yield f"{address}/v1"
    finally:
        _stop(child)


def merged(adapter: Adapter) -> Path:
    """The folder of the base with the adapter merged into it, made where it is not there.

    Raises AdapterError when it cannot be made, ModelUnavailable without the extra `train`.
    """
    folder = local_home() / "merged" / adapter.name
    if _merge_of(folder) == adapter.manifest.files[WEIGHTS]:
        return folder
    require_train()
    if problems := verify(adapter):
        raise AdapterError(
            f"the adapter {adapter.name} is damaged: {'; '.join(problems)}", "train it again, or copy it anew"
        )
    say(f"merging {adapter.name} into {adapter.manifest.base}, once")
    command = [sys.executable, "-m", "linguacodus_core.trainer.merge", str(adapter.folder), str(folder)]
    hub = adapter.manifest.base_identity == adapter.manifest.base
    child = _start(command, subprocess.PIPE, stderr=subprocess.PIPE, offline=not hub)
    try:
        out, err = child.communicate()
    finally:
        _stop(child)
    if child.returncode == 0 and _merge_of(folder) == adapter.manifest.files[WEIGHTS]:
        return folder
    problem, remedy = _told(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    raise AdapterError(f"{adapter.name} cannot be merged into {adapter.manifest.base}: {problem}", remedy)


def require_train() -> None:
    """Raise ModelUnavailable unless torch, transformers and PEFT (the extra `train`) are installed."""
    missing = [name for name in ("torch", "transformers", "peft") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelUnavailable(
            f"merging an adapter needs {', '.join(missing)}, not installed here",
            "pip install 'linguacodus[train]'",
        )


def vllm_command(adapter: Adapter, port: int) -> list[str]:
    """How vLLM serves an adapter beside its base, under the names that profiles give them.

    Raises AdapterError when the base's safetensors are gone, or the adapter's configuration is damaged.
    """
    manifest = adapter.manifest
    base = manifest.base
    if manifest.base_identity != manifest.base:  # no hub id: a folder, or converted from a GGUF file
        base = manifest.base_folder or base
        if not Path(base).is_dir():
            raise AdapterError(
                f"the base of {adapter.name}, {manifest.base}, is not there as safetensors ({base})",
                f"make it anew: linguacodus adapters serve {adapter.name} --engine transformers",
            )
    try:
        rank = int(json.loads((adapter.folder / LORA_CONFIG).read_text("utf-8"))["r"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise AdapterError(
            f"{adapter.folder / LORA_CONFIG} is damaged: {error}",
            f"linguacodus adapters verify {adapter.name}",
        ) from error
    fitting = next((most for most in VLLM_RANKS if most >= rank), rank)
    command = ["vllm", "serve", base, "--served-model-name", manifest.base_identity, "--enable-lora"]
    command += ["--lora-modules", f"{adapter.name}={adapter.folder}", "--max-lora-rank", str(fitting)]
    return [*command, "--host", HOST, "--port", str(port)]


def become_vllm(command: list[str]) -> None:
    """Replace this process by vLLM. Raises ModelUnavailable where it is not installed."""
    if shutil.which("vllm") is None:
        raise ModelUnavailable(
            "vLLM is not installed here",
            "it wants a GPU and a torch of its own: python -m venv vllm && vllm/bin/pip install vllm, then "
            f"vllm/bin/{shlex.join(command)}",
        )
    os.execvp(command[0], command)


def require_free(port: int) -> None:
    """Raise ModelUnavailable when something listens at that port of loopback already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ModelUnavailable(
                f"port {port} cannot be had: {error.strerror}", "choose another: --port 8001"
            ) from error


def watch(url: str) -> None:
    """Wait for as long as the server can be reached. Raises ModelUnavailable when it is gone for good."""
    where = urlsplit(url)
    seen = time.monotonic()
    while time.monotonic() - seen < GONE_SECONDS:
        time.sleep(1)
        try:
            socket.create_connection((where.hostname or HOST, where.port or 80), timeout=5).close()
            seen = time.monotonic()
        except OSError:
            continue
    raise ModelUnavailable(
        f"the server at {url} has died", f"its log is the newest in {local_home() / 'logs'}; start it again"
    )


def _start(
    command: list[str],
    stdout: int,
    stderr: int = subprocess.STDOUT,
    cwd: Path | None = None,
    offline: bool = True,
    more: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """A child in a session of its own that the kernel ends with this process."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def bound() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    environment = {"PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}
    if offline:
        environment["HF_HUB_OFFLINE"] = "1"
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        env={**os.environ, **environment, **(more or {})},
        start_new_session=True,
        preexec_fn=bound,
    )


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _listed(folder: Path) -> Path:
    """A hub cache with this model alone, which is what `transformers serve` lists as its models."""
    cache = folder.parent / ".listed" / folder.name
    repository = cache / f"models--{folder.name}"
    with described(cache):
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "snapshots").mkdir(exist_ok=True)
        (repository / "refs" / "main").write_text(REVISION)
        snapshot = repository / "snapshots" / REVISION
        if not snapshot.is_symlink():
            snapshot.symlink_to(folder)
    return cache


def _merge_of(folder: Path) -> str:
    """The SHA-256 of the weights that a merged folder was made with, "" where it is not whole."""
    try:
        return str(json.loads((folder / "merged.json").read_text("utf-8"))["weights"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _told(out: str, err: str) -> tuple[str, str]:
    """What a child of the trainer said went wrong, and the remedy; else the end of what it said at all."""
    for line in reversed(out.splitlines()):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") == "error":
            return str(event.get("problem")), str(event.get("remedy") or "")
    lines = [line for line in err.splitlines() if line.strip()]
    return (" | ".join(lines[-3:])[-600:] or "it said nothing"), "check the free memory and disk space"
