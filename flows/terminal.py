"""Flows as the command line starts them, with a server of their own that Ctrl-C does not reach."""

import os
import signal
import subprocess
import sys

import httpx
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL

from linguacodus_core.dataset.request import RebuildRequest, RebuildResult
from linguacodus_core.errors import LinguacodusError
from linguacodus_core.generation.request import GenerateRequest, GenerateResult
from linguacodus_core.training.request import FinetuneRequest, FinetuneResult

GUARD = """
import os, select, signal, sys
import psutil
children = {}
while not select.select([sys.stdin], [], [], 0.3)[0]:
    try:
        found = psutil.Process(int(sys.argv[1])).children()
        others = [child for child in found if child.pid != os.getpid()]
        children |= {child.pid: child for child in others if "prefect.server" in " ".join(child.cmdline())}
    except psutil.Error:
        break
told = sys.stdin.readline()
if told.strip():
    children = {int(told): psutil.Process(int(told))}
    sys.stdin.read()
for child in children.values():
    try:
        child.terminate()
    except psutil.Error:
        pass
"""
"""Ends the temporary server when our end of its pipe closes, as it does even after kill -9.

Until it is told which process the server is, it looks for it among our children: a kill while it starts
leaves none.
"""

_guards: list["subprocess.Popen[str]"] = []


def generate(request: GenerateRequest) -> GenerateResult:
    """The flow `generate`, on a server as `find_server` says."""
    from flows import generate as generate_flow

    find_server()
    return generate_flow.generate(request)


def rebuild_dataset(request: RebuildRequest) -> RebuildResult:
    """The flow `rebuild-dataset`, on a server as `find_server` says."""
    from flows import rebuild_dataset as rebuild_flow

    find_server()
    return rebuild_flow.rebuild_dataset(request)


def finetune(request: FinetuneRequest) -> FinetuneResult:
    """The flow `finetune`, on a server as `find_server` says."""
    from flows import finetune as finetune_flow

    find_server()
    return finetune_flow.finetune(request)


def find_server() -> None:
    """Use the configured Prefect server, or else start a temporary one.

    Raises LinguacodusError when the configured server does not answer.
    """
    if api_url():
        _require_server(api_url())
    else:
        start_server()


def api_url() -> str:
    """The configured Prefect API, "" where a run starts a temporary server."""
    return PREFECT_API_URL.value() or ""


def _require_server(url: str) -> None:
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        raise LinguacodusError(
            f"the Prefect server {url} does not answer: {error}",
            "prefect server start, or do without one: prefect config unset PREFECT_API_URL",
        ) from error


def start_server() -> None:
    """Start Prefect's temporary server.

    Ctrl-C goes to every process of the terminal's group. A child inherits the blocked signal, so the
    server lives on and the flow can end in order.
    """
    server = SubprocessASGIServer()
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, str(os.getpid())],
        stdin=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    _guards.append(guard)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        server.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if server.server_process and guard.stdin:
        guard.stdin.write(f"{server.server_process.pid}\n")
        guard.stdin.flush()
