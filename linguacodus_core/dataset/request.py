"""What is asked of one rebuild; the same model is the flow's parameter and the command's options."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linguacodus_core.curation.options import CurationOptions

SourceName = Literal["sample", "code4ml", "kernels", "kaggle"]
PromptSet = Literal["default", "paper"]


class RebuildRequest(BaseModel):
    """Where kernels come from, what is selected, and who turns solutions into instructions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceName = Field(
        "sample",
        description="sample: the corpus that ships; code4ml: a folder of the release's CSV files; "
        "kernels: a folder of pulled kernels; kaggle: pull them first.",
    )
    path: Path | None = Field(
        None, description="The folder, for code4ml and kernels; for kaggle, where to keep them."
    )
    competitions_file: Path | None = Field(
        None,
        description="A CSV about the competitions of pulled kernels: slug, title, description, tags, metric.",
    )
    competitions: tuple[str, ...] = Field(
        (), description="Kaggle competitions to pull, by slug; for the other sources, only these are used."
    )
    kernels_per_competition: int = Field(
        150, ge=1, le=10_000, description="Most kernels pulled a competition."
    )
    curation: CurationOptions = Field(
        CurationOptions(), description="Filters, ranking, the size of the selection."
    )
    profile: str = Field(
        "",
        description="Language model that extracts (local, openai, vllm, embedded:NAME or a file); "
        "empty: the static extractor, which needs no model and no money.",
    )
    budget_usd: float = Field(0, ge=0, description="Money for LLM calls; 0 allows only free endpoints.")
    batch: bool = Field(False, description="Through the Batch API: one run submits, a later one collects.")
    grounding: float = Field(
        0.5, ge=0, le=1, description="Share of an instruction's claims that its code must bear out."
    )
    limit: int | None = Field(
        None, ge=1, description="Extract at most so many solutions, the best of each competition first."
    )
    prompt_sets: tuple[PromptSet, ...] = Field(
        ("default", "paper"), description="Prompt sets of the examples."
    )
    context: int = Field(
        8192,
        ge=512,
        le=1_000_000,
        description="Context of the model to be tuned, in tokens: how long prompts may be.",
    )
    tokenizer: str = Field(
        "", description="Embedded model whose tokenizer counts the examples' lengths; empty: an estimate."
    )
    held_out: float = Field(
        0.1, gt=0, lt=0.5, description="Share of competitions for validation, and again for test."
    )
    dry_run: bool = Field(
        False, description="Stop after selection: the funnel, and what extraction would cost."
    )

    @model_validator(mode="after")
    def _fitting_together(self) -> "RebuildRequest":
        if self.source in ("code4ml", "kernels") and self.path is None:
            raise ValueError(f"path: the source {self.source} needs a folder (--path DIR)")
        if self.source == "sample" and (self.path or self.competitions_file):
            raise ValueError("path: the source sample ships with the package and takes no files")
        if self.source == "kaggle" and not self.competitions:
            raise ValueError(
                "competitions: name the Kaggle competitions to pull (--competitions titanic,...)"
            )
        if self.batch and not self.profile:
            raise ValueError("batch: the static extractor makes no calls; name a model with --profile")
        if not self.prompt_sets:
            raise ValueError("prompt_sets: name at least one of default, paper")
        return self


class RebuildResult(BaseModel):
    """What a rebuild ended with.

    version: "" for a dry run and where something is still waited for, which `pending` then says. `new`: False
    when this very version was there already. calls and usd: made and spent now.
    """

    version: str
    folder: str
    new: bool
    competitions: int
    solutions: int
    instructions: int
    examples: int
    seconds: float
    pending: str = ""
    calls: int = 0
    usd: float = 0.0
