"""What one fine-tune's measurement wrote, read for a comparison of two of its subjects."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.training.agreement import Kernels, Prior, Reading, kernels_of, priors_of, readings_of


@dataclass(frozen=True)
class Measured:
    """The tables of one job, read: what base and tuned said, and what they are held against."""

    base: str
    tuned: str
    losses: list[dict[str, Any]]
    preferences: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    references: list[dict[str, Any]]
    readings: dict[str, dict[str, list[Reading]]]
    kernels: dict[str, Kernels]
    priors: dict[str, Prior]

    def sampled(self) -> list[str]:
        """Competitions of which both subjects have samples."""
        return sorted({*self.readings.get(self.base, {})} & {*self.readings.get(self.tuned, {})})

    def of_both(self, competition: str) -> tuple[list[Reading], list[Reading]]:
        """The samples of a competition, of base and of tuned."""
        return self.readings[self.base][competition], self.readings[self.tuned][competition]

    def unsampled(self) -> int:
        """Competitions of which one subject alone has samples."""
        return len({*self.readings.get(self.base, {})} ^ {*self.readings.get(self.tuned, {})})


def read(job_folder: Path, base: str, tuned: str) -> Measured:
    """The tables that a comparison needs. Raises TrainingError where a subject has not been measured."""
    losses = _rows(job_folder / "measure" / "losses.parquet", needed=True)
    samples = samples_of(job_folder)
    preferences = _rows(job_folder / "measure" / "preferences.parquet")
    known = {row["subject"] for row in (*losses, *samples, *preferences)}
    for subject in (base, tuned):
        if known and subject not in known:
            raise TrainingError(
                f"{subject} has not been measured in {job_folder}; measured: {', '.join(sorted(known))}",
                "run the stage `measure` again after the stage that trains it",
            )
    references = _rows(job_folder / "references.parquet")
    return Measured(
        base=base,
        tuned=tuned,
        losses=losses,
        preferences=preferences,
        pairs=_rows(job_folder / "pairs.parquet"),
        references=references,
        readings=readings_of(samples),
        kernels=kernels_of(references),
        priors=priors_of(_rows(job_folder / "prior.parquet")),
    )


def samples_of(job_folder: Path) -> list[dict[str, Any]]:
    """Rows of table `samples`. Raises TrainingError where it is missing or damaged."""
    return _rows(job_folder / "measure" / "samples.parquet", needed=True)


def _rows(path: Path, needed: bool = False) -> list[dict[str, Any]]:
    try:
        found = store.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise TrainingError(
            f"{path} is damaged: {error}", "delete it and run the stage `measure` again"
        ) from error
    if found is None and needed:
        raise TrainingError(f"nothing is measured yet: {path} is missing", "run the stage `measure` first")
    return [] if found is None else found.to_pylist()
