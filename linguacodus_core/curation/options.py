"""What curation and selection keep; the same model is part of the flow's parameters."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CurationOptions(BaseModel):
    """Filters, ranking and the size of the selection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: int = Field(75, ge=1, description="Most solutions kept a competition (the paper: 75).")
    unranked: Literal["drop", "keep"] = Field(
        "drop",
        description="keep: kernels that nothing ranks stay, without a place; also where no metric is known.",
    )
    stated_scores: Literal["ignore", "use"] = Field(
        "ignore", description="use: rank by the score that a notebook states where there is no other."
    )
    least_lines: int = Field(5, ge=1, description="Kernels with fewer lines of code are dropped.")
    most_characters: int = Field(
        200_000, ge=1_000, description="Kernels with more characters of code are dropped."
    )
    similarity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of common lines (Jaccard) from which two kernels are near-duplicates.",
    )
