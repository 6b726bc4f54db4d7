"""Where Linguacodus keeps its things: one place, from the environment."""

import os
from pathlib import Path


def home() -> str:
    """LINGUACODUS_HOME: a local folder (~/.linguacodus by default) or any fsspec URL."""
    return os.environ.get("LINGUACODUS_HOME") or str(Path.home() / ".linguacodus")


def local_home() -> Path:
    """A local folder for what must be local: model files, the call ledger, scratch space.

    The same as home() when that is local, else ~/.linguacodus.
    """
    place = home()
    path = Path(place).expanduser() if "://" not in place else Path.home() / ".linguacodus"
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def ledger_path() -> Path:
    """The SQLite file of every LLM call: cache and account in one."""
    return local_home() / "ledger.sqlite"
