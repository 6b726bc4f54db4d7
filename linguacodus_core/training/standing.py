"""How each held-out competition stands: its decisions by base and tuned, and texts to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from linguacodus_core.training import agreement
from linguacodus_core.training.agreement import KINDS, Kernels, Reading
from linguacodus_core.training.measured import Measured

SHOWN: Final = 3
"""Competitions whose texts are shown."""


@dataclass(frozen=True)
class Standing:
    """One competition: the chance that a decision is that of a randomly drawn best kernel, the mean of both
    kinds.

    kernels: of one of them with another one; prior: of decisions drawn from the prior; None where not known.
    most: what most of them decide, in words. count: kernels.
    """

    competition: str
    base: float
    tuned: float
    kernels: float | None
    prior: float | None
    most: str
    count: int


@dataclass(frozen=True)
class Said:
    """One sampled text. near: its agreement with the best kernels, None without any."""

    place: int
    text: str
    cut: bool
    decided: str
    near: float | None


@dataclass(frozen=True)
class Example:
    """The texts of one competition side by side: for each place the first sample of base and of tuned."""

    competition: str
    why: str
    most: str
    rows: tuple[tuple[Said | None, Said | None], ...]


def standings(measured: Measured) -> list[Standing]:
    """The sampled competitions that have kernels to be held against, the nearest of the tuned model first."""
    found = []
    for name in measured.sampled():
        kernels = measured.kernels.get(name)
        if kernels is None or not kernels.complete:
            continue
        base, tuned = (
            float(agreement.agreement(readings, kernels).mean()) for readings in measured.of_both(name)
        )
        prior = measured.priors.get(name)
        found.append(
            Standing(
                competition=name,
                base=base,
                tuned=tuned,
                kernels=kernels.among_themselves(),
                prior=prior.drawn(kernels) if prior else None,
                most=_most(kernels),
                count=kernels.count,
            )
        )
    return sorted(found, key=lambda standing: (-standing.tuned, standing.competition))


def examples(
    measured: Measured, samples: Sequence[Mapping[str, Any]], standing: Sequence[Standing]
) -> list[Example]:
    """Texts of the competition where the tuned model came nearest, of the median and of the farthest.

    Where none has kernels, of the first ones by name. samples: rows of table `samples`.
    """
    if standing:
        last = len(standing) - 1
        picked = {0: "the nearest", last // 2: "the median", last: "the farthest"}
        chosen = [(standing[number].competition, why) for number, why in sorted(picked.items())]
    else:
        chosen = [(name, "no kernels to hold it against") for name in measured.sampled()[:SHOWN]]
    return [_example(measured, samples, name, why) for name, why in chosen]


def _example(measured: Measured, samples: Sequence[Mapping[str, Any]], name: str, why: str) -> Example:
    own = [row for row in samples if row["competition"] == name]
    kernels = measured.kernels.get(name)
    places = sorted({int(row["place"]) for row in own})
    rows = tuple(
        (
            _first(own, measured.base, place, kernels),
            _first(own, measured.tuned, place, kernels),
        )
        for place in places
    )
    return Example(name, why, _most(kernels) if kernels else "", rows)


def _first(
    rows: Sequence[Mapping[str, Any]], subject: str, place: int, kernels: Kernels | None
) -> Said | None:
    own = [row for row in rows if row["subject"] == subject and row["place"] == place]
    if not own:
        return None
    row = min(own, key=lambda each: each["sample"])
    reading = agreement.reading(row)
    near = float(agreement.agreement([reading], kernels)[0]) if kernels and kernels.complete else None
    return Said(place, row["text"] or "", bool(row["cut"]), _decided(reading), near)


def _decided(reading: Reading) -> str:
    return ", ".join(reading.decided(kind) or f"no {kind}" for kind in KINDS)


def _most(kernels: Kernels) -> str:
    """lightgbm (6 of 10), kfold (7 of 10)."""
    parts = []
    for counts in (kernels.family, kernels.validation):
        if counts:
            value = min(counts, key=lambda name: (-counts[name], name))
            parts.append(f"{value} ({counts[value]} of {sum(counts.values())})")
    return ", ".join(parts)
