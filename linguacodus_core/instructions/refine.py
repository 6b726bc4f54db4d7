"""Smart-GPT's refinement (paper, section on multi-agent refinement): a researcher, then a resolver."""

from collections.abc import Sequence

from linguacodus_core.errors import UnusableReply
from linguacodus_core.instructions.context import Profiled, ask, context_length, cut, defused, known_values
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.instructions.write import identifier, prose
from linguacodus_core.llm.client import Client
from linguacodus_core.taskfolder.spec import TaskSpec

CRITIQUE_TOKENS = 300
RESOLVED_TOKENS = 300


def refine(
    client: Client, spec: TaskSpec, profile: Profiled, raw: Sequence[Instruction], prompt_set: str, seed: int
) -> Instruction:
    """One improved instruction out of several raw ones; the critique is kept with it.

    The researcher lists the flaws of every option; the resolver sees task, options and critique and
    prints the improved instruction in full. Two calls, four at most.
    Raises UnusableReply when there is no option, or when either answers nonsense twice.
    """
    if not raw:
        raise UnusableReply("there is no instruction to refine", "write one first")
    context = context_length(client)
    room = max(context // 3 // len(raw), 80)
    known = known_values(spec, profile, context) | {
        "options": [cut(defused(item.text), room) for item in raw]
    }
    researcher = ask(prompt_set, "critique", **known)
    critique, _, asked = prose(
        client,
        "refiner",
        researcher,
        seed=seed,
        max_tokens=CRITIQUE_TOKENS,
        what="critique of the instructions",
    )
    resolver = ask(prompt_set, "resolve", critique=defused(critique), **known)
    text, model, answered = prose(
        client, "refiner", resolver, seed=seed, max_tokens=RESOLVED_TOKENS, what="refined instruction"
    )
    return Instruction(
        id=identifier("refined", None, text),
        kind="refined",
        place=None,
        text=text,
        critique=critique,
        parents=tuple(item.id for item in raw),
        model=model,
        prompt=f"{researcher.prompt} + {resolver.prompt}",
        calls=asked + answered,
    )
