"""Every test session has a LINGUACODUS_HOME of its own; only model files are those of the user's."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_users_home = Path(os.environ.get("LINGUACODUS_HOME") or Path.home() / ".linguacodus").expanduser()
_own_home = Path(tempfile.mkdtemp(prefix="linguacodus-tests-"))
if (_users_home / "models").is_dir():
    (_own_home / "models").symlink_to(_users_home / "models")
os.environ["LINGUACODUS_HOME"] = str(_own_home)
os.environ["PREFECT_HOME"] = str(_own_home / "prefect")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background job; some tests send Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    shutil.rmtree(_own_home, ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LINGUACODUS_HOME for one test alone."""
    place = tmp_path / "home"
    monkeypatch.setenv("LINGUACODUS_HOME", str(place))
    return place


@pytest.fixture
def no_hang() -> Iterator[None]:
    """Ends a test that has not come to an end after two minutes (a regular expression gone wild)."""

    def stop(*_: object) -> None:
        raise TimeoutError("the test did not come to an end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
