"""How near sampled instructions come to what the best kernels of a competition did."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from linguacodus_core.training.bootstrap import Values
from linguacodus_core.training.decisions import family_of, validation_of
from linguacodus_core.training.sections import flaws_of, sections_of

BEST: Final = 10
"""Places that count as best, where kernels are ranked."""

FIRST: Final = 3
"""Places that count as best where what is asked for place 1 stands against place 3."""

Kind = Literal["family", "validation"]
KINDS: Final[tuple[Kind, Kind]] = ("family", "validation")
Shares = Mapping[str, float]
"""value -> its share; empty where nothing is known."""


@dataclass(frozen=True)
class Reading:
    """What one sampled instruction decides.

    family: None where none is recognizable. validation: None where the text is no instruction at all, so that
    its silence decides nothing. whole: all three sections, ended by itself. words: lower case.
    """

    place: int
    family: str | None
    validation: str | None
    whole: bool
    words: frozenset[str]

    def decided(self, kind: Kind) -> str | None:
        """The decision of that kind."""
        return self.family if kind == "family" else self.validation


@dataclass(frozen=True)
class Kernels:
    """The best kernels of one competition: how often each value was decided on, and how many they are."""

    family: Mapping[str, int]
    validation: Mapping[str, int]
    count: int
    ranked: bool

    def shares(self, kind: Kind) -> Shares:
        """The share of each value among the kernels that decided."""
        return shares(self.family if kind == "family" else self.validation)

    @property
    def complete(self) -> bool:
        """Whether both kinds of decision are known of some kernel."""
        return bool(self.family) and bool(self.validation)

    def among_themselves(self) -> float | None:
        """The chance that two different ones decide alike, the mean of both kinds; None for less than two."""
        found = []
        for counts in (self.family, self.validation):
            total = sum(counts.values())
            if total < 2:
                return None
            found.append(sum(n * (n - 1) for n in counts.values()) / (total * (total - 1)))
        return sum(found) / 2


@dataclass(frozen=True)
class Prior:
    """How often the training side decided on each value for this kind of task."""

    family: Mapping[str, int]
    validation: Mapping[str, int]

    def drawn(self, kernels: Kernels) -> float:
        """Decisions drawn in proportion: the chance to decide like one of the kernels."""
        return _mean(
            sum(share * kernels.shares(kind).get(value, 0.0) for value, share in shares(counts).items())
            for kind, counts in self._kinds()
        )

    def first(self, kernels: Kernels) -> float:
        """Always the most popular decision: the chance to decide like one of the kernels."""
        return _mean(
            kernels.shares(kind).get(min(counts, key=lambda value: (-counts[value], value)), 0.0)
            for kind, counts in self._kinds()
        )

    def _kinds(self) -> Iterable[tuple[Kind, Mapping[str, int]]]:
        return zip(KINDS, (self.family, self.validation), strict=True)


def shares(counts: Mapping[str, int]) -> Shares:
    """Each count as a share of all."""
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()} if total else {}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def kernels_of(references: Iterable[Mapping[str, Any]], best: int = BEST) -> dict[str, Kernels]:
    """competition -> its kernels of place <= best; all of them where none is ranked.

    references: rows of table `references`. A kernel whose family is not known counts for its validation.
    """
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in references:
        rows[row["competition"]].append(row)
    found = {}
    for competition, own in sorted(rows.items()):
        ranked = any(row["place"] is not None for row in own)
        chosen = [row for row in own if not ranked or (row["place"] is not None and row["place"] <= best)]
        found[competition] = Kernels(
            Counter(row["family"] for row in chosen if row["family"]),
            Counter(row["validation"] for row in chosen if row["validation"]),
            len(chosen),
            ranked,
        )
    return found


def priors_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Prior]:
    """competition -> prior, where both kinds of decision are counted. rows: those of table `prior`."""
    counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: {kind: {} for kind in KINDS})
    for row in rows:
        if row["count"] > 0:
            counts[row["competition"]][row["kind"]][row["value"]] = row["count"]
    return {
        competition: Prior(found["family"], found["validation"])
        for competition, found in sorted(counts.items())
        if found["family"] and found["validation"]
    }


def readings_of(samples: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Reading]]]:
    """subject -> competition -> its samples, read, by place. samples: rows of table `samples`."""
    found: dict[str, dict[str, list[Reading]]] = defaultdict(lambda: defaultdict(list))
    ordered = sorted(
        samples, key=lambda row: (row["subject"], row["competition"], row["place"], row["sample"])
    )
    for row in ordered:
        found[row["subject"]][row["competition"]].append(reading(row))
    return {subject: dict(own) for subject, own in found.items()}


def reading(row: Mapping[str, Any]) -> Reading:
    """What one row of table `samples` decides."""
    return _read(row["text"] or "", row["place"], bool(row["cut"]))


@lru_cache(maxsize=4096)
def _read(text: str, place: int, cut: bool) -> Reading:
    family, validation = family_of(text), validation_of(text)
    silent = family is None and validation == "none" and sections_of(text).training is None
    return Reading(
        place=place,
        family=family,
        validation=None if silent else validation,
        whole=not flaws_of(text, cut),
        words=frozenset(re.findall(r"\w+", text.lower())),
    )


def agreement(readings: Sequence[Reading], kernels: Kernels, kinds: Sequence[Kind] = KINDS) -> Values:
    """For each sample the chance that a randomly drawn kernel decided alike, the mean over the kinds, shape
    (n,)."""
    known = {kind: kernels.shares(kind) for kind in kinds}
    return np.array(
        [np.mean([known[kind].get(each.decided(kind) or "", 0.0) for kind in kinds]) for each in readings],
        dtype=np.float64,
    )


def distances(readings: Sequence[Reading]) -> Values:
    """1 - Jaccard of the word sets of each two samples, shape (n, n); two empty ones are the same."""
    found = np.zeros((len(readings), len(readings)))
    for i, one in enumerate(readings):
        for j, two in enumerate(readings[:i]):
            either = len(one.words | two.words)
            found[i, j] = found[j, i] = 1 - len(one.words & two.words) / either if either else 0.0
    return found


def strata(readings: Sequence[Reading]) -> list[int]:
    """How many samples each place has, in the order of places."""
    counts = Counter(each.place for each in readings)
    return [counts[place] for place in sorted(counts)]
