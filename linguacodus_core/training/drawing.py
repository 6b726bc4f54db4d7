"""Small pictures beside the numbers of a report's tables, as inline SVG made of numbers alone."""

from collections.abc import Sequence
from typing import Final

from linguacodus_core.training.evaluation import Row
from linguacodus_core.training.measures import LOSS, MARGIN, OWN_PROMPT, PERPLEXITY

WIDTH, HEIGHT = 230, 22
GOOD, BAD, OPEN = "#047857", "#b91c1c", "#64748b"
BARS: Final = {"base": "#94a3b8", "tuned": "#2563eb", "kernels": "#059669", "prior": "#d97706"}
"""What a bar stands for -> its colour."""

Group = tuple[str, str, list[Row]]
"""(key, the axis in words, rows that share it)."""


def grouped(rows: Sequence[Row]) -> list[Group]:
    """Rows by the axis on which their intervals are comparable; empty groups are left out."""
    axes = (
        ("share", "change as a share of the base's, %", (LOSS, PERPLEXITY)),
        ("nats", "difference in nats a token", (OWN_PROMPT, MARGIN)),
    )
    named = {metric for _, _, metrics in axes for metric in metrics}
    groups = [(key, words, [row for row in rows if row.metric in metrics]) for key, words, metrics in axes]
    rest = [row for row in rows if row.metric not in named]
    groups.insert(1, ("points", "difference (of shares, from -1 to 1)", rest))
    return [group for group in groups if group[2]]


def changed(row: Row, key: str) -> tuple[float, float, float]:
    """(difference, low, high) on the axis of its group."""
    values = (row.difference, row.low, row.high)
    if key == "share" and row.base > 0:
        return tuple(100 * value / row.base for value in values)  # type: ignore[return-value]
    return values


def reach(rows: Sequence[Row], key: str) -> float:
    """How far from 0 the axis of a group goes on both sides."""
    return max((abs(value) for row in rows for value in changed(row, key)), default=0.0) * 1.08 or 1.0


def interval(row: Row, key: str, end: float) -> str:
    """The difference as a dot on its interval, 0 in the middle of an axis from -end to end.

    Green where the whole interval is on the better side, red on the worse, grey where it holds 0.
    """
    colour = GOOD if row.improved else BAD if row.worsened else OPEN
    middle = HEIGHT / 2
    at, low, high = (WIDTH / 2 * (1 + value / end) for value in changed(row, key))
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'<line x1="{WIDTH / 2}" x2="{WIDTH / 2}" y1="0" y2="{HEIGHT}" stroke="#9ca3af" '
        f'stroke-dasharray="2 2"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="{colour}" '
        f'stroke-width="2.5" stroke-linecap="round"/>'
        f'<circle cx="{at:.1f}" cy="{middle}" r="4" fill="{colour}"/></svg>'
    )


def bars(values: dict[str, float | None]) -> str:
    """A bar each from 0 to 1, those that are known, in the colours of BARS, the value behind it."""
    thick, gap, wide = 9, 2, 330
    known = [(name, value) for name, value in values.items() if value is not None]
    tall = len(known) * (thick + gap)
    parts = [f'<svg width="{wide + 40}" height="{tall}" viewBox="0 0 {wide + 40} {tall}" role="img">']
    for number, (name, value) in enumerate(known):
        top = number * (thick + gap)
        parts.append(
            f'<rect x="0" y="{top}" width="{wide}" height="{thick}" fill="#f3f4f6"/>'
            f'<rect x="0" y="{top}" width="{max(value * wide, 1):.1f}" height="{thick}" fill="{BARS[name]}"/>'
            f'<text x="{wide + 6}" y="{top + thick - 1}" font-size="9.5" fill="#4b5563">{value:.2f}</text>'
        )
    return "".join(parts) + "</svg>"
