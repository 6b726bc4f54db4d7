"""report.html of a fine-tune: the verdict, the curves, the comparison with its base, texts side by side."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from linguacodus_core import store
from linguacodus_core.training import drawing, history, standing
from linguacodus_core.training.curves import curve
from linguacodus_core.training.evaluation import Comparison
from linguacodus_core.training.gate import change
from linguacodus_core.training.job import Job
from linguacodus_core.training.measured import Measured, read, samples_of
from linguacodus_core.training.measures import DECISIONS, FORM, LOSS
from linguacodus_core.training.verdict import Verdict

REPORT = "report.html"
TRAINED = ("sft", "dpo")
SUBJECTS = {"base": "base", "sft": "fine-tuned (SFT)", "dpo": "fine-tuned on preferences (DPO)"}
LOSS_AXIS = {"sft": "loss, nats a token", "dpo": "loss of the preferences"}
LONGEST = 4000
"""Characters of a sampled text that are shown."""

_environment = Environment(
    loader=PackageLoader("linguacodus_core.training"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


def duration(seconds: float | None) -> str:
    """41.2 s, 3.4 min, 5.1 h; "" for None."""
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(size: float | None) -> str:
    """Bytes as 812 MB or 1.9 GB; "" for None."""
    if size is None:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def value(number: float) -> str:
    """A measure with three digits after the point, fewer for large ones."""
    return f"{number:.3f}" if abs(number) < 100 else f"{number:,.1f}"


_environment.filters |= {"duration": duration, "memory": memory, "value": value}


def write(job: Job, comparison: Comparison, verdict: Verdict, folder: Path) -> Path:
    """Write report.html into `folder`; returns its path.

    Raises TrainingError where the job's tables are missing or damaged, StoreError where it cannot be written.
    """
    path = folder / REPORT
    store.write_text(path, render(job, comparison, verdict))
    return path


def render(job: Job, comparison: Comparison, verdict: Verdict) -> str:
    """The page as text: self-contained, every text from outside escaped."""
    measured = read(job.folder, comparison.base, comparison.tuned)
    standings = standing.standings(measured)
    return _environment.get_template("report.html.j2").render(
        job=job,
        config=job.config.as_toml(),
        comparison=comparison,
        verdict=verdict,
        names=SUBJECTS,
        tiles=_tiles(comparison),
        stages=_stages(job, comparison.tuned),
        groups=_groups(comparison),
        standings=standings,
        bars={one.competition: _bars(one) for one in standings},
        colours=drawing.BARS,
        examples=standing.examples(measured, samples_of(job.folder), standings),
        longest=LONGEST,
        counts=_counts(measured),
    )


def _tiles(comparison: Comparison) -> list[tuple[str, str]]:
    """(figure, what it is) for the top of the page."""
    tiles = []
    for metric, words in (
        (LOSS, "nats a token"),
        (DECISIONS, "agreement with the best kernels"),
        (FORM, "whole"),
    ):
        if row := comparison.row(metric):
            tiles.append((f"{row.base:.2f} → {row.tuned:.2f}", f"{metric} ({words}), {change(row)}"))
    return tiles


def _stages(job: Job, tuned: str) -> list[dict[str, Any]]:
    """What each training stage up to the tuned model says of itself, with its curve."""
    found = []
    for stage in TRAINED[: TRAINED.index(tuned) + 1] if tuned in TRAINED else TRAINED:
        record = job.done(stage)
        if record is not None:
            drawn = curve(history.steps(job.stage(stage)).to_pylist(), LOSS_AXIS[stage])
            found.append({"stage": stage, "record": record, "curve": drawn})
    return found


def _groups(comparison: Comparison) -> list[dict[str, Any]]:
    """The rows of the comparison by the axis of their intervals, each with its picture and its change."""
    groups = []
    for key, words, rows in drawing.grouped(comparison.rows):
        end = drawing.reach(rows, key)
        shown = [
            {"row": row, "picture": drawing.interval(row, key, end), "change": change(row)} for row in rows
        ]
        groups.append(
            {"words": words, "end": f"{end:.2g}", "rows": shown, "unit": " %" if key == "share" else ""}
        )
    return groups


def _bars(one: standing.Standing) -> str:
    return drawing.bars({"base": one.base, "tuned": one.tuned, "kernels": one.kernels, "prior": one.prior})


def _counts(measured: Measured) -> dict[str, int]:
    """How much was measured, of both subjects together."""
    subjects = (measured.base, measured.tuned)
    return {
        "samples": sum(
            len(own) for subject in subjects for own in measured.readings.get(subject, {}).values()
        ),
        "examples": len({row["example"] for row in measured.losses}),
        "references": len(measured.references),
        "pairs": len({row["pair"] for row in measured.preferences}),
    }
