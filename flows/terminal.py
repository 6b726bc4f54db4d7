"""Flows as the command line starts them, with a server of their own that Ctrl-C does not reach."""

import signal

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL

from flows import generate as generate_flow
from linguacodus_core.generation.request import GenerateRequest, GenerateResult


def generate(request: GenerateRequest) -> GenerateResult:
    """The flow `generate` against the configured server, or else a temporary one."""
    _start_server()
    return generate_flow.generate(request)


def api_url() -> str:
    """The configured Prefect API, "" where a run starts a temporary server."""
    return PREFECT_API_URL.value() or ""


def _start_server() -> None:
    """Start Prefect's temporary server unless one is configured.

    Ctrl-C goes to every process of the terminal's group. A child inherits the blocked signal, so the
    server lives on and the flow can end in order.
    """
    if api_url():
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        SubprocessASGIServer().start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
