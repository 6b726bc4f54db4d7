"""The picture of a search: each candidate's hold-out score over time, and the best so far."""

import io
from typing import Any, NamedTuple

from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender

COLOURS = {
    "floor": "#111827",
    "prior": "#9ca3af",
    "plan": "#2563eb",
    "staged": "#059669",
    "whole": "#d97706",
    "direct": "#db2777",
    "random": "#7c3aed",
    "blend": "#dc2626",
}

LINE = "#64748b"


class Point(NamedTuple):
    """One scored candidate in the chart."""

    when: float
    score: float
    route: str


def _points(run: Run, winner: Contender) -> list[Point]:
    """The scored candidates in the order in which they were scored, a winning blend last."""
    points = [
        Point(entry.elapsed, entry.evaluation.score, run.search.candidates[entry.evaluation.candidate].route)
        for entry in run.journal.entries
        if entry.kind == "evaluation" and entry.evaluation and entry.evaluation.score is not None
    ]
    if winner.candidate.route == "blend" and winner.evaluation and winner.evaluation.score is not None:
        points.append(Point(_end(run, points), winner.evaluation.score, "blend"))
    return points


def _end(run: Run, points: list[Point]) -> float:
    return max(run.clock.elapsed, *(point.when for point in points), 0.0)


def _room(points: list[Point], direction: str) -> tuple[float, float]:
    """Axis limits that show the floor and the good scores apart: the worst few may fall off the edge."""
    ordered = sorted((point.score for point in points), reverse=direction == "max")
    kept = ordered[: max(2, round(len(ordered) * 0.8))]
    kept += [point.score for point in points if point.route == "floor"]
    low, high = min(kept), max(kept)
    margin = (high - low) * 0.12 or abs(high) * 0.02 or 1.0
    return low - margin, high + margin


def _draw_best(axes: Any, run: Run, points: list[Point], room: tuple[float, float]) -> None:
    best: list[float] = []
    for point in points:
        best.append(point.score if not best or run.search.beats(point.score, best[-1]) else best[-1])
    times = [point.when for point in points]
    shown = [min(max(score, room[0]), room[1]) for score in [*best, best[-1]]]
    axes.step([*times, _end(run, points)], shown, where="post", color=LINE, lw=1.4)


def _draw_route(axes: Any, points: list[Point], route: str, room: tuple[float, float]) -> None:
    low, high = room
    own = [point for point in points if point.route == route]
    inside = [point for point in own if low <= point.score <= high]
    axes.scatter(
        [point.when for point in inside],
        [point.score for point in inside],
        color=COLOURS[route],
        edgecolors="white",
        linewidths=0.6,
        s=40,
        label=route,
        zorder=3,
    )
    for point in own:
        if point.score < low:
            _draw_off_scale(axes, point, low, "v", "bottom")
        elif point.score > high:
            _draw_off_scale(axes, point, high, "^", "top")


def _draw_off_scale(axes: Any, point: Point, edge: float, marker: str, align: str) -> None:
    """A triangle at the edge of the chart that points to where the score lies, the score beside it."""
    axes.scatter(
        [point.when], [edge], color=COLOURS[point.route], marker=marker, s=44, clip_on=False, zorder=3
    )
    axes.annotate(
        f"{point.score:.4g}",
        (point.when, edge),
        xytext=(6, 2 if align == "bottom" else -2),
        textcoords="offset points",
        va=align,
        fontsize=7.5,
        color="#475569",
    )


def score_chart(run: Run, winner: Contender) -> str:
    """The chart as an inline SVG element, a winning blend as its last point; "" when nothing was scored."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    points = _points(run, winner)
    if not points:
        return ""
    room = _room(points, run.spec.direction)
    figure, axes = plt.subplots(figsize=(9, 3.6))
    _draw_best(axes, run, points, room)
    for route in COLOURS:
        if any(point.route == route for point in points):
            _draw_route(axes, points, route, room)
    axes.set_ylim(*room)
    axes.set_xlabel("seconds since the start")
    axes.set_ylabel(
        f"hold-out {run.spec.metric} ({'lower' if run.spec.direction == 'min' else 'higher'} is better)"
    )
    axes.legend(frameon=False, ncols=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    sink = io.StringIO()
    figure.savefig(sink, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = sink.getvalue()
    return text[text.index("<svg") :]
