"""Jobs for the trainer made by a benchmark: any rows, any configuration, a stage at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core import __version__, store
from linguacodus_core.training.base import absolute, identity
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import TRAINING

ROOT = Path(__file__).parents[1]

Event = dict[str, Any]


class Failed(Exception):
    """A process did not do what it was started for; what it said last is the message."""


def make_job(folder: Path, config: FinetuneConfig, train: pa.Table, heldout: pa.Table) -> Job:
    """A job of these examples in that folder, as `linguacodus finetune` leaves it for the trainer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in TRAINING.items():
        rows = {"train": train, "heldout": heldout}.get(name, schema.empty_table())
        store.write_table(folder / f"{name}.parquet", rows)
    base = absolute(config.base)
    job = Job(
        folder=folder.resolve(),
        key=folder.name,
        name=f"{config.name}-{folder.name}",
        config=config,
        datasets=("benchmark",),
        base=base,
        base_identity=identity(base),
        shuffled=False,
        preferences=(),
        from_adapter=None,
        code_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    job.write()
    return job


def environment(**more: str) -> dict[str, str]:
    """For processes that benchmarks start: this checkout importable, no network, unbuffered."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **more,
    }


@contextmanager
def started(command: list[str], log: Path, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a group of its own, which ends with the block whatever happens."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        try:
            yield process
        finally:
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the process and all that it started, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command: list[str], log: Path, *, limit: float, env: dict[str, str] | None = None) -> bool:
    """Run a command; whether it came to its end within `limit` seconds (else it is killed).

    Raises Failed when it ends with another status than 0.
    """
    with started(command, log, env or environment()) as process:
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            return False
    if status:
        raise Failed(f"{' '.join(command[:6])} ...: exit status {status}\n{tail(log)}")
    return True


def tail(log: Path, letters: int = 1500) -> str:
    """The end of a log."""
    return log.read_text("utf-8", errors="replace")[-letters:].strip()


def stage_command(job: Job, stage: str) -> list[str]:
    """The product's own trainer, for one stage."""
    return [sys.executable, "-m", "linguacodus_core.trainer", stage, str(job.folder)]


def run_stage(job: Job, stage: str, *, limit: float) -> bool:
    """A stage of a job to its end, or as far as it comes within `limit` seconds; whether it came to its end.

    Raises Failed with what the stage says of itself.
    """
    try:
        return run(stage_command(job, stage), job.stage(stage) / "log.txt", limit=limit)
    except Failed as error:
        told = [event for event in events(job.stage(stage) / "events.jsonl") if event["event"] == "error"]
        raise Failed(f"{told[-1]['problem']}: {told[-1]['remedy']}" if told else str(error)) from error


def kill_stage(job: Job, stage: str, when: Callable[[list[Event]], bool], *, limit: float) -> bool:
    """Start a stage and kill -9 it once `when` holds of its events; False when it ended before that."""
    file = job.stage(stage) / "events.jsonl"
    known = len(events(file))
    with started(stage_command(job, stage), job.stage(stage) / "log.txt", environment()) as process:
        end = time.monotonic() + limit
        while process.poll() is None and time.monotonic() < end:
            if when(events(file)[known:]):
                return True
            time.sleep(0.02)
        return False


def events(file: Path) -> list[Event]:
    """The events in a file so far; a line that a kill tore is left out."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text("utf-8", errors="replace").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


@dataclass(frozen=True)
class Pace:
    """What a training's reports say: of all of it, and `steady`: without its first tenth (the warm-up)."""

    steps: int
    seconds: float
    tokens: int
    steady_steps: int
    steady_seconds: float
    steady_tokens: int
    memory: int
    loss: float


def pace(found: list[Event]) -> Pace:
    """The pace of one unbroken run from its events. Raises Failed when there are less than two reports."""
    steps = [event for event in found if event["event"] == "step"]
    if len(steps) < 2:
        raise Failed(f"{len(steps)} steps were reported: too few to tell a pace")
    last = steps[-1]
    first = next(step for step in steps if step["step"] >= last["step"] / 10)
    if first is last:
        first = steps[0]
    return Pace(
        steps=last["step"],
        seconds=last["seconds"],
        tokens=last["tokens"],
        steady_steps=last["step"] - first["step"],
        steady_seconds=last["seconds"] - first["seconds"],
        steady_tokens=last["tokens"] - first["tokens"],
        memory=max(step["memory"] for step in steps),
        loss=last["loss"],
    )
