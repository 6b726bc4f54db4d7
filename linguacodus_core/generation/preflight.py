"""What is checked before anything is started: bad input costs a second, not a server's start."""

import os
import time
from pathlib import Path

from linguacodus_core.errors import LinguacodusError, ModelUnavailable
from linguacodus_core.generation.agenda import next_step
from linguacodus_core.generation.progress import say, warn
from linguacodus_core.generation.prompt_check import needed_prompts
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.llm import models
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.sandbox.check import require
from linguacodus_core.taskfolder.read import read_task

_failed: dict[str, ModelUnavailable] = {}


def preflight(request: GenerateRequest) -> float:
    """Check output folder, task, profile and sandbox, and fetch the embedded model if it is not here.

    Returns the seconds that the fetching took. Raises LinguacodusError for what makes the run
    impossible; a model that cannot be had only warns.
    """
    check_output_folder(request.task_dir, request.out)
    require(request.sandbox)
    profile = load_profile(request.profile)
    profile.api_key()
    needed_prompts(request, request.prompt_set or profile.prompt_set)
    spec = read_task(request.task_dir)
    say(
        f"{spec.title}: {', '.join(spec.data_types)}, {spec.problem}, {spec.metric} ({spec.direction}), "
        f"target {', '.join(spec.targets[:5])}, {spec.train_rows:,} rows"
    )
    for line in spec.warnings:
        warn(line)
    began = time.monotonic()
    if profile.embedded and next_step(request, [], [], set(), 0):
        try:
            fetch_model(profile.embedded)
        except LinguacodusError as error:
            warn(f"going on without the language model: {error}")
    return time.monotonic() - began


def check_output_folder(task_dir: Path, out: Path) -> None:
    """Raise LinguacodusError when nothing can or must be written to `out`; nothing is written here."""
    task, out = task_dir.resolve(), out.resolve()
    elsewhere = "give --out a folder of its own, such as --out result"
    if out == task:
        raise LinguacodusError(f"--out is the task folder itself ({out})", elsewhere)
    for name in ("data", "private"):
        if out.is_relative_to((task / name).resolve()):
            raise LinguacodusError(f"--out is inside the task's {name}/ ({out})", elsewhere)
    there = next(place for place in (out, *out.parents) if os.path.lexists(place))
    if not there.is_dir():
        raise LinguacodusError(f"--out: {there} is a file, not a folder", elsewhere)
    if not os.access(there, os.W_OK | os.X_OK):
        raise LinguacodusError(f"--out: {there} cannot be written", "give --out a folder that you may write")


def fetch_model(name: str) -> None:
    """Fetch an embedded model unless it is here, saying every tenth of it.

    Raises ModelUnavailable when it cannot be had; what failed is not tried twice in one process.
    """
    if name in _failed:
        raise _failed[name]
    try:
        models.path(name)
        return
    except ModelUnavailable:
        model = models.find(name)
    said = 0

    def progress(done: int, total: int) -> None:
        nonlocal said
        if done * 10 // total > said:
            said = done * 10 // total
            say(f"fetching {model.name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    say(f"the model {model.name} is not here yet: fetching it once")
    try:
        models.pull(model, progress)
    except ModelUnavailable as error:
        _failed[name] = error
        raise
