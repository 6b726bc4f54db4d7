"""Runs a program in each isolation that this machine has."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from linguacodus_core.sandbox.check import available
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.run import Execution, run_program

MISSING = {found.name: found.reason for found in available() if not found.works}
needs_bubblewrap = pytest.mark.skipif("bubblewrap" in MISSING, reason=MISSING.get("bubblewrap", ""))
KEEP = ("submission.csv", "soft.csv")


def limits(**changed: float) -> Limits:
    given = {
        "wall_seconds": 20,
        "memory_mb": 600,
        "processes": 40,
        "file_mb": 40,
        "disk_mb": 60,
        "threads": 2,
    }
    return Limits.model_validate(given | changed)


class Runner:
    """Runs programs one after the other in fresh folders; `workdir` is the last one."""

    def __init__(self, isolation: str, tmp_path: Path) -> None:
        self.isolation = isolation
        self._root = tmp_path
        self._runs = 0
        self.workdir = tmp_path

    def __call__(
        self,
        program: str,
        data: Mapping[str, Path] | None = None,
        keep: Sequence[str] = KEEP,
        **changed: float,
    ) -> Execution:
        self._runs += 1
        self.workdir = self._root / f"run{self._runs}"
        return run_program(
            textwrap.dedent(program),
            data or {},
            limits=limits(**changed),
            isolation=self.isolation,
            workdir=self.workdir,
            keep=keep,
        )


@pytest.fixture(params=[pytest.param("bubblewrap", marks=needs_bubblewrap), "subprocess"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return Runner(request.param, tmp_path)


@pytest.fixture
def boxed(tmp_path: Path) -> Runner:
    if "bubblewrap" in MISSING:
        pytest.skip(MISSING["bubblewrap"])
    return Runner("bubblewrap", tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Runner:
    return Runner("subprocess", tmp_path)
