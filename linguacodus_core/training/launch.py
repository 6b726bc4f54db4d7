"""Running a stage of the trainer: a child process, its events passed on while it works, its failures
explained."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.settings import home, local_home
from linguacodus_core.training.history import EVENTS, Tail
from linguacodus_core.training.job import Job, alone
from linguacodus_core.training.memory import advice
from linguacodus_core.training.processes import accelerated
from linguacodus_core.training.request import Track

OnEvent = Callable[[dict[str, Any]], None]

LOG = "log.txt"
TRACK = "LINGUACODUS_TRACK"
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "bitsandbytes", "datasets", "gguf")
TRAINER = ("-m", "linguacodus_core.trainer")
SHARED = ("sft", "dpo")
"""The stages that several processes share."""

LOOK_SECONDS = 0.2
STOP_SECONDS = 10.0
AFTER_ERROR_SECONDS = 60.0
"""What a stage may take to end by itself: when it is asked to, and after it reported an error."""

PRIVATE = re.compile(r"API_KEY|SECRET|PASSWORD|^KAGGLE_|^OPENAI_")
"""Variables that the trainer has no use for; the hub's (HF_...) it may need, for a gated base."""
KILLED = re.compile(r"exitcode\s*:\s*-9\b|Signal 9 \(SIGKILL\)")
NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|\bMemoryError\b|Cannot allocate memory|bad_alloc", re.IGNORECASE
)
RAISED = re.compile(r"(\[rank\d+\]: ?)?[\w.]+(Error|Exception)\b")
LAUNCHERS = re.compile(r"ChildFailedError|CalledProcessError")
"""What accelerate says of a process that failed; why it failed stands above."""
NO_DISK = re.compile(r"No space left on device|Disk quota exceeded")


def require_stack(track: Track = "none") -> None:
    """Raise TrainingError unless the libraries that train are installed (nothing is imported)."""
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise TrainingError(
            f"a fine-tune needs {', '.join(missing)}, not installed here", "pip install 'linguacodus[train]'"
        )
    if track != "none" and importlib.util.find_spec(track) is None:
        raise TrainingError(
            f"{track} is not installed", "pip install 'linguacodus[track]', or go without --track"
        )


def run_stage(
    job: Job,
    stage: str,
    on_event: OnEvent,
    *,
    track: Track = "none",
    program: Sequence[str] = TRAINER,
) -> dict[str, Any]:
    """Run a stage (base, sft, dpo, measure) to its end; what finished.json says of it.

    A finished stage is not run again. on_event: called with each event, as it comes; what it raises ends the
    stage. program: what Python runs, as a script or `-m MODULE`, followed by the stage and the job's folder.
    Another process that works on this job is waited for. Raises TrainingError: what the trainer reported, too
    little memory, a crash with the end of its log, libraries that are missing; StoreError when nothing can be
    written. Ctrl-C, or the end of this process, ends the stage and all that it started; checkpoints stay.
    """
    folder = job.stage(stage)
    with alone(job.folder) as lock:
        if done := job.done(stage):
            return done
        if program == TRAINER:
            require_stack(track)
        with store.described(folder):
            folder.mkdir(parents=True, exist_ok=True)
            log = (folder / LOG).open("ab")
        began, tail = log.tell(), Tail(folder / EVENTS)
        with log:
            child = _started(command_for(job, stage, program), log, environment(job, track), lock.fileno())
        try:
            error = _follow(child, tail, on_event)
        finally:
            _end(child)
        if done := job.done(stage):
            return done
        raise _failure(job, stage, child.returncode, error, _said(folder / LOG, began))


def command_for(job: Job, stage: str, program: Sequence[str] = TRAINER) -> list[str]:
    """The command line of a stage: one process, or as many as the configuration says where a stage trains.

    Raises TrainingError for a combination that there is not, StoreError when the folder cannot be written.
    """
    hardware = job.config.hardware
    several = hardware.processes > 1 and stage in SHARED
    start = accelerated(hardware, job.stage(stage)) if several else [sys.executable]
    return [*start, *program, stage, str(job.folder)]


def environment(job: Job, track: Track) -> dict[str, str]:
    """The child's environment: this one's, without what is private and of no use to it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("HF_") or not PRIVATE.search(name)
    }
    place = home() if "://" in home() else str(local_home())
    cpu = {"ACCELERATE_USE_CPU": "true"} if job.config.hardware.device == "cpu" else {}
    return kept | {"LINGUACODUS_HOME": place, TRACK: track, "PYTHONUNBUFFERED": "1"} | cpu


def _started(
    command: Sequence[str], log: IO[bytes], variables: dict[str, str], lock: int
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "linguacodus_core.training.child", str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=variables,
            cwd=Path(linguacodus_core.__file__).parents[1],
            start_new_session=True,  # Ctrl-C is for this process to decide on
            pass_fds=(lock,),  # the job is taken as long as the child lives
        )
    except OSError as error:
        raise TrainingError(
            f"the trainer could not be started: {error.strerror or error}",
            "free memory, or end other processes",
        ) from error


def _follow(child: "subprocess.Popen[bytes]", tail: Tail, on_event: OnEvent) -> dict[str, Any] | None:
    """Pass events on until the child ends; its last error event, if there was one."""
    error: dict[str, Any] | None = None
    until = float("inf")
    while True:
        ended = child.poll() is not None
        for event in tail.new():
            if event["event"] == "error":
                error = event
                until = min(until, time.monotonic() + AFTER_ERROR_SECONDS)
            on_event(event)
        if ended or time.monotonic() > until:
            return error
        time.sleep(LOOK_SECONDS)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the child and everything that it started, gently first; those of sessions of their own, too."""
    try:
        family = psutil.Process(child.pid).children(recursive=True) if child.poll() is None else []
    except psutil.NoSuchProcess:
        family = []
    if child.poll() is None:
        for process in family:
            _signalled(process, signal.SIGTERM)
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        _, alive = psutil.wait_procs(family, timeout=1.0)
        for process in alive:
            _signalled(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # what is left of its group


def _signalled(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _failure(job: Job, stage: str, status: int, error: dict[str, Any] | None, said: str) -> TrainingError:
    log = job.stage(stage) / LOG
    if error is not None:
        return TrainingError(
            str(error.get("problem") or "the trainer reported an error"),
            str(error.get("remedy") or f"its log is {log}"),
        )
    again = "then run the same command again: it goes on from the last checkpoint"
    if status == -signal.SIGKILL or KILLED.search(said):
        return TrainingError(
            f"the stage {stage} was killed (SIGKILL): memory probably ran out",
            f"{advice(job.config, stage)}; its log is {log}",
        )
    if NO_MEMORY.search(said):
        return TrainingError(
            f"the stage {stage} ran out of memory: {_last(said)}",
            f"{advice(job.config, stage)}; its log is {log}",
        )
    if NO_DISK.search(said):
        return TrainingError(f"the stage {stage} found no space on the disk", f"free some, {again}")
    if status < 0:
        return TrainingError(
            f"the stage {stage} was ended by {signal.Signals(-status).name}: {_last(said)}",
            f"run the same command again: it goes on from the last checkpoint; its log is {log}",
        )
    how = "without its result" if status == 0 else f"with exit status {status}"
    return TrainingError(f"the stage {stage} ended {how}: {_last(said)}", f"its log is {log}")


def _said(log: Path, began: int) -> str:
    """What this run wrote to the log: the last 20,000 bytes of it."""
    with log.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(began, size - 20_000))
        return stream.read().decode(errors="replace")


def _last(said: str) -> str:
    """The last exception of a log, or its last words, on one line; of a progress bar, its end."""
    lines = [line.strip().rsplit("\r", 1)[-1].strip() for line in said.split("\n")]
    raised = [line for line in lines if RAISED.match(line) and not LAUNCHERS.search(line)]
    return (raised[-1] if raised else " | ".join(filter(None, lines)))[-600:] or "it said nothing"
