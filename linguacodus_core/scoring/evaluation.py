"""What the harness found when it ran a candidate on the inner hold-out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["scored", "crashed", "invalid", "timeout", "memory", "limit"]

CUT_SHORT = ("timeout", "memory", "limit")
"""The statuses that say as much about the limits as about the program: more may help."""


class Evaluation(BaseModel):
    """The fate of one candidate.

    `score` is the metric's mean over the hold-outs, in the metric's own unit and direction;
    `scores` are the single ones. `claimed` is what the program printed about itself: kept, never
    used. `predictions` names the stored hold-out predictions (see scoring.holdout), "" if none.
    `seconds` is the wall time of all its runs on the hold-outs together.
    """

    model_config = ConfigDict(frozen=True)

    candidate: str
    status: Status
    score: float | None = None
    scores: tuple[float, ...] = ()
    claimed: float | None = None
    error: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    isolation: str = ""
    predictions: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """What the evaluation needs beside itself."""
        return (self.predictions,) if self.predictions else ()
