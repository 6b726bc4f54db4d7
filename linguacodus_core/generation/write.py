"""One step of the agenda done: the language model writes an instruction or a candidate."""

from dataclasses import dataclass
from typing import Any

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import UnusableReply
from linguacodus_core.generation.agenda import Step
from linguacodus_core.generation.proposals import effort_for
from linguacodus_core.generation.run import Run
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.instructions.refine import refine
from linguacodus_core.instructions.write import write_instruction
from linguacodus_core.llm.client import Client
from linguacodus_core.synthesis.capability import check
from linguacodus_core.synthesis.plan_route import write_plan
from linguacodus_core.synthesis.staged import write_staged
from linguacodus_core.synthesis.whole import write_direct, write_whole


@dataclass(frozen=True)
class Written:
    """What a step brought: an instruction or a candidate."""

    step: Step
    instruction: Instruction | None = None
    candidate: Candidate | None = None


def write(step: Step, run: Run, client: Client) -> Written:
    """Do the step. Raises LinguacodusError when the model gave nothing usable or cannot be reached."""
    about: dict[str, Any] = {"spec": run.spec, "profile": run.data, "prompt_set": run.prompt_set}
    about["seed"] = run.request.seed + 1000 * step.round
    by_id = {item.id: item for item in run.search.instructions}
    if step.kind == "instruction" and step.place is not None:
        return Written(step, instruction=write_instruction(client, place=step.place, **about))
    if step.kind == "refine":
        raw = [item for item in run.search.instructions if item.kind == "raw"]
        return Written(step, instruction=refine(client, raw=raw, **about))
    if step.kind == "direct":
        return Written(step, candidate=write_direct(client, **about))
    instruction = by_id[step.instruction or ""]
    if step.kind == "plan":
        history = run.search.history() if step.round else ()
        effort = effort_for(run.request.time_limit)
        return Written(
            step, candidate=write_plan(client, instruction, history=history, effort=effort, **about)
        )
    sandboxed: dict[str, Any] = {"work": run.work, "isolation": run.request.sandbox}
    able = run.capability or check(client, prompt_set=run.prompt_set, **sandboxed)
    run.capability = able
    if step.kind not in able.able:
        raise UnusableReply(f"{able.model} is too weak for it ({able.evidence})", "name a stronger coder")
    sandboxed |= {"split": run.split, "seconds": run.clock.left - run.search.reserve}
    by_model = write_staged if step.kind == "staged" else write_whole
    return Written(step, candidate=by_model(client, instruction, **sandboxed, **about))
