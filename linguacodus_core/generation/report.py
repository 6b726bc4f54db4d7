"""report.html: one self-contained page that tells what was understood, tried and found."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from linguacodus_core.generation.chart import COLOURS, score_chart
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender

_environment = Environment(
    loader=PackageLoader("linguacodus_core.generation"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


def _number(value: float | None, digits: int = 5) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


_environment.filters["number"] = _number
_environment.filters["seconds"] = _seconds
_environment.filters["counted"] = _counted
_environment.filters["duration"] = _duration


def _highlighted(code: str) -> str:
    return str(highlight(code, PythonLexer(), HtmlFormatter(noclasses=True, nobackground=True)))


def _refinement(run: Run) -> list[tuple[str, str]]:
    """The refined instruction against the first place's, line by line: (mark, line)."""
    raw = next((item for item in run.search.instructions if item.kind == "raw"), None)
    refined = next((item for item in run.search.instructions if item.kind == "refined"), None)
    if not (raw and refined):
        return []
    changes = difflib.ndiff(raw.text.splitlines(), refined.text.splitlines())
    return [(line[0], line[2:]) for line in changes if line[0] in " +-"]


def _gap(row: Mapping[str, Any]) -> float | None:
    claimed, score = row["claimed"], row["score"]
    return None if claimed is None or score is None else claimed - score


def _choices(plan: Mapping[str, Any]) -> str:
    """A plan without its idea, a choice a line."""
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in plan.items()
        if name != "idea"
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table of candidates with what the page adds to it."""
    plan = json.loads(row["plan"] or "{}")
    return {
        **row,
        "gap": _gap(row),
        "idea": plan.get("idea", ""),
        "choices": _choices(plan),
        "waiting": _waiting(row),
    }


def _waiting(row: Mapping[str, Any]) -> bool:
    return row["status"] == "not run" and not row["best"]


def _understood(run: Run) -> list[tuple[str, str, str]]:
    """What was inferred about the task: (what, value, how it was found), without what does not apply."""
    rows = []
    for name, how in run.spec.inferred.items():
        value = getattr(run.spec, name, None)
        if name in ("description", "title") or value in (None, (), {}):
            continue
        if isinstance(value, dict):
            value = tuple(f"{key}: {item}" for key, item in value.items())
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        rows.append((name.replace("_", " "), shown if len(shown) < 200 else shown[:200] + " ...", how))
    return rows


def render_report(
    run: Run, winner: Contender, record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> str:
    """The page as text. `record` is run.json, `rows` the table of candidates."""
    best_first = sorted(
        rows,
        key=lambda row: (
            _waiting(row),
            row["score"] is None,
            (row["score"] or 0) * (1 if run.spec.direction == "min" else -1),
        ),
    )
    return _environment.get_template("report.html.j2").render(
        spec=run.spec,
        split=run.split,
        data=run.data,
        record=record,
        rows=[_shown(row) for row in best_first],
        winner=winner,
        understood=_understood(run),
        chart=score_chart(run, winner),
        code=_highlighted(winner.candidate.program),
        instructions=run.search.instructions,
        refinement=_refinement(run),
        failures=[entry for entry in run.journal.entries if entry.kind == "failure"],
        colours=COLOURS,
    )
