"""Intervals by resampling: competitions are drawn again, and within each its examples or samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 2000
SEED: Final = 17
_EDGES: Final = (2.5, 97.5)

Values = NDArray[np.float64]
Again = Callable[[np.random.Generator, int], Values]
Link = Callable[[Values], Values]


@dataclass(frozen=True)
class Unit:
    """One competition's part of a measure.

    observed: (base, tuned), shape (2,). again: on rows drawn again, shape (n, 2).
    """

    observed: Values
    again: Again


@dataclass(frozen=True)
class Estimate:
    """A measure of base and tuned, the difference tuned - base, and 95 % intervals of it and of the tuned."""

    base: float
    tuned: float
    low: float
    high: float
    tuned_low: float
    tuned_high: float

    @property
    def difference(self) -> float:
        """Tuned minus base."""
        return self.tuned - self.base


def same(values: Values) -> Values:
    """The link of a measure that is the plain mean over competitions."""
    return values


def estimate(units: Sequence[Unit], link: Link = same, draws: int = DRAWS, seed: int = SEED) -> Estimate:
    """The mean over competitions, through `link`, with percentile intervals.

    With one competition only what lies within it is drawn again. Raises ValueError without any.
    """
    if not units:
        raise ValueError("an estimate needs a competition")
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(units), (draws, len(units)))
    values = np.empty((draws, len(units), 2))
    for number, unit in enumerate(units):
        places = np.nonzero(chosen == number)
        if places[0].size:
            values[places] = unit.again(rng, places[0].size)
    drawn = link(values.mean(axis=1))
    base, tuned = link(np.mean([unit.observed for unit in units], axis=0))
    low, high = np.percentile(drawn[:, 1] - drawn[:, 0], _EDGES)
    tuned_low, tuned_high = np.percentile(drawn[:, 1], _EDGES)
    return Estimate(*map(float, (base, tuned, low, high, tuned_low, tuned_high)))


def ratios(sums: Values, weights: Values) -> Unit:
    """A unit of paired rows whose measure is sum over sum: sums (rows, 2) over weights (rows,).

    Both subjects are measured on the same rows, so a draw takes the same rows of both.
    """

    def again(rng: np.random.Generator, count: int) -> Values:
        rows = rng.integers(0, len(weights), (count, len(weights)))
        return np.asarray(sums[rows].sum(axis=1) / weights[rows].sum(axis=1)[:, None])

    return Unit(np.asarray(sums.sum(axis=0) / weights.sum()), again)


@dataclass(frozen=True)
class Side:
    """One subject's part of a unit: its measure, and the same on rows drawn again, shape (n,)."""

    observed: float
    again: Again


def fixed(value: float) -> Side:
    """A side that no draw moves."""
    return Side(value, lambda rng, count: np.full(count, value))


def means(values: Values, strata: Sequence[int]) -> Side:
    """The mean of rows (rows,), drawn again within each stratum.

    strata: the sizes of the strata, whose rows stand one stratum after the other.
    """
    return Side(float(values.mean()), lambda rng, count: values[resampled(rng, strata, count)].mean(axis=1))


def gaps(first: Values, second: Values) -> Side:
    """The mean of the first rows minus the mean of the second, each drawn again by itself."""

    def again(rng: np.random.Generator, count: int) -> Values:
        one, two = (values[resampled(rng, [len(values)], count)].mean(axis=1) for values in (first, second))
        return np.asarray(one - two)

    return Side(float(first.mean() - second.mean()), again)


def pairwise(distances: Values, strata: Sequence[int]) -> Side:
    """The mean distance (rows, rows) between rows of different strata, the rows drawn again within theirs."""
    which = np.repeat(np.arange(len(strata)), strata)
    one, two = np.nonzero(which[:, None] < which[None, :])

    def again(rng: np.random.Generator, count: int) -> Values:
        rows = resampled(rng, strata, count)
        return np.asarray(distances[rows[:, one], rows[:, two]].mean(axis=1))

    return Side(float(distances[one, two].mean()), again)


def sides(base: Side, tuned: Side) -> Unit:
    """A unit of two subjects whose rows have nothing to do with one another."""

    def again(rng: np.random.Generator, count: int) -> Values:
        return np.stack([base.again(rng, count), tuned.again(rng, count)], axis=1)

    return Unit(np.array([base.observed, tuned.observed]), again)


def resampled(rng: np.random.Generator, strata: Sequence[int], count: int) -> NDArray[np.int64]:
    """Indices of rows drawn again within each stratum, shape (count, rows)."""
    starts = np.cumsum([0, *strata[:-1]])
    parts = [start + rng.integers(0, size, (count, size)) for start, size in zip(starts, strata, strict=True)]
    return np.concatenate(parts, axis=1)
