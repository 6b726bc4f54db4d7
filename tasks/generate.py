"""The steps of a generation as Prefect tasks: names, retries, caching; no logic."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import LinguacodusError
from linguacodus_core.generation.agenda import Step
from linguacodus_core.generation.outputs import write_outputs
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.generation.splits import open_split
from linguacodus_core.generation.write import Written, write
from linguacodus_core.llm.client import Client
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring import harness
from linguacodus_core.scoring.evaluation import CUT_SHORT, Evaluation
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.taskfolder import profile, read
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec
from tasks.results import stored


@task(cache_policy=NO_CACHE, persist_result=False)
def read_task(folder: Path) -> TaskSpec:
    """The task as understood; never cached, since the folder may have changed."""
    return read.read_task(folder)


@task(**stored(lambda spec: spec.data_sha256))
def profile_data(spec: TaskSpec) -> DataProfile:
    """What the data look like, for prompts and plans."""
    return profile.profile(spec)


@task(cache_policy=NO_CACHE, persist_result=False, retries=1)
def carve_holdout(spec: TaskSpec, seed: int, into: Path) -> Split:
    """The inner hold-out; one that was carved before is found again."""
    return open_split(spec, seed, into)


class CutShort(Exception):
    """A candidate ran into a limit. Raised, so that the result is not kept: with more it may do better."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__(f"{evaluation.status}: {evaluation.error}")
        self.evaluation = evaluation


def _evaluation_key(candidate: Candidate, split: Split, isolation: str, **_: object) -> str:
    return f"{candidate.id}-{split.sha256[:16]}-{isolation}"


@task(task_run_name="evaluate {candidate.label}", tags=["sandbox"], **stored(_evaluation_key))
def evaluate_candidate(
    candidate: Candidate,
    spec: TaskSpec,
    split: Split,
    limits: Limits,
    isolation: str,
    work: Path,
    predictions: Path,
) -> Evaluation:
    """Run a candidate on the hold-outs and score it. Raises CutShort when a limit ended it."""
    found = harness.evaluate(
        candidate, spec, split, limits, isolation, work=work, predictions_dir=predictions
    )
    if found.status in CUT_SHORT:
        raise CutShort(found)
    return found


@task(
    task_run_name="full data: {candidate.label}",
    tags=["sandbox"],
    cache_policy=NO_CACHE,
    persist_result=False,
)
def run_on_full_data(
    candidate: Candidate, spec: TaskSpec, limits: Limits, isolation: str, work: Path
) -> harness.Submission:
    """Run a candidate on the full data and validate its submission."""
    return harness.submit(candidate, spec, limits, isolation, work=work)


@task(task_run_name="write {step.id}", tags=["llm"], cache_policy=NO_CACHE, persist_result=False)
def write_step(step: Step, run: Run, client: Client) -> Written | State:
    """One step of the language model; its calls are kept in the ledger, so none is paid twice.

    Cancelled, and no failure, when the search has ended meanwhile.
    """
    try:
        return write(step, run, client)
    except LinguacodusError:
        if client.closed:
            return Cancelled(message="the search ended first")
        raise


@task(cache_policy=NO_CACHE, persist_result=False, retries=1)
def leave_outputs(run: Run, winner: Contender, submission: bytes) -> None:
    """Write everything that the user gets."""
    write_outputs(run, winner, submission)
