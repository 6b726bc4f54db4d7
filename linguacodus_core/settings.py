"""Where Linguacodus keeps its things: one place, from the environment."""

import os
from pathlib import Path

from linguacodus_core.errors import StoreError

WRITABLE = "export LINGUACODUS_HOME=/a/folder/that/you/can/write"


def home() -> str:
    """LINGUACODUS_HOME: a local folder (~/.linguacodus by default) or any fsspec URL."""
    return os.environ.get("LINGUACODUS_HOME") or str(Path.home() / ".linguacodus")


def local_home() -> Path:
    """A local folder for what must be local: model files, the call ledger, scratch space.

    The same as home() when that is local, else ~/.linguacodus. Raises StoreError when it cannot be made.
    """
    place = home()
    path = Path(place).expanduser() if "://" not in place else Path.home() / ".linguacodus"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror or error}", WRITABLE) from error
    return path.resolve()


def require_writable() -> None:
    """Raise StoreError when nothing can be written to the local folder."""
    if not os.access(local_home(), os.W_OK | os.X_OK):
        raise StoreError(f"{local_home()} cannot be written", WRITABLE)


def ledger_path() -> Path:
    """The SQLite file of every LLM call: cache and account in one."""
    return local_home() / "ledger.sqlite"
