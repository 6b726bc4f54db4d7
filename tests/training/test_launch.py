"""Stages run as child processes; what stands for the trainer is a script beside this file."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from linguacodus_core.errors import TrainingError
from linguacodus_core.training import launch
from linguacodus_core.training.launch import command_for, require_stack, run_stage
from tests.training.jobs import job_in

SCRIPT = str(Path(__file__).with_name("fake_trainer.py"))
NEEDS_ACCELERATE = pytest.mark.skipif(
    importlib.util.find_spec("accelerate") is None, reason="accelerate is not installed"
)


def ran(folder: Path, behaviour: str, stage: str = "sft", **config: Any) -> tuple[dict[str, Any], list[Any]]:
    seen: list[Any] = []
    done = run_stage(job_in(folder, **config), stage, seen.append, program=(SCRIPT, behaviour))
    return done, seen


def failed(folder: Path, behaviour: str, stage: str = "sft", **config: Any) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        ran(folder, behaviour, stage, **config)
    return caught.value


def gone(processes: list[int], seconds: float = 20.0) -> bool:
    """Whether all of these processes end within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def alive(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_events_come_as_they_are_written_and_the_result_is_returned(tmp_path: Path) -> None:
    done, seen = ran(tmp_path, "well")
    assert done == {"steps": 2, "rank": None}
    assert [event["event"] for event in seen] == ["begin", "step", "step", "end"]
    assert [event.get("step") for event in seen] == [None, 1, 2, None]
    assert "all went well" in (tmp_path / "sft/log.txt").read_text()


def test_a_finished_stage_is_not_run_again(tmp_path: Path) -> None:
    ran(tmp_path, "well")
    done, seen = ran(tmp_path, "crash")
    assert (done["steps"], seen) == (2, [])
    assert (tmp_path / "runs.txt").read_text() == "well\n"


def test_events_of_an_earlier_run_are_not_passed_on_again(tmp_path: Path) -> None:
    failed(tmp_path, "error")
    done, seen = ran(tmp_path, "well")
    assert [event["event"] for event in seen] == ["begin", "step", "step", "end"]
    assert done["steps"] == 2


def test_an_error_event_is_the_error(tmp_path: Path) -> None:
    error = failed(tmp_path, "error")
    assert (error.problem, error.remedy) == ("no example fits", "raise max_length")


def test_a_trainer_that_hangs_after_its_error_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "AFTER_ERROR_SECONDS", 0.3)
    assert failed(tmp_path, "error-and-hangs").problem == "no example fits"


def test_a_child_that_was_killed_says_which_settings_to_lower(tmp_path: Path) -> None:
    training = {"batch": 8, "batching": "shared_prefix", "gradient_checkpointing": False}
    error = failed(tmp_path, "SIGKILL", training=training)
    assert "the stage sft was killed (SIGKILL): memory probably ran out" in error.problem
    for words in ("training.batch (8)", "training.pack_length (2,048)", "training.max_length (2,048)"):
        assert words in error.remedy
    assert "gradient_checkpointing = true" in error.remedy
    assert "lora.r (16)" in error.remedy


def test_memory_that_ran_out_in_the_log_says_so_too(tmp_path: Path) -> None:
    error = failed(tmp_path, "memory", "dpo")
    assert "the stage dpo ran out of memory" in error.problem
    assert "preferences.batch (2)" in error.remedy


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    assert "found no space on the disk" in failed(tmp_path, "disk").problem


def test_a_crash_ends_with_the_last_words_of_its_own_log(tmp_path: Path) -> None:
    error = failed(tmp_path, "crash")
    assert error.problem == "the stage sft ended with exit status 7: step 2 | the reason stands here"
    assert str(tmp_path / "sft/log.txt") in error.remedy
    assert failed(tmp_path, "raises").problem.endswith("exit status 1: ValueError: this is why")
    nothing = failed(tmp_path, "says-nothing")
    assert nothing.problem == "the stage sft ended without its result: it said nothing"


def test_another_signal_is_named(tmp_path: Path) -> None:
    assert "was ended by SIGSEGV" in failed(tmp_path, "SIGSEGV").problem


@pytest.mark.parametrize("deaf", ["", "1"])
def test_what_stops_this_process_ends_all_that_the_stage_started(
    tmp_path: Path, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEAF", deaf)
    monkeypatch.setattr(launch, "STOP_SECONDS", 1.0)
    processes: list[int] = []

    def interrupt(event: dict[str, Any]) -> None:
        processes.extend(event["processes"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(job_in(tmp_path), "sft", interrupt, program=(SCRIPT, "family"))
    assert len(processes) == 3
    assert gone(processes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    job_in(tmp_path)
    driver = (
        "import sys; from linguacodus_core.training.launch import run_stage; "
        "from linguacodus_core.training.job import open_job; "
        f"run_stage(open_job({str(tmp_path)!r}), 'sft', lambda event: print(event['processes'], flush=True), "
        f"program=({SCRIPT!r}, 'family'))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", driver], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child, own, apart = [int(number) for number in parent.stdout.readline().strip("[]\n").split(",")]
    try:
        parent.send_signal(number)
        parent.communicate(timeout=30)
        assert gone([child] if number == signal.SIGKILL else [child, own, apart])
    finally:
        for process in (child, own, apart):
            if alive(process):
                os.kill(process, signal.SIGKILL)


def test_two_runs_of_a_job_are_one_after_the_other(tmp_path: Path) -> None:
    first: list[dict[str, Any]] = []
    other = threading.Thread(target=lambda: first.append(ran(tmp_path, "late")[0]))
    other.start()
    until = time.monotonic() + 20
    while not (tmp_path / "runs.txt").exists() and time.monotonic() < until:
        time.sleep(0.02)
    done, _ = ran(tmp_path, "late")
    other.join(20)
    assert first == [done]
    assert (tmp_path / "runs.txt").read_text() == "late\n"


def test_what_is_private_does_not_reach_the_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "KAGGLE_KEY",
        "MY_API_KEY_2",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
    )
    public = ("HF_TOKEN", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    for name in (*private, *public):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("LINGUACODUS_HOME", os.path.relpath(tmp_path / "home"))
    seen: list[Any] = []
    job = job_in(tmp_path / "job")
    done = run_stage(job, "base", seen.append, track="tensorboard", program=(SCRIPT, "environment"))
    variables = done["variables"]
    assert not set(private) & set(variables)
    assert all(variables[name] == "7" for name in public)
    assert variables["LINGUACODUS_TRACK"] == "tensorboard"
    assert variables["LINGUACODUS_HOME"] == str((tmp_path / "home").resolve())
    assert done["arguments"] == ["base", str(job.folder)]


def test_only_training_is_shared_by_processes(tmp_path: Path) -> None:
    job = job_in(tmp_path, hardware={"processes": 2, "device": "cpu"})
    assert command_for(job, "measure") == [
        sys.executable,
        "-m",
        "linguacodus_core.trainer",
        "measure",
        str(job.folder),
    ]
    assert "accelerate.commands.launch" in command_for(job, "sft")
    assert "accelerate.commands.launch" in command_for(job, "dpo")


@NEEDS_ACCELERATE
@pytest.mark.slow
def test_two_processes_on_the_cpu(tmp_path: Path) -> None:
    done, _ = ran(tmp_path, "processes", hardware={"processes": 2, "device": "cpu"})
    assert done == {"steps": 1}
    assert [(tmp_path / f"sft/rank-{rank}").read_text() for rank in (0, 1)] == ["2", "2"]


@NEEDS_ACCELERATE
@pytest.mark.slow
def test_one_of_several_processes_that_was_killed_is_found_in_the_log(tmp_path: Path) -> None:
    error = failed(tmp_path, "worker-killed", hardware={"processes": 2, "device": "cpu"})
    assert "memory probably ran out" in error.problem


def test_libraries_that_are_missing_are_named_with_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in {"trl", "trackio"} else found("json")
    )
    with pytest.raises(TrainingError) as caught:
        require_stack()
    assert (caught.value.problem, caught.value.remedy) == (
        "a fine-tune needs trl, not installed here",
        "pip install 'linguacodus[train]'",
    )
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "trackio" else found("json")
    )
    require_stack()
    with pytest.raises(TrainingError, match="trackio is not installed"):
        require_stack("trackio")
