"""What the language model is asked next: instructions first, a program from each, then refinement."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.instructions.instruction import Instruction

StepKind = Literal["instruction", "refine", "plan", "staged", "whole", "direct"]


class Step(BaseModel):
    """One thing to ask the model for: an instruction (of a place, or refined) or a candidate."""

    model_config = ConfigDict(frozen=True)

    kind: StepKind
    place: int | None = None
    instruction: str | None = None
    round: int = 0

    @property
    def id(self) -> str:
        """Names the step within its run."""
        return "/".join(str(part) for part in (self.kind, self.place, self.instruction, self.round) if part)

    @property
    def words(self) -> str:
        """The step for a reader."""
        if self.kind == "instruction":
            return f"instruction of place {self.place}"
        return {"refine": "refined instruction", "direct": "program of one direct prompt"}.get(
            self.kind, f"{self.kind} program"
        )


def steps(
    request: GenerateRequest,
    instructions: Sequence[Instruction],
    ranked: Sequence[str],
) -> Iterator[Step]:
    """Every step, in the order of its expected worth, given what is known now.

    instructions: those written so far. ranked: instruction ids, the one whose programs score best
    first. The order for done steps never changes, so that a run resumes by skipping what is done.
    """
    wants_instructions = {"plan", "staged", "whole"} & set(request.sources)
    by_place = {item.place: item for item in instructions if item.kind == "raw"}
    refined = [item for item in instructions if item.kind == "refined"]
    if "direct" in request.sources:
        yield Step(kind="direct")
    if not wants_instructions:
        return
    for place in request.places:
        yield Step(kind="instruction", place=place)
        if "plan" in request.sources and place in by_place:
            yield Step(kind="plan", instruction=by_place[place].id)
    if request.refine and len(by_place) > 1:
        yield Step(kind="refine")
        if "plan" in request.sources:
            yield from (Step(kind="plan", instruction=item.id) for item in refined)
    order = [*ranked, *(item.id for item in (*refined, *by_place.values()) if item.id not in ranked)]
    for kind in ("staged", "whole"):
        if kind in request.sources:
            yield from (Step(kind=kind, instruction=item) for item in order[:2])
    if "plan" in request.sources:
        for again in range(1, request.max_ideas + 1):
            yield from (Step(kind="plan", instruction=item, round=again) for item in order[:2])


def next_step(
    request: GenerateRequest,
    instructions: Sequence[Instruction],
    ranked: Sequence[str],
    done: set[str],
    written: int,
) -> Step | None:
    """The first step not done yet; None when the agenda is through or `written` candidates suffice."""
    if written >= request.max_ideas:
        return None
    return next((step for step in steps(request, instructions, ranked) if step.id not in done), None)
