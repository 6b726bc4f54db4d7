"""The steps of a fine-tune as Prefect tasks: names, tags; no logic.

None is retried by itself: what the trainer reports (memory, a damaged base) is the user's to mend, and the
same command goes on from the last checkpoint.
"""

from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from linguacodus_core.adapters import registry
from linguacodus_core.llm.fetch import fetch_model
from linguacodus_core.training import examples, handover, launch
from linguacodus_core.training.base import EMBEDDED, kind_of
from linguacodus_core.training.config import load_config
from linguacodus_core.training.evaluation import Comparison, compare
from linguacodus_core.training.gate import judge
from linguacodus_core.training.handover import Judged
from linguacodus_core.training.job import Job
from linguacodus_core.training.request import FinetuneRequest, Track
from linguacodus_core.training.verdict import Verdict

OnEvent = Callable[[dict[str, Any]], None]


@task(task_run_name="prepare the job", cache_policy=NO_CACHE, persist_result=False)
def prepare(request: FinetuneRequest) -> Job:
    """The job's folder: examples, what is asked, references, pairs; the same request, the same folder."""
    return examples.prepare(request, load_config(request.config))


@task(task_run_name="prepare the base", cache_policy=NO_CACHE, persist_result=False)
def prepare_base(job: Job, on_event: OnEvent) -> dict[str, Any]:
    """The base as a folder of safetensors, fetched or converted once."""
    if kind_of(job.base) == "embedded":
        fetch_model(job.base.removeprefix(EMBEDDED))
    return launch.run_stage(job, "base", on_event)


@task(task_run_name="train {stage}", tags=["gpu"], cache_policy=NO_CACHE, persist_result=False)
def train(job: Job, stage: str, track: Track, on_event: OnEvent) -> dict[str, Any]:
    """One training (sft or dpo), from its last checkpoint where there is one."""
    return launch.run_stage(job, stage, on_event, track=track)


@task(task_run_name="measure", tags=["gpu"], cache_policy=NO_CACHE, persist_result=False)
def measure(job: Job, on_event: OnEvent) -> dict[str, Any]:
    """Losses and sampled instructions of base and tuned on held-out competitions."""
    return launch.run_stage(job, "measure", on_event)


@task(task_run_name="judge {tuned} against {base}", cache_policy=NO_CACHE, persist_result=False)
def weigh(job: Job, base: str, tuned: str) -> tuple[Comparison, Verdict]:
    """The measures of both with their intervals, and what the gate says to them."""
    comparison = compare(job.folder, base, tuned)
    return comparison, judge(comparison)


@task(task_run_name="register {kind}", cache_policy=NO_CACHE, persist_result=False)
def register(job: Job, kind: str, comparison: Comparison, verdict: Verdict) -> Judged:
    """The adapter with its report, card, measures and configuration in the registry, whole or not at all."""
    return handover.register(job, kind, comparison, verdict)


@task(task_run_name="promote {name}", cache_policy=NO_CACHE, persist_result=False)
def promote(name: str) -> None:
    """Make it the adapter that profiles name as `adapter:promoted`."""
    registry.promote(name)
