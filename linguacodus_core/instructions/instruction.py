"""An instruction: what a good solution does, in words, before any code."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Instruction(BaseModel):
    """Preprocessing, architecture and training of one solution (paper, section 3).

    `place` is the rank that was asked for (1 is best), None for a refined one.
    `calls` are the ledger keys of the LLM calls it came from.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Literal["raw", "refined"]
    place: int | None
    text: str
    critique: str = ""
    parents: tuple[str, ...] = ()
    model: str
    prompt: str
    calls: tuple[str, ...] = ()
