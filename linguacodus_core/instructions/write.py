"""The instruction of one place, written by the model (paper, inference: places 1, 2, 3, temperature 0.7)."""

import hashlib

from linguacodus_core.errors import UnusableReply
from linguacodus_core.instructions.context import Profiled, ask, context_length, known_values, ordinal
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.instructions.reply import flaw, tidy
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.prompts import Rendered
from linguacodus_core.taskfolder.spec import TaskSpec

TEMPERATURE = 0.7
MAX_TOKENS = 260
_OTHER_SEED = 7919


def identifier(kind: str, place: int | None, text: str) -> str:
    """A short name that says what the instruction is and changes with its text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{kind}-{place}-{digest}" if place is not None else f"{kind}-{digest}"


def prose(
    client: Client, role: str, rendered: Rendered, *, seed: int, max_tokens: int, what: str
) -> tuple[str, str, tuple[str, ...]]:
    """(text, model, ledger keys) of a reply in prose; asked once more, with another seed, if it is nonsense.

    Raises UnusableReply when both replies are; what the client raises passes through.
    """
    calls: list[str] = []
    reason = ""
    for again in range(2):
        try:
            reply = client.complete(
                role,
                rendered,
                seed=seed + again * _OTHER_SEED,
                max_tokens=max_tokens,
                temperature=TEMPERATURE,
                allow_truncated=True,
            )
        except UnusableReply as error:
            reason = error.problem
            continue
        calls += reply.keys
        text = tidy(reply.text, cut_short=reply.finish_reason == "length")
        reason = flaw(text)
        if not reason:
            return text, reply.model, tuple(calls)
    raise UnusableReply(
        f"the model's {what} is no use: {reason}", "name a stronger model in the profile, or go on without it"
    )


def write_instruction(
    client: Client, spec: TaskSpec, profile: Profiled, place: int, prompt_set: str, seed: int
) -> Instruction:
    """The instruction that the solution in this place would have (1 is best); one call, two at most.

    Raises UnusableReply when the model answers nonsense twice: record it and go on without.
    """
    known = known_values(spec, profile, context_length(client))
    rendered = ask(prompt_set, "instruction", place=ordinal(place), **known)
    text, model, calls = prose(
        client,
        "instructor",
        rendered,
        seed=seed + place,
        max_tokens=MAX_TOKENS,
        what=f"instruction of the {ordinal(place)} place",
    )
    return Instruction(
        id=identifier("place", place, text),
        kind="raw",
        place=place,
        text=text,
        model=model,
        prompt=rendered.prompt,
        calls=calls,
    )
