"""What is checked before anything is started: bad input costs a second, not a server's start."""

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.generation.agenda import next_step
from linguacodus_core.generation.progress import say, warn
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.llm import models
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.sandbox.check import require
from linguacodus_core.taskfolder.read import read_task


def preflight(request: GenerateRequest) -> None:
    """Read the task, check profile and sandbox, and fetch the embedded model if it is not here.

    Raises LinguacodusError for what makes the run impossible; a model that cannot be had only warns.
    """
    require(request.sandbox)
    profile = load_profile(request.profile)
    spec = read_task(request.task_dir)
    say(
        f"{spec.title}: {', '.join(spec.data_types)}, {spec.problem}, {spec.metric} ({spec.direction}), "
        f"target {', '.join(spec.targets[:5])}, {spec.train_rows:,} rows"
    )
    for line in spec.warnings:
        warn(line)
    if profile.embedded and next_step(request, [], [], set(), 0):
        try:
            models.ensure(profile.embedded)
        except LinguacodusError as error:
            warn(f"going on without the language model: {error}")
