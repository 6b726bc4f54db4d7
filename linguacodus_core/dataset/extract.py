"""Instructions out of studied solutions: by the static extractor or a model, checked against the code.

An instruction of which too few claims are borne out by the code is asked for once more, with what was wrong,
and dropped when the second is no better.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from linguacodus_core.dataset.popularity import NO_MODELS
from linguacodus_core.errors import UnusableReply
from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.fields import InstructionFields, as_text, from_reply, instruction_schema
from linguacodus_core.extraction.grounding import Grounding, ground
from linguacodus_core.extraction.static import families_of, static_fields
from linguacodus_core.instructions.context import ask, defused
from linguacodus_core.llm.client import Client, Completion
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.prompts import Rendered, load

ROLE = "extractor"
STATIC = "static"
NOT_GROUNDED, NO_REPLY, NO_SOLUTION = "not grounded", "no usable reply", "no solution"
BEYOND_LIMIT = "beyond the limit"
NOT_READ = "no model recognised"


@dataclass(frozen=True)
class Extracted:
    """An instruction: its fields, how far the code bears it out, and where it came from."""

    fields: InstructionFields
    grounding: Grounding
    extractor: str
    model: str = ""
    prompt: str = ""
    calls: tuple[str, ...] = ()


def code_tokens(profile: Profile | None) -> int:
    """Tokens of code that a prompt shows: a quarter of the context, 600 to 8000; 0 without a model."""
    return 0 if profile is None else min(max(profile.context // 4, 600), 8000)


def first_prompt(prompt_set: str, study: Mapping[str, Any], competition: Mapping[str, Any]) -> Rendered:
    """The prompt that asks for the instruction of a studied solution."""
    return ask(
        prompt_set,
        "extraction",
        code=defused(study["shown"]),
        title=defused(competition["title"] or competition["competition"]),
        metric=competition["metric"] or "",
    )


def by_reading(study: Mapping[str, Any]) -> Extracted:
    """The static extractor's instruction; it says nothing that the syntax tree does not show."""
    seen = Evidence.model_validate_json(study["evidence"])
    fields = static_fields("", seen)
    return Extracted(fields, ground(fields, seen), STATIC)


def says_nothing(made: Extracted) -> bool:
    """Whether the static extractor recognised no model: what it would say then is not worth learning."""
    return made.extractor == STATIC and not set(made.fields.families) - NO_MODELS


def by_model(
    client: Client,
    study: Mapping[str, Any],
    competition: Mapping[str, Any],
    prompt_set: str,
    threshold: float,
) -> Extracted:
    """The model's instruction, the better grounded of two where the first is below the threshold.

    Raises UnusableReply when the model gives no usable JSON; what the client raises passes through.
    """
    seen = Evidence.model_validate_json(study["evidence"])
    asked = first_prompt(prompt_set, study, competition)
    reply = client.complete(ROLE, asked, schema=instruction_schema())
    first = _extracted(reply, seen)
    if first.grounding.score >= threshold:
        return first
    again = load(prompt_set, "extraction_again").render(unsupported=list(first.grounding.unsupported))
    said = {
        "role": "assistant",
        "content": reply.text,
    }
    longer = Rendered(
        (*asked.messages, said, *again.messages), f"{asked.prompt} + {again.prompt}", asked.sha256
    )
    second = _extracted(client.complete(ROLE, longer, schema=instruction_schema()), seen)
    best = max(second, first, key=lambda item: item.grounding.score)
    return Extracted(
        best.fields, best.grounding, best.extractor, best.model, best.prompt, first.calls + second.calls
    )


def _extracted(reply: Completion, seen: Evidence) -> Extracted:
    try:
        fields = from_reply(reply.parsed or {})
    except (ValidationError, KeyError) as error:
        raise UnusableReply(f"{reply.model} wrote no instruction: {error}", "use a stronger model") from error
    grounding = ground(fields, seen)
    shown = families_of(seen)
    kept = tuple(family for family in fields.families if family in shown) or shown
    fields = fields.model_copy(update={"families": kept})  # what is counted is what the code shows
    return Extracted(fields, grounding, "model", reply.model, reply.prompt, reply.keys)


def row(study: Mapping[str, Any], made: Extracted) -> dict[str, Any]:
    """A row of table `instructions`."""
    text = as_text(made.fields)
    name = hashlib.sha256(
        f"{study['solution']}\0{made.extractor}\0{made.model}\0{text}".encode()
    ).hexdigest()[:16]
    return {
        "instruction": name,
        "solution": study["solution"],
        "competition": study["competition"],
        "extractor": made.extractor,
        "model": made.model,
        "prompt": made.prompt,
        "text": text,
        **made.fields.model_dump(include={"preprocessing", "architecture", "training", "validation"}),
        "libraries": list(made.fields.libraries),
        "families": list(made.fields.families),
        "features": list(made.fields.features),
        "hyperparameters": json.dumps(made.fields.hyperparameters, ensure_ascii=False, sort_keys=True),
        "grounding": made.grounding.score,
        "unsupported": list(made.grounding.unsupported),
        "code_tokens_cut": study["cut_tokens"] if made.extractor != STATIC else 0,
        "calls": list(made.calls),
    }


def drop(study: Mapping[str, Any], reason: str, detail: str) -> dict[str, Any]:
    """A row of table `dropped` for a solution that gave no instruction."""
    return {
        "table": "instructions",
        "row": study["solution"],
        "competition": study["competition"],
        "reason": reason,
        "detail": detail[:500],
    }
