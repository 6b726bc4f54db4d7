"""What a tuned model does better than what it was tuned from, with intervals, on held-out competitions."""

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, FiniteFloat

from linguacodus_core.training.bootstrap import DRAWS, SEED, Estimate, estimate
from linguacodus_core.training.measured import read
from linguacodus_core.training.measures import MEASURES, Better, Measure, counted, losses
from linguacodus_core.training.verdict import Verdict

FEW: Final = 5
"""With fewer competitions than this, an interval over them is rough."""


class Row(BaseModel):
    """One measure of both subjects; in the rows "decisions, prior..." base is the prior.

    difference: tuned - base; low, high: its 95 % interval; tuned_low, tuned_high: that of tuned itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    base: FiniteFloat
    tuned: FiniteFloat
    difference: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    tuned_low: FiniteFloat
    tuned_high: FiniteFloat
    better: Better
    note: str = ""

    @property
    def improved(self) -> bool:
        """Whether the whole interval lies on the better side of 0."""
        return self.high < 0 if self.better == "less" else self.low > 0

    @property
    def worsened(self) -> bool:
        """Whether the whole interval lies on the worse side of 0."""
        return self.low > 0 if self.better == "less" else self.high < 0


class Comparison(BaseModel):
    """Every measure of two subjects.

    base, tuned: their names in the tables. competitions: held-out ones with samples or losses of both.
    left_out: measure -> why it has no row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    tuned: str
    competitions: int
    rows: tuple[Row, ...]
    left_out: dict[str, str] = {}

    def row(self, metric: str) -> Row | None:
        """The row of that measure, None where it was left out."""
        return next((row for row in self.rows if row.metric == metric), None)


def compare(
    job_folder: Path, base: str = "base", tuned: str = "sft", *, draws: int = DRAWS, seed: int = SEED
) -> Comparison:
    """Hold two measured subjects (base, sft, dpo) of a job against one another.

    Raises TrainingError where one of them has not been measured.
    """
    measured = read(job_folder, base, tuned)
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for measure in MEASURES:
        found = measure.units(measured)
        if found.reason or not found.units:
            left_out[measure.metric] = found.reason or "no competition has what it needs"
            continue
        result = estimate(list(found.units.values()), measure.link, draws, seed)
        rows.append(_row(measure, result, len(found.units), found.note))
    loss = losses(measured)
    return Comparison(
        base=base,
        tuned=tuned,
        competitions=len({*measured.sampled(), *loss.units}),
        rows=tuple(rows),
        left_out=left_out,
    )


def as_json(comparison: Comparison, verdict: Verdict) -> dict[str, Any]:
    """The content of metrics.json, JSON values alone; `from_json` reads it back."""
    return {"comparison": comparison.model_dump(mode="json"), "verdict": verdict.model_dump(mode="json")}


def from_json(record: dict[str, Any]) -> tuple[Comparison, Verdict]:
    """What `as_json` wrote. Raises ValueError (KeyError) for anything else."""
    return Comparison.model_validate(record["comparison"]), Verdict.model_validate(record["verdict"])


def _row(measure: Measure, found: Estimate, competitions: int, note: str) -> Row:
    of = counted(competitions, "held-out competition")
    if competitions == 1:
        of += ": the interval knows its rows alone, not how competitions differ"
    elif competitions < FEW:
        of += ": so few that the interval is rough"
    return Row(
        metric=measure.metric,
        base=found.base,
        tuned=found.tuned,
        difference=found.difference,
        low=found.low,
        high=found.high,
        tuned_low=found.tuned_low,
        tuned_high=found.tuned_high,
        better=measure.better,
        note="; ".join(part for part in (of, note) if part),
    )
