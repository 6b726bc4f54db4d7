"""How an adapter was measured and judged: its metrics.json, as the fine-tune wrote it."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

METRICS = "metrics.json"


class Row(BaseModel):
    """One measure on held-out competitions, before and after; low and high bound the difference (95 %)."""

    metric: str
    base: float | None = None
    tuned: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    better: str = ""
    note: str = ""


class Check(BaseModel):
    """One thing that the gate asks for; words: by how much it was met or missed."""

    name: str
    passed: bool
    words: str = ""


class Comparison(BaseModel):
    """What was compared with what."""

    base: str
    tuned: str
    competitions: int = 0
    rows: tuple[Row, ...] = ()


class Verdict(BaseModel):
    """What the gate said."""

    passed: bool
    checks: tuple[Check, ...] = ()


class Metrics(BaseModel):
    """The content of metrics.json, as far as it is shown."""

    comparison: Comparison
    verdict: Verdict


def read_metrics(folder: Path) -> Metrics | None:
    """The measures of the adapter in that folder; None where there are none that can be read."""
    try:
        return Metrics.model_validate_json((folder / METRICS).read_bytes())
    except (OSError, ValidationError):
        return None


def failed_checks(folder: Path) -> list[str]:
    """What the gate missed, one line each; empty where nothing of it is kept."""
    metrics = read_metrics(folder)
    missed = [check for check in metrics.verdict.checks if not check.passed] if metrics else []
    return [f"{check.name}: {check.words}" if check.words else check.name for check in missed]
