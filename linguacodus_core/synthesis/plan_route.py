"""The plan route: the model fills a PipelinePlan by constrained decoding, a renderer writes the program."""

import json
from collections.abc import Sequence
from typing import Any

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import UnusableReply
from linguacodus_core.instructions.context import (
    ask,
    context_length,
    cut,
    defused,
    known_values,
    ordinal,
)
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.llm.client import Client
from linguacodus_core.synthesis.fields import describe
from linguacodus_core.synthesis.hyper import Effort
from linguacodus_core.synthesis.plan import repair, schema_for
from linguacodus_core.synthesis.render import render
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec

TEMPERATURE = 0.7
MAX_TOKENS = 512
_OTHER_SEED = 104729


def origin_label(instruction: Instruction | None) -> str:
    """Which instruction a program came from, in words."""
    if instruction is None:
        return "no instruction"
    return f"{ordinal(instruction.place)} place" if instruction.place is not None else "refined instruction"


def write_plan(
    client: Client,
    instruction: Instruction | None,
    spec: TaskSpec,
    profile: DataProfile,
    *,
    history: Sequence[str] = (),
    seed: int,
    prompt_set: str = "default",
    effort: Effort = "normal",
) -> Candidate:
    """A candidate from one plan of the model; asked once more, with another seed, when it is no plan.

    history: short lines of earlier candidates with their hold-out scores, shown to the model.
    Raises UnusableReply when both replies hold no plan at all.
    """
    schema = schema_for(spec, profile)
    context = context_length(client)
    rendered = ask(
        prompt_set,
        "plan",
        **known_values(spec, profile, context),
        instruction=cut(defused(instruction.text), context // 10) if instruction else "",
        history=[cut(defused(line), 60) for line in history][:12],
        fields=cut(describe(schema), context // 6),
    )
    calls: list[str] = []
    problem = ""
    for again in range(2):
        try:
            reply = client.complete(
                "coder",
                rendered,
                schema=schema,
                seed=seed + again * _OTHER_SEED,
                max_tokens=MAX_TOKENS,
                temperature=TEMPERATURE,
            )
        except UnusableReply as error:
            problem = error.problem
            continue
        calls += reply.keys
        raw = reply.parsed if reply.parsed is not None else _object(reply.text)
        if not raw:
            problem = "no JSON object in the reply"
            continue
        plan, notes = repair(raw, spec, profile)
        return Candidate(
            route="plan",
            label=f"plan of {origin_label(instruction)}: {plan.family}",
            program=render(plan, spec, effort=effort),
            instruction=instruction.id if instruction else None,
            plan=plan.model_dump(mode="json"),
            origin={"plan": "model" + (f"; {'; '.join(notes)}" if notes else "")},
            calls=tuple(calls),
            prompts=(rendered.prompt,),
            repairs=notes,
        )
    raise UnusableReply(f"the model gave no plan: {problem}", "name a stronger model in the profile")


def _object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, None when there is none."""
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(text[start:])
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        return found if isinstance(found, dict) else None
    return None
