"""How the command line reaches the flows: as entry points, since the core does not import them."""

from importlib.metadata import entry_points
from typing import Any


def flow(name: str) -> Any:
    """The callable that the package `flows` registers under `name` in the group linguacodus.flows."""
    return entry_points(group="linguacodus.flows")[name].load()
