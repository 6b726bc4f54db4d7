"""The picture of a search: each candidate's hold-out score over time, and the best so far."""

import io

from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender

COLOURS = {
    "floor": "#6b7280",
    "prior": "#9ca3af",
    "plan": "#2563eb",
    "staged": "#059669",
    "whole": "#d97706",
    "direct": "#db2777",
    "random": "#7c3aed",
    "blend": "#dc2626",
}


def _room(values: list[float], direction: str) -> tuple[float, float]:
    """Axis limits that show the good scores apart: the worst few may fall off the edge."""
    ranked = sorted(values, reverse=direction == "max")
    kept = ranked[: max(2, round(len(ranked) * 0.8))]
    low, high = min(kept), max(kept)
    margin = (high - low) * 0.12 or abs(high) * 0.02 or 1.0
    return low - margin, high + margin


def score_chart(run: Run, winner: Contender) -> str:
    """The chart as an inline SVG element, a winning blend as its last point; "" when nothing was scored."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    points = [
        (entry.elapsed, entry.evaluation.score, run.search.candidates[entry.evaluation.candidate])
        for entry in run.journal.entries
        if entry.kind == "evaluation" and entry.evaluation and entry.evaluation.score is not None
    ]
    if winner.candidate.route == "blend" and winner.evaluation and winner.evaluation.score is not None:
        points.append((run.clock.elapsed, winner.evaluation.score, winner.candidate))
    if not points:
        return ""
    figure, axes = plt.subplots(figsize=(9, 3.6))
    best: list[float] = []
    for _, score, _ in points:
        best.append(score if not best or run.search.beats(score, best[-1]) else best[-1])
    times = [when for when, _, _ in points]
    axes.step(
        [*times, max(run.clock.elapsed, times[-1])], [*best, best[-1]], where="post", color="#111827", lw=1.2
    )
    low, high = _room([score for _, score, _ in points], run.spec.direction)
    for route, colour in COLOURS.items():
        own = [(when, min(max(score, low), high)) for when, score, item in points if item.route == route]
        if own:
            when, scores = zip(*own, strict=True)
            axes.scatter(when, scores, color=colour, s=34, label=route, zorder=3)
    axes.set_ylim(low, high)
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
