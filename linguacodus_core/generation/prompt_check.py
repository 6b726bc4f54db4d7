"""Which prompts a request needs, each checked before any call is made or paid for."""

from linguacodus_core.errors import PromptError
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.instructions.context import COMMON
from linguacodus_core.llm.prompts import Prompt, has, load
from linguacodus_core.synthesis.skeleton import STAGES
from linguacodus_core.synthesis.whole import SECTIONS

TOLD_TO_PROGRAMS = {"instruction", "submission_columns", "output", "sections"}


def needed_prompts(request: GenerateRequest, prompt_set: str) -> list[Prompt]:
    """Every prompt that the request may ask, from the set in force.

    Raises PromptError for an unknown set, a file that is no valid prompt, or one that declares a
    variable which nobody fills.
    """
    found = [load(prompt_set, name) for name in _names(request, prompt_set)]
    for prompt in found:
        if unfilled := sorted(set(prompt.variables) - _filled(prompt.name)):
            raise PromptError(
                f"the prompt {prompt.label} asks for {', '.join(unfilled)}, which nobody fills",
                f"it may use: {', '.join(sorted(_filled(prompt.name)))}",
            )
    return found


def _names(request: GenerateRequest, prompt_set: str) -> list[str]:
    sources = set(request.sources)
    names = ["task"]
    if sources & {"plan", "staged", "whole"}:
        names.append("instruction")
        names += ["critique", "resolve"] * (request.refine and len(request.places) > 1)
    if "plan" in sources:
        names.append("plan")
    if sources & {"staged", "whole"}:
        names += ["capability", "repair"]
    if "staged" in sources:
        names += [f"stage_{stage}" for stage in STAGES]
    if "whole" in sources:
        names += [*SECTIONS, "integration"] if has(prompt_set, SECTIONS[0]) else ["whole"]
    if "direct" in sources:
        names.append("direct")
    return names


def _filled(name: str) -> set[str]:
    """What the callers of a prompt give it; the default set's own files declare all of that."""
    own = load("default", name).variables if has("default", name) else TOLD_TO_PROGRAMS
    return {*COMMON, *own}
