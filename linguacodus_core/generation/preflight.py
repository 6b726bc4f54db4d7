"""What is checked before anything is started: bad input costs a second, not a server's start."""

import os
import time
from pathlib import Path

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.generation.agenda import next_step
from linguacodus_core.generation.prompt_check import needed_prompts
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.llm.adapted import mismatch, models_of
from linguacodus_core.llm.fetch import fetch_model
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.progress import say, warn
from linguacodus_core.sandbox.check import require
from linguacodus_core.taskfolder.read import read_task


def preflight(request: GenerateRequest) -> float:
    """Check output folder, task, profile and sandbox, and fetch embedded models that are not here.

    Returns the seconds that the fetching took. Raises LinguacodusError for what makes the run
    impossible; a model that cannot be had only warns.
    """
    check_output_folder(request.task_dir, request.out)
    require(request.sandbox)
    profile = load_profile(request.profile)
    profile.require_keys()
    models = models_of(profile)
    prompt_set = request.prompt_set or profile.prompt_set
    needed_prompts(request, prompt_set)
    spec = read_task(request.task_dir)
    say(
        f"{spec.title}: {', '.join(spec.data_types)}, {spec.problem}, {spec.metric} ({spec.direction}), "
        f"target {', '.join(spec.targets[:5])}, {spec.train_rows:,} rows"
    )
    for line in spec.warnings:
        warn(line)
    began = time.monotonic()
    if next_step(request, [], [], set(), 0):
        if told := mismatch(profile, prompt_set):
            warn(told)
        try:
            for model in models:
                fetch_model(model)
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
