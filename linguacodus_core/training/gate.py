"""The gate: whether a tuned model beats what it was tuned from, and by how much."""

import math
from collections.abc import Callable, Iterable
from typing import Final

from linguacodus_core.errors import GateRefused
from linguacodus_core.training.evaluation import Comparison, Row
from linguacodus_core.training.measures import (
    DECISIONS,
    FORM,
    LOSS,
    OWN_PROMPT,
    PERPLEXITY,
    PREFERENCES,
    PRIOR,
    PRIOR_FIRST,
)
from linguacodus_core.training.verdict import Check as Check
from linguacodus_core.training.verdict import Verdict as Verdict

WORSE_LOSS: Final = 0.05
"""The share by which preferences may raise the completion loss."""

_Judge = Callable[[Row], tuple[bool, str]]
"""A row -> whether the check holds, and what it needs."""


def judge(comparison: Comparison) -> Verdict:
    """Every check of the stage that made the tuned model: `dpo` against sft, anything else against its base.

    A measure that was left out fails its check.
    """
    checks = tuple(_checked(comparison, *each) for each in (_DPO if comparison.tuned == "dpo" else _SFT))
    return Verdict(passed=all(check.passed for check in checks), checks=checks)


def refused(verdict: Verdict, name: str) -> GateRefused:
    """The error for a verdict that did not pass: what fails, and by how much. name: the adapter's."""
    lines = [f"  {check.name}: {check.words}" for check in verdict.failed]
    failing = f"{len(lines)} of {len(verdict.checks)} checks fail" if len(lines) != 1 else "1 check fails"
    return GateRefused(
        "\n".join([f"the gate refuses {name}, {failing}:", *lines]),
        "it is kept with its report; tune on more or better examples, or with another configuration",
    )


def _checked(comparison: Comparison, name: str, metric: str, judged: _Judge) -> Check:
    row = comparison.row(metric)
    if row is None:
        why = comparison.left_out.get(metric, "it was not measured")
        return Check(name=name, passed=False, words=f"{metric} is not known: {why}")
    passed, needed = judged(row)
    words = said(row) if judged is not _informs else _of_itself(row)
    return Check(name=name, passed=passed, words=words if passed else f"{words}; {needed}")


def said(row: Row) -> str:
    """A row in words: "completion loss 2.31 -> 1.42 (-38.5 %, 95 % of -41.0 to -35.2)"."""
    base, tuned = _apart(row.base, row.tuned)
    if row.metric in (PRIOR, PRIOR_FIRST):
        return f"{DECISIONS} {tuned}, the prior's {base} ({change(row)})"
    return f"{row.metric} {base} -> {tuned} ({change(row)})"


def change(row: Row) -> str:
    """The difference with its interval: "-38.5 %, 95 % of -41.0 to -35.2".

    Losses and perplexities change by a share of the base's, everything else by a difference.
    """
    values = (row.difference, row.low, row.high)
    if row.metric in (LOSS, PERPLEXITY) and row.base > 0:
        share, low, high = (f"{100 * value / row.base:+.1f}" for value in values)
        return f"{share} %, 95 % of {low} to {high}"
    difference, low, high = _signed(values)
    return f"{difference}, 95 % of {low} to {high}"


def summary(comparison: Comparison, verdict: Verdict) -> str:
    """One line for lists: what became of loss, decisions and form, and whether the gate passed."""
    rows = [row for metric in (LOSS, DECISIONS, FORM) if (row := comparison.row(metric))]
    parts = [f"{row.metric} {row.base:.2f} -> {row.tuned:.2f}" for row in rows]
    failed = ", ".join(check.name for check in verdict.failed)
    return "; ".join([*parts, "passed" if verdict.passed else f"refused: not {failed}"])


def _of_itself(row: Row) -> str:
    """The tuned model's value, whatever the base's."""
    low, high = _signed((row.tuned_low, row.tuned_high))
    return f"{row.metric} {_signed((row.tuned,))[0]} (95 % of {low} to {high})"


def _apart(one: float, two: float) -> tuple[str, str]:
    """Two values with as many digits as tell them apart, two to four after the point."""
    for digits in (2, 3, 4):
        if f"{one:.{digits}f}" != f"{two:.{digits}f}" or one == two:
            break
    return f"{one:.{digits}f}", f"{two:.{digits}f}"


def _signed(values: Iterable[float]) -> list[str]:
    """Differences with their signs, three digits after the point, more where all would be 0."""
    values = list(values)
    largest = max((abs(value) for value in values), default=0.0)
    digits = 3 if largest >= 0.001 or largest == 0 else min(8, 2 - math.floor(math.log10(largest)))
    return [f"{value:+.{digits}f}" for value in values]


def _better(row: Row) -> tuple[bool, str]:
    side = "below" if row.better == "less" else "above"
    return row.improved, f"the whole interval must lie {side} 0"


def _no_worse(row: Row) -> tuple[bool, str]:
    return not row.worsened, "the whole interval lies on the wrong side of 0"


def _informs(row: Row) -> tuple[bool, str]:
    return row.tuned_low > 0, "the whole interval must lie above 0: the prompt must inform"


def _at_least(row: Row) -> tuple[bool, str]:
    return row.difference >= 0, "it must reach the prior's"


def _little_worse(row: Row) -> tuple[bool, str]:
    allowed = row.base * (1 + WORSE_LOSS)
    return row.tuned <= allowed, f"it may rise by {WORSE_LOSS:.0%}, to {allowed:.2f}"


_SFT: Final[tuple[tuple[str, str, _Judge], ...]] = (
    ("completion loss lower", LOSS, _better),
    ("form not worse", FORM, _no_worse),
    ("decisions nearer to the best kernels'", DECISIONS, _better),
    ("the own prompt informs", OWN_PROMPT, _informs),
    ("decisions as near as the prior's", PRIOR, _at_least),
)
_DPO: Final[tuple[tuple[str, str, _Judge], ...]] = (
    ("held-out preferences better", PREFERENCES, _better),
    ("completion loss little worse", LOSS, _little_worse),
    ("form not worse", FORM, _no_worse),
    ("decisions not worse", DECISIONS, _no_worse),
)
