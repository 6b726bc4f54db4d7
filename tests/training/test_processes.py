import json
import sys
from pathlib import Path

import pytest

from linguacodus_core.training.config import HardwareSettings
from linguacodus_core.training.processes import accelerated


def written(folder: Path, **hardware: object) -> dict[str, object]:
    command = accelerated(HardwareSettings.model_validate(hardware), folder)
    assert command[:4] == [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    found: dict[str, object] = json.loads(Path(command[4]).read_text())
    return found


def test_all_settings_stand_in_a_file_of_the_stage(tmp_path: Path) -> None:
    found = written(tmp_path, processes=4)
    assert (found["num_processes"], found["distributed_type"]) == (4, "MULTI_GPU")
    assert "fsdp_config" not in found


def test_fsdp_has_its_settings(tmp_path: Path) -> None:
    found = written(tmp_path, processes=2, strategy="fsdp")
    assert found["distributed_type"] == "FSDP"
    assert found["fsdp_config"]["fsdp_version"] == 2  # type: ignore[index]
    assert found["fsdp_config"]["fsdp_state_dict_type"] == "FULL_STATE_DICT"  # type: ignore[index]


@pytest.mark.parametrize(("set_already", "given"), [(None, True), ("3", False)])
def test_threads_are_shared_out_unless_they_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_already: str | None, given: bool
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if set_already:
        monkeypatch.setenv("OMP_NUM_THREADS", set_already)
    command = accelerated(HardwareSettings(processes=2), tmp_path)
    assert ("--num_cpu_threads_per_process" in command) is given
