"""Flow `generate`: a task folder in; a program that runs and a valid, scored submission out.

A floor first, so that a valid submission exists at once. Then two lanes until the time is used: the
language model writes instructions and programs, and meanwhile the harness runs what is waiting, best
expected value first. At the end the best candidate, or a blend of the best, runs on the full data.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.writer_lane import writer_lane
from linguacodus_core import store
from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import LinguacodusError, SubmissionInvalid
from linguacodus_core.generation.finish import contenders, ranked, submission_path
from linguacodus_core.generation.outputs import clear_outputs, stands
from linguacodus_core.generation.proposals import floors, proposals
from linguacodus_core.generation.request import GenerateRequest, GenerateResult
from linguacodus_core.generation.run import Run, open_run
from linguacodus_core.generation.search import Contender
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.progress import logger, say
from linguacodus_core.sandbox.check import require
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.settings import local_home
from tasks.board import Board
from tasks.generate import (
    CutShort,
    carve_holdout,
    evaluate_candidate,
    leave_outputs,
    profile_data,
    read_task,
    run_on_full_data,
)
from tasks.ui import lines_in_the_ui

GRACE_SECONDS = 30.0
"""What a winner may take at least, even when the time limit is reached by then."""

FLOOR_SECONDS = 40.0
"""A floor that takes longer on the full data gives way to the next: a submission stands within a minute."""

LEAST_SECONDS = 5.0
"""With less, no further contender is run."""


@flow(
    name="generate",
    flow_run_name="{request.task_dir.name}",
    task_runner=ThreadPoolTaskRunner(max_workers=2),  # type: ignore[arg-type]
    persist_result=False,
)
def generate(request: GenerateRequest) -> GenerateResult:
    """Turn a task folder into a program, its hold-out score, a submission and a report.

    Raises LinguacodusError for a task folder, profile or sandbox that cannot be used.
    """
    require(request.sandbox)
    llm = load_profile(request.profile)
    spec = read_task(request.task_dir)
    split = carve_holdout(spec, request.seed, local_home() / "splits")
    with lines_in_the_ui(), open_run(request, spec, llm, profile_data(spec), split) as run:
        board = Board(run)
        if not run.finished:
            look_for_the_best(run, board)
        return crown(run, board)


def look_for_the_best(run: Run, board: Board) -> None:
    """The floor, then the search; whatever ends it early, what was found so far is kept."""
    try:
        if run.request.floor:
            lay_floor(run, board)
        propose(run)
        search(run, board)
    except KeyboardInterrupt:
        run.interrupted = True
        say("stopped by hand: keeping the best so far (once more: the last submission as it is)")
    except LinguacodusError as error:
        if run.first_submission_seconds is None:
            raise
        run.note(f"the search ended early: {error}")


def lay_floor(run: Run, board: Board) -> None:
    """Run the baseline on the full data and on the hold-outs: from then on a valid submission exists."""
    for floor in floors(run.spec, run.data):
        if submit(run, floor, min(FLOOR_SECONDS, run.request.time_limit / 4)):
            run.search.offer(floor)
            evaluate(run, board, floor, run.request.time_limit / 4)
            return
    raise LinguacodusError(
        f"not even a constant prediction is a valid submission for {run.spec.folder}: {run.notes[-1]}",
        "check that the sample submission has the ids of the test file and one column a target",
    )


def propose(run: Run) -> None:
    """Queue what needs no language model: the prior's plans (and random ones, where asked for)."""
    for candidate in proposals(run.request, run.spec, run.data, run.popular):
        run.search.propose(candidate)


def search(run: Run, board: Board) -> None:
    """Let the model write and the harness run, until the time is used or nothing is left to try."""
    with writer_lane(run) as writer:
        while seconds := run.search.seconds_for_next:
            if candidate := run.search.next():
                evaluate(run, board, candidate, seconds)
            elif writer.busy:
                writer.wait(1.0)
            else:
                break
    tell_why_it_ended(run)


def tell_why_it_ended(run: Run) -> None:
    """What the user should know: that time was short, or that the model wrote no program in it."""
    if why := run.search.why_it_ended:
        run.tell(why)
    if run.wants_model and not run.search.written and not run.without_model:
        run.tell("the language model wrote no program in that time: give --time-limit 300 or more")


def evaluate(run: Run, board: Board, candidate: Candidate, seconds: float) -> None:
    """Score one candidate on the hold-outs, unless an earlier process did."""
    if candidate.id in run.search.evaluations:
        return
    board.show(f"running {candidate.label}")
    limits = Limits.for_machine(wall_seconds=seconds)
    try:
        found = evaluate_candidate(
            candidate, run.spec, run.split, limits, run.request.sandbox, run.work, run.predictions
        )
    except CutShort as cut:
        found = cut.evaluation
    except LinguacodusError:
        raise
    except Exception as error:  # hostile output may break the harness; it must not end the run
        logger.debug("the harness failed on %s", candidate.id, exc_info=True)
        found = Evaluation(candidate=candidate.id, status="crashed", error=f"the harness failed: {error!r}")
    board.evaluated(candidate, found, best=run.search.record(found))


def submit(run: Run, candidate: Candidate, seconds: float) -> bool:
    """Run a candidate on the full data and keep its submission; False when it has no valid one."""
    kept = submission_path(run, candidate)
    if not kept.exists():
        limits = Limits.for_machine(wall_seconds=seconds)
        try:
            made = run_on_full_data(candidate, run.spec, limits, run.request.sandbox, run.work)
        except SubmissionInvalid as error:
            run.note(f"{candidate.label} does not run on the full data: {error.problem}")
            return False
        except LinguacodusError:
            raise
        except Exception as error:  # as in evaluate: the submission that stands is not lost by it
            logger.debug("the harness failed on %s", candidate.id, exc_info=True)
            run.note(f"{candidate.label} could not be run on the full data: {error!r}")
            return False
        store.write_bytes(kept, made.frame.to_csv(index=False).encode())
        run.journal.add("submission", run.clock.elapsed, note=candidate.id, enforced=made.execution.enforced)
    if not stands(run):
        clear_outputs(run.request.out)
        store.write_text(run.request.out / "solution.py", candidate.program)
        store.write_bytes(run.request.out / "submission.csv", kept.read_bytes())
        say(f"a valid submission stands in {run.request.out}", run.standing("searching"))
    return True


def crown(run: Run, board: Board) -> GenerateResult:
    """The best candidate that runs on the full data wins; everything is written to the output folder."""
    try:
        board.show("the winner runs on the full data")
        winner = run.finished or first_that_runs(run)
    except KeyboardInterrupt:
        run.interrupted = True
        say("stopped by hand again: keeping the last submission as it is")
        winner = next((item for item in ranked(run) if submission_path(run, item.candidate).exists()), None)
    if winner is None and run.interrupted:
        raise KeyboardInterrupt
    if winner is None:
        raise LinguacodusError(
            "there is no submission: none wrote a valid one",
            "give it more time (--time-limit), and the floor (no --no-floor)",
        )
    with undisturbed():
        leave_outputs(run, winner, submission_path(run, winner.candidate).read_bytes())
        if not run.interrupted and not run.finished:
            run.finish(winner)
        result = run.result(winner)
        board.finished(winner, result)
    return result


def first_that_runs(run: Run) -> Contender | None:
    """The best contender with a valid submission on the full data, within the time that is left."""
    end = run.clock.elapsed + max(GRACE_SECONDS, run.clock.left)
    for item in contenders(run, end - run.clock.elapsed):
        left = end - run.clock.elapsed
        if (left > LEAST_SECONDS or submission_path(run, item.candidate).exists()) and submit(
            run, item.candidate, left
        ):
            return item
    return None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits for nothing here: the outputs of a finished search are written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
