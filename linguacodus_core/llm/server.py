"""Serving embedded models and adapters: llama.cpp in children on loopback that never outlive their parent.

A child waits passively (OMP_WAIT_POLICY): with spinning threads a busy neighbour makes generation
ten times slower and more. It keeps the last prompts, so a prompt whose beginning it has seen is read
only from where it differs.
"""

import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from linguacodus_core.errors import AdapterError, ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.llm.adapted import Served, served
from linguacodus_core.llm.place import Place
from linguacodus_core.llm.profiles import Profile, Roles
from linguacodus_core.settings import home, local_home

START_SECONDS = 120.0
BEYOND_SECONDS = 30.0
"""What may pass after START_SECONDS until a start that hangs is given up, whatever it waits for."""
STOP_SECONDS = 3.0
RESTARTS = 1
KEPT_LOGS = 10
MOST_SLOTS = 4
"""Requests at a time to a role's own model, whatever the endpoint of the others can take."""


def require_llama() -> None:
    """Raise ModelUnavailable unless llama.cpp (the extra `local`) is installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelUnavailable(
            "serving an embedded model needs xllamacpp, which is not installed",
            "run `pip install 'linguacodus[local]'`, or use --profile openai or vllm",
        )


@contextmanager
def _described() -> Iterator[None]:
    """What the machine refuses (disk space, memory, open files, threads), as ModelUnavailable."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise ModelUnavailable(
            f"llama.cpp could not be started: {error}",
            f"free what is short (disk space, memory, open files: `ulimit -n`), check that {home()} "
            "can be written, or use --profile openai or vllm",
        ) from error


@contextmanager
def endpoints_for(profile: Profile) -> Iterator[tuple[str, dict[str, str]]]:
    """The base URL of the profile's endpoint, and that of each role which goes elsewhere, by role.

    Embedded models and adapters are served as long as the block runs, each of them once, whichever roles
    they play; a profile's own model that plays none is not served, and its URL is "". Raises
    ModelUnavailable or AdapterError, saying which roles lack their model.
    """
    with ExitStack() as stack:
        urls: dict[Place, str] = {}
        running: dict[Served, str] = {}
        for place, roles in profile.places().items():
            try:
                what = served(place)
                if what and what not in running:
                    running[what] = stack.enter_context(_serve_for(profile, place, what))
            except (ModelUnavailable, AdapterError) as error:
                if place == profile.place:
                    raise
                raise type(error)(
                    f"no model for the {', '.join(roles)}: {error.problem}", error.remedy
                ) from error
            urls[place] = running[what] if what else place.endpoint
        own = profile.place
        base = urls.get(own, "" if own.own else own.endpoint)
        goes = {role: profile.place_of(role) for role in Roles.model_fields}
        yield base, {role: urls[place] for role, place in goes.items() if place != own}


def _serve_for(profile: Profile, place: Place, what: Served) -> AbstractContextManager[str]:
    if place == profile.place:
        context, slots = profile.context, profile.concurrency
    else:
        context = min(profile.context, models.context(what.model) or profile.context)
        slots = min(profile.concurrency, MOST_SLOTS)
    return serve(what.model, context=context, slots=slots, lora=what.lora, alias=what.alias)


@contextmanager
def serve(
    model: str | Path,
    *,
    context: int = 8192,
    slots: int = 1,
    threads: int | None = None,
    lora: Path | None = None,
    alias: str = "",
    port: int = 0,
) -> Iterator[str]:
    """Serve a model and yield its base URL ("http://127.0.0.1:PORT/v1").

    model: a name or a path. context: tokens of prompt and reply together, for each slot. slots: requests
    at a time; they share the processor. threads: default, the cores this process may use. lora: an
    adapter's GGUF file. alias: the name that it offers (default: the model's identity). port: 0 for any
    free one. A child that dies is started again once, at the same address. Raises ModelUnavailable when
    the file or llama.cpp is missing, when the machine refuses to start it, or when it does not serve in
    time, with the end of what it said.
    """
    require_llama()
    file, alias = models.path(model), alias or models.identity(model)
    command = [sys.executable, "-m", "linguacodus_core.llm.llama", str(file), "--parent", str(os.getpid())]
    command += ["--alias", alias, "--context", str(context), "--slots", str(slots)]
    command += ["--threads", str(threads or _cores()), *(("--lora", str(lora)) if lora else ())]
    keeper = _Keeper(command, alias, port)
    try:
        yield keeper.start() + "/v1"
    finally:
        keeper.stop()


class _Keeper:
    """Starts the child, and starts it again when it dies, from one thread that lives as long as it serves.

    One thread, because the kernel ends the child when the thread that started it ends.
    """

    def __init__(self, command: list[str], alias: str, port: int = 0) -> None:
        self._command, self._alias, self._port = command, alias, port
        with _described():
            self._log = _log_file()
        self._ready: queue.Queue[str | ModelUnavailable] = queue.Queue()
        self._stopping = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"llama {alias}", daemon=True)

    def start(self) -> str:
        with _described():
            self._thread.start()
        try:
            result = self._ready.get(timeout=START_SECONDS + BEYOND_SECONDS)
        except queue.Empty:
            result = ModelUnavailable(f"llama.cpp did not start; its log is {self._log}", "try again")
        if isinstance(result, ModelUnavailable):
            raise result
        return result

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            child = self._child
        if child is not None:
            _end(child)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _keep(self) -> None:
        try:
            address = self._spawn(self._port)
        except ModelUnavailable as error:
            self._ready.put(error)
            return
        self._ready.put(address)
        port = int(address.rsplit(":", 1)[1])
        for _ in range(RESTARTS):
            self._wait()
            if self._stopping.is_set():
                return
            try:
                self._spawn(port)
            except ModelUnavailable:
                return  # the client's next call says that it cannot reach the endpoint
        self._wait()

    def _wait(self) -> None:
        if self._child is not None:
            self._child.wait()

    @_described()
    def _spawn(self, port: int) -> str:
        """Start the child and wait until it serves; its address."""
        environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with self._log.open("ab") as log:
            child = subprocess.Popen(
                [*self._command, "--port", str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=Path(__file__).parents[2],
                start_new_session=True,  # Ctrl-C is for the parent to decide on
            )
        with self._lock:
            self._child = child
        if self._stopping.is_set():
            _end(child)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read_ready, args=(child, lines), daemon=True).start()
        until = time.monotonic() + START_SECONDS
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = ""
        address = line.removeprefix("ready ").strip()
        if line.startswith("ready ") and healthy(address, child, until):
            return address
        gone = child.poll() is not None or not line
        _end(child)
        raise ModelUnavailable(
            f"llama.cpp could not serve {self._alias} "
            + (f"(exit status {child.returncode})" if gone else f"within {START_SECONDS:.0f} s")
            + f": {_end_of(self._log)}",
            f"check the free memory and the model (`linguacodus models pull`); its log is {self._log}",
        )


def _read_ready(child: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    """Pass on the ready line, or "" when the child ends without one."""
    if child.stdout is not None:
        for line in child.stdout:
            if line.startswith("ready "):
                lines.put(line)
        lines.put("")


def healthy(address: str, child: "subprocess.Popen[Any]", until: float) -> bool:
    """Wait until a server says that it is well; False when its process ends first, or the time is up."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until and child.poll() is None:
        try:
            with opener.open(f"{address}/health", timeout=5) as reply:
                if json.load(reply).get("status") == "ok":
                    return True
        except (OSError, ValueError, urllib.error.URLError):
            pass
        time.sleep(0.05)
    return False


def _end(child: "subprocess.Popen[str]") -> None:
    """Close its standard input, which ends it; kill it when that does not help."""
    try:
        if child.stdin is not None:
            child.stdin.close()
    except OSError:
        pass
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _log_file() -> Path:
    folder = local_home() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("llama-*.log"))[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)
    return folder / f"llama-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{threading.get_native_id()}.log"


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return " | ".join(line.strip() for line in lines if line.strip())[-600:] or "it said nothing"
