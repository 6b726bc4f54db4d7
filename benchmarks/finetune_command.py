"""`linguacodus finetune` as a user runs it, and what is left of it afterwards."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.finetune_jobs import ROOT, Failed, environment, events, tail
from linguacodus_core.adapters.metrics import Metrics, read_metrics
from linguacodus_core.dataset.version import open_version
from linguacodus_core.settings import local_home
from linguacodus_core.training.job import Job, open_job

ENDS = {0: "passed", 3: "refused"}
"""Exit statuses of the command that are an end of the work."""


@dataclass(frozen=True)
class Outcome:
    """What one command came to. seconds: of this run of it; stages: what their finished.json say."""

    verdict: str
    seconds: float
    adapter: str
    metrics: Metrics
    stages: dict[str, dict[str, Any]]
    job: Job


def command(*arguments: str) -> list[str]:
    """The command line."""
    return [str(Path(sys.executable).with_name("linguacodus")), "finetune", *arguments]


def finetune(arguments: list[str], home: Path, log: Path, *, limit: float | None = None) -> Outcome:
    """Run the command to its end, in that LINGUACODUS_HOME; a gate that refuses is an end, too.

    Raises Failed when it ends otherwise, or not within `limit` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as stream:
        try:
            ended = subprocess.run(
                command(*arguments),
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=home_environment(home),
                cwd=ROOT,
                timeout=limit,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the fine-tune did not end within {limit:.0f} s\n{tail(log)}") from error
    if ended.returncode not in ENDS:
        raise Failed(f"linguacodus finetune: exit status {ended.returncode}\n{tail(log)}")
    adapter = adapter_named(log.read_text("utf-8"), home)
    metrics = read_metrics(home / "adapters" / adapter)
    if metrics is None:
        raise Failed(f"the adapter {adapter} has no metrics.json")
    job = job_of(adapter, home)
    stages = {name: done for name in ("base", "sft", "dpo", "measure") if (done := job.done(name))}
    return Outcome(ENDS[ended.returncode], time.monotonic() - began, adapter, metrics, stages, job)


def home_environment(home: Path) -> dict[str, str]:
    """The environment of a command whose LINGUACODUS_HOME is that folder."""
    place = {"LINGUACODUS_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
    return environment(**place, COLUMNS="200")


def link_into(home: Path, dataset: Path) -> str:
    """Let a home see a dataset version's folder and the model files of yours; the version's name."""
    links = {dataset: home / "datasets" / dataset.name, local_home() / "models": home / "models"}
    for source, target in links.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.exists() and not target.exists():
            target.symlink_to(source)
    return dataset.name


def dataset_folder(dataset: str) -> Path:
    """The folder of a dataset version, by its name or as it is. Raises DatasetError when it is unknown."""
    given = Path(dataset)
    return given.resolve() if given.is_dir() else Path(open_version(dataset).folder)


def adapter_named(said: str, home: Path) -> str:
    """The adapter that the command's output names last. Raises Failed when it names none."""
    known = [folder.name for folder in (home / "adapters").glob("*") if (folder / "manifest.json").exists()]
    at = {name: said.rfind(name) for name in known}
    if not any(place >= 0 for place in at.values()):
        raise Failed(f"the output names no adapter of {home / 'adapters'}:\n{said[-800:]}")
    return max(at, key=lambda name: at[name])


def job_of(adapter: str, home: Path) -> Job:
    """The job that an adapter came of: its name ends with the beginning of the job's key."""
    key = re.sub(r".*-", "", adapter)
    return open_job(next((home / "training").glob(f"{key}*")))


def step_events(job: Job, stage: str = "sft") -> list[dict[str, Any]]:
    """The steps of a stage as reported, one a step number: of a step done twice, the second time."""
    steps = {
        event["step"]: event
        for event in events(job.stage(stage) / "events.jsonl")
        if event["event"] == "step"
    }
    return [steps[number] for number in sorted(steps)]
