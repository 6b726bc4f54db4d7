"""Flow `finetune`: from dataset versions to a registered adapter that the gate has judged.

Every stage is kept in the job's folder, named by what it was made from: a killed fine-tune goes on from its
last checkpoint, the same one again ends at once with the adapter that is registered.
"""

import time

from prefect import flow

from linguacodus_core.training.gate import refused
from linguacodus_core.training.handover import Judged, found
from linguacodus_core.training.job import Job
from linguacodus_core.training.request import FinetuneRequest, FinetuneResult
from tasks.finetune import measure, prepare, prepare_base, promote, register, train, weigh
from tasks.finetune_board import FinetuneBoard
from tasks.ui import lines_in_the_ui


@flow(name="finetune", flow_run_name="{request.config}", persist_result=False)
def finetune(request: FinetuneRequest) -> FinetuneResult:
    """Tune the model that writes instructions, hold it against its base, and register the adapter.

    Raises GateRefused when it does not beat its base (it is registered all the same), LinguacodusError for
    what cannot be tuned here. What was done by then is kept.
    """
    began = time.monotonic()
    with lines_in_the_ui():
        job = prepare(request)
        board = FinetuneBoard(job)
        known = found(job)
        judged = known or tune(job, request, board)
        if request.promote and judged.verdict.passed:
            promote(judged.adapter.name)
        result = judged.result(new=known is None, seconds=time.monotonic() - began)
        board.finished(judged, result)
        if not judged.verdict.passed:
            raise refused(judged.verdict, judged.adapter.name)
        return result


def tune(job: Job, request: FinetuneRequest, board: FinetuneBoard) -> Judged:
    """Base, fine-tuning, preferences where asked for, measurement; each finished one is found."""
    with board.stage("base") as stage:
        prepare_base(job, stage.heard)
    with board.stage("sft") as stage:
        train(job, "sft", request.track, stage.heard)
    if job.preferences:
        with board.stage("dpo") as stage:
            train(job, "dpo", request.track, stage.heard)
    with board.stage("measure") as stage:
        measure(job, stage.heard)
    judged = gate(job, "base", "sft", board)
    return gate(job, "sft", "dpo", board) if job.preferences else judged


def gate(job: Job, base: str, tuned: str, board: FinetuneBoard) -> Judged:
    """Hold the tuned model against what it was tuned from, and register it whatever comes of it."""
    comparison, verdict = weigh(job, base, tuned)
    board.compared(comparison, verdict)
    return register(job, tuned, comparison, verdict)
