"""The picture of a training: loss and learning rate over its steps."""

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

SMOOTHED: Final = 60
"""Steps from which on a running mean is drawn, too."""

POINTS: Final = 2000
"""The most points a line has; more are thinned evenly, the last one kept."""

RAW, MEAN, RATE = "#94a3b8", "#2563eb", "#d97706"


def curve(steps: Sequence[dict[str, Any]], axis: str) -> str:
    """Loss and learning rate as one inline SVG element; "" where no step has a loss.

    steps: rows of table `steps`. axis: what the loss is. A loss that is not a number breaks the line.
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    known = [row for row in steps if row["loss"] is not None]
    if not known:
        return ""
    with matplotlib.rc_context({"svg.hashsalt": "linguacodus", "font.size": 9}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.9), width_ratios=(2.2, 1))
        _loss(left, known)
        left.set_ylabel(axis)
        _rate(right, [row for row in steps if row["lr"] is not None])
        for axes in (left, right):
            axes.set_xlabel("step")
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", color="#e5e7eb", linewidth=0.7)
            axes.set_axisbelow(True)
        figure.tight_layout()
        sink = io.StringIO()
        figure.savefig(sink, format="svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(figure)
    text = sink.getvalue()
    return text[text.index("<svg") :]


def _loss(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    where = np.array([row["step"] for row in rows], dtype=float)
    losses = np.array([row["loss"] for row in rows], dtype=float)
    smooth = len(rows) >= SMOOTHED
    axes.plot(*_thinned(where, losses), color=RAW if smooth else MEAN, linewidth=0.8 if smooth else 1.5)
    if smooth:
        width = max(5, len(rows) // 30)
        weights = np.ones(width) / width
        mean = np.convolve(losses, weights, mode="valid")
        axes.plot(*_thinned(where[width - 1 :], mean), color=MEAN, linewidth=1.8, label=f"mean of {width}")
        axes.legend(frameon=False)
        finite = losses[np.isfinite(losses)]
        if len(finite):
            low, high = np.percentile(finite, [0.5, 99.5])
            axes.set_ylim(low - 0.06 * (high - low) - 1e-3, high + 0.06 * (high - low) + 1e-3)


def _rate(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        where, rates = (np.array([row[name] for row in rows], dtype=float) for name in ("step", "lr"))
        axes.plot(*_thinned(where, rates), color=RATE, linewidth=1.5)
        axes.set_ylim(bottom=0)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=False)
    axes.set_ylabel("learning rate")


def _thinned(where: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(where) <= POINTS:
        return where, values
    kept = np.unique(np.linspace(0, len(where) - 1, POINTS).astype(int))
    return where[kept], values[kept]
