"""A candidate: one program for a task, and where it came from."""

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

Route = Literal["floor", "prior", "plan", "staged", "whole", "direct", "random", "blend"]


class Candidate(BaseModel):
    """One standalone program that keeps the program contract.

    The contract: read `./data/`, write `./submission.csv`, no arguments, no network; it may print
    `claimed score: <number>`. It may also write `./soft.csv`: the submission's columns (or one
    column a class) before they were made into labels, such that rounding, a threshold of 0.5 or
    the largest column gives the labels; blends average it.

    `origin` says which parts the model wrote and which fell back ("preprocessing": "model", ...).
    """

    model_config = ConfigDict(frozen=True)

    route: Route
    label: str
    program: str
    instruction: str | None = None
    plan: dict[str, Any] | None = None
    origin: dict[str, str] = {}
    calls: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    members: tuple[tuple[str, float], ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The program's id."""
        return program_id(self.program)


def program_id(program: str) -> str:
    """The first twelve hex digits of the program's SHA-256."""
    return hashlib.sha256(program.encode()).hexdigest()[:12]
