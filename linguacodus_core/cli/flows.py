"""How the command line reaches the flows: as entry points, since the core does not import them."""

import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from linguacodus_core.settings import local_home

QUIET_PREFECT = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
}
"""Defaults for a run from the command line; what the user has set stays."""


def quiet_prefect() -> None:
    """Set these defaults; to be called before Prefect is imported."""
    for name, value in QUIET_PREFECT.items():
        os.environ.setdefault(name, value)
    if not os.access(Path.home(), os.W_OK):  # a service's account: Prefect would keep its things there
        os.environ.setdefault("PREFECT_HOME", str(local_home() / "prefect"))


def flow(name: str) -> Any:
    """The callable that the package `flows` registers under `name` in the group linguacodus.flows."""
    return entry_points(group="linguacodus.flows")[name].load()
