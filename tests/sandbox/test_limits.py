"""Limits are checked, frozen and derived from the machine."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from linguacodus_core.sandbox import machine
from linguacodus_core.sandbox.limits import Limits


def test_defaults_come_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "memory_mb", lambda: 10_000)
    monkeypatch.setattr(machine, "free_disk_mb", lambda path: 3_000)
    limits = Limits.for_machine(50)
    assert limits.threads == 4
    assert limits.cpu_seconds == 200
    assert limits.memory_mb == 6_000
    assert limits.disk_mb == limits.file_mb == 1_500
    assert limits.processes > 64


def test_a_full_disk_and_a_small_machine_still_give_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_mb", lambda: 512)
    monkeypatch.setattr(machine, "free_disk_mb", lambda path: 0)
    limits = Limits.for_machine(1)
    assert limits.memory_mb == 1024
    assert limits.disk_mb == 256


@pytest.mark.parametrize(
    "bad", [{"wall_seconds": 0}, {"wall_seconds": -1}, {"memory_mb": 0}, {"threads": 0}, {"disc_mb": 5}]
)
def test_a_limit_that_means_nothing_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({"wall_seconds": 1, **bad})


def test_a_container_that_has_less_than_its_machine_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    whole = machine.memory_mb()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert machine.memory_mb() == whole
    assert machine.cores() >= 1
    (tmp_path / "memory.max").write_text(f"{300 << 20}\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert machine.memory_mb() == 300
    assert machine.cores() == 1


def test_free_disk_of_a_folder_that_is_not_there_yet_is_its_parents(tmp_path: Path) -> None:
    assert machine.free_disk_mb(tmp_path / "not" / "yet") > 0
