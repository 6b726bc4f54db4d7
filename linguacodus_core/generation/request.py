"""What is asked of one generation; the same model is the flow's parameter and the command's options."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

import linguacodus_core

Source = Literal["prior", "plan", "staged", "whole", "direct", "random"]
DEFAULT_SOURCES: tuple[Source, ...] = ("prior", "plan", "staged", "whole")
PLACES = (1, 2, 3)


class GenerateRequest(BaseModel):
    """One task folder, where the results go, and the bounds of the search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_dir: Path = Field(title="Task folder", description="Holds description.md and data/.")
    out: Path = Field(title="Output folder", description="Gets submission.csv, solution.py, report.html, ...")
    profile: str = Field(
        "local",
        description="Which LLM endpoint and models: local, openai, vllm, tuned (the promoted adapter), "
        "embedded:NAME, adapter:NAME or a file.",
    )
    time_limit: float = Field(600, ge=20, le=7 * 86400, description="Seconds for everything.")
    budget_usd: float = Field(0, ge=0, description="Money for LLM calls; 0 allows only free endpoints.")
    seed: int = Field(0, ge=0, description="Seeds the split, the sampling and the programs.")
    sources: tuple[Source, ...] = Field(
        DEFAULT_SOURCES, description="Where candidates come from, beside the floor."
    )
    floor: bool = Field(
        True, description="Run a baseline first; without it (ablations) it cannot win either."
    )
    places: tuple[int, ...] = Field(
        PLACES, description="Which ranked instructions are written: one or more of 1, 2, 3, each once."
    )
    refine: bool = Field(True, description="Refine the instructions (researcher and resolver).")
    blend: bool = Field(True, description="Blend the best candidates when that wins on the hold-out.")
    prompt_set: str = Field("", description="Prompt set; empty takes the profile's.")
    max_ideas: int = Field(12, ge=0, description="Most candidates that the language model writes.")
    sandbox: Literal["auto", "bubblewrap", "subprocess"] = Field(
        "auto", description="Isolation of generated programs; subprocess isolates nothing but limits."
    )

    @field_validator("places")
    @classmethod
    def _known_places(cls, places: tuple[int, ...]) -> tuple[int, ...]:
        if not places or not set(places) <= set(PLACES) or len(set(places)) < len(places):
            raise ValueError("give one or more of 1, 2, 3, each once")
        return places

    def key(self, *sha256: str) -> str:
        """What makes two runs the same work: everything but the folders, the time limit and the budget.

        sha256: of the data, the profile, the prompts, the prior.
        """
        same = self.model_dump_json(exclude={"task_dir", "out", "time_limit", "budget_usd"})
        parts = (linguacodus_core.__version__, *sha256, same)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class GenerateResult(BaseModel):
    """What a generation left behind."""

    model_config = ConfigDict(frozen=True)

    out: Path
    status: Literal["finished", "interrupted"]
    task: str
    metric: str
    winner: str
    score: float | None
    floor_score: float | None
    candidates: int
    seconds: float
    first_submission_seconds: float | None
