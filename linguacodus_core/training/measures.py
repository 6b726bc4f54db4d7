"""The measures of a comparison: what each takes from every held-out competition, or why it has nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from linguacodus_core.training import agreement
from linguacodus_core.training.agreement import FIRST, Kernels, Kind, Prior, Reading, kernels_of
from linguacodus_core.training.bootstrap import (
    Link,
    Side,
    Unit,
    Values,
    fixed,
    gaps,
    means,
    pairwise,
    ratios,
    same,
    sides,
)
from linguacodus_core.training.measured import Measured

LOSS, PERPLEXITY, OWN_PROMPT = "completion loss", "perplexity", "own prompt"
FORM, FAMILY, VALIDATION, DECISIONS = "form", "family", "validation", "decisions"
DIVERSITY, PLACES = "diversity", "place 1 against 3"
PRIOR, PRIOR_FIRST = "decisions, prior", "decisions, prior's first"
PREFERENCES, MARGIN = "preference accuracy", "preference margin"

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Found:
    """What a measure finds: a unit for each competition, or the reason why there is none."""

    units: Mapping[str, Unit] = field(default_factory=dict)
    note: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Measure:
    """One measure. units: each competition's part. link: from the mean over competitions to the measure."""

    metric: str
    better: Better
    units: Callable[[Measured], Found]
    link: Link = same


def losses(measured: Measured, gain: bool = False) -> Found:
    """Nats a token of each competition's completions; gain: by how much the own prompt lowers them."""
    subjects = (measured.base, measured.tuned)
    needed = [
        (subject, prompt) for subject in subjects for prompt in (("other", "own") if gain else ("own",))
    ]
    groups, missing, broken = _examples(measured, needed)
    if broken:
        return Found(reason=f"the loss of {counted(broken, 'held-out example')} is not a number")
    if not groups:
        return Found(reason="no held-out example was measured for both subjects")
    units = {}
    for competition, rows in groups.items():
        nll: Values = np.array([values for values, _ in rows], dtype=np.float64)
        if gain:
            nll = nll[:, [0, 2]] - nll[:, [1, 3]]
        units[competition] = ratios(nll, np.array([tokens for _, tokens in rows], dtype=np.float64))
    note = counted(sum(map(len, groups.values())), "example")
    if missing:
        note += f", {missing} more without a loss of both subjects"
    return Found(units, note)


def _examples(
    measured: Measured, needed: Sequence[tuple[str, str]]
) -> tuple[dict[str, list[tuple[list[float], int]]], int, int]:
    """competition -> (nll for each needed subject and prompt, tokens) of its examples; how many lack one; of
    how many one is not a number."""
    nll: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    tokens: dict[tuple[str, str], int] = {}
    for row in measured.losses:
        if row["subject"] in (measured.base, measured.tuned) and row["tokens"] > 0:
            key = (row["competition"], row["example"])
            nll[key][row["subject"], row["prompt"]] = row["nll"]
            tokens[key] = row["tokens"]
    groups: dict[str, list[tuple[list[float], int]]] = defaultdict(list)
    missing = broken = 0
    for key, found in sorted(nll.items()):
        values = [found[each] for each in needed if found.get(each) is not None]
        if len(values) < len(needed):
            missing += 1
        elif not np.isfinite(values).all():
            broken += 1
        else:
            groups[key[0]].append((values, tokens[key]))
    return groups, missing, broken


def _gain(measured: Measured) -> Found:
    found = losses(measured, gain=True)
    how = "the loss after another competition's prompt minus after its own"
    return Found(found.units, f"{found.note}; {how}" if found.units else "", found.reason)


def counted(number: int, name: str) -> str:
    """1 example, 2 examples."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _sampled(
    measured: Measured,
    side: Callable[[Sequence[Reading], str], Side],
    needs: Callable[[str], bool] = lambda name: True,
    lacking: str = "kernels to hold them against",
) -> Found:
    """A measure of samples: `side` of each subject, in the competitions that have what it needs."""
    names = measured.sampled()
    if not names:
        return Found(reason="no held-out competition has samples of both subjects")
    chosen = [name for name in names if needs(name)]
    if not chosen:
        return Found(reason=f"no sampled competition has {lacking}")
    made = {name: sides(*(side(readings, name) for readings in measured.of_both(name))) for name in chosen}
    parts = []
    if alone := measured.unsampled():
        parts.append(f"{alone} more without samples of both subjects")
    if without := len(names) - len(chosen):
        parts.append(f"{without} more without {lacking}")
    return Found(made, "; ".join(parts))


def _noted(found: Found, note: str) -> Found:
    return Found(found.units, "; ".join(part for part in (found.note, note) if part), found.reason)


def _form(measured: Measured) -> Found:
    def side(readings: Sequence[Reading], _: str) -> Side:
        return means(np.array([reading.whole for reading in readings], float), agreement.strata(readings))

    return _noted(_sampled(measured, side), "all three sections, ended by itself")


def _decided(kinds: tuple[Kind, ...], note: str) -> Callable[[Measured], Found]:
    """Agreement with a randomly drawn best kernel, in the decisions of those kinds."""

    def units(measured: Measured) -> Found:
        def side(readings: Sequence[Reading], name: str) -> Side:
            values = agreement.agreement(readings, measured.kernels[name], kinds)
            return means(values, agreement.strata(readings))

        return _noted(_sampled(measured, side, lambda name: _held_against(measured, name, kinds)), note)

    return units


def _held_against(measured: Measured, name: str, kinds: Iterable[Kind]) -> bool:
    kernels = measured.kernels.get(name)
    return kernels is not None and all(kernels.shares(kind) for kind in kinds)


def _diversity(measured: Measured) -> Found:
    def side(readings: Sequence[Reading], _: str) -> Side:
        return pairwise(agreement.distances(readings), agreement.strata(readings))

    def several(name: str) -> bool:
        return all(len(agreement.strata(readings)) > 1 for readings in measured.of_both(name))

    found = _sampled(measured, side, several, "samples of several places")
    return _noted(found, "1 - Jaccard of the words of samples of different places")


def _by_place(measured: Measured) -> Found:
    """Samples asked for place 1 against those for place 3, held against the first three places."""
    first = kernels_of(measured.references, FIRST)

    def of(readings: Sequence[Reading], place: int) -> list[Reading]:
        return [reading for reading in readings if reading.place == place]

    def side(readings: Sequence[Reading], name: str) -> Side:
        return gaps(*(agreement.agreement(of(readings, place), first[name]) for place in (1, 3)))

    def asked(name: str) -> bool:
        both = all(of(readings, place) for readings in measured.of_both(name) for place in (1, 3))
        return both and name in first and first[name].complete

    found = _sampled(measured, side, asked, "samples of both places and kernels to hold them against")
    ranked = sum(first[name].ranked for name in found.units)
    return _noted(found, f"{ranked} with ranked kernels, of which the first three count; else all of them")


def _against(drawn: Callable[[Prior, Kernels], float], note: str) -> Callable[[Measured], Found]:
    """The tuned model's decisions against the prior's."""

    def units(measured: Measured) -> Found:
        readings = measured.readings.get(measured.tuned, {})
        names = [name for name in sorted(readings) if _held_against(measured, name, agreement.KINDS)]
        if not names:
            return Found(reason="no sampled competition has kernels to hold it against")
        chosen = [name for name in names if name in measured.priors]
        if not chosen:
            return Found(reason="there is no prior of any held-out competition")
        made = {}
        for name in chosen:
            kernels = measured.kernels[name]
            own = means(agreement.agreement(readings[name], kernels), agreement.strata(readings[name]))
            made[name] = sides(fixed(drawn(measured.priors[name], kernels)), own)
        without = len(names) - len(chosen)
        return _noted(Found(made, f"{without} more without a prior" if without else ""), note)

    return units


def _preferences(margin: bool) -> Callable[[Measured], Found]:
    """Held-out pairs: how often, or by how much a token, the preferred instruction is the likelier one."""

    def units(measured: Measured) -> Found:
        where = {row["pair"]: row["competition"] for row in measured.pairs if row["split"] == "heldout"}
        gained: dict[str, dict[str, float]] = defaultdict(dict)
        for row in measured.preferences:
            if row["chosen_tokens"] > 0 and row["rejected_tokens"] > 0 and row["pair"] in where:
                gained[row["pair"]][row["subject"]] = (
                    row["rejected_nll"] / row["rejected_tokens"] - row["chosen_nll"] / row["chosen_tokens"]
                )
        groups: dict[str, list[list[float]]] = defaultdict(list)
        for pair, own in sorted(gained.items()):
            if measured.base in own and measured.tuned in own:
                groups[where[pair]].append([own[measured.base], own[measured.tuned]])
        if not groups:
            return Found(reason="no held-out pair was measured for both subjects")
        made = {}
        for competition, rows in sorted(groups.items()):
            values: Values = np.array(rows, dtype=np.float64)
            if not np.isfinite(values).all():
                return Found(reason="the loss of a held-out pair is not a number")
            values = values if margin else np.where(values > 0, 1.0, 0.0)
            made[competition] = ratios(values, np.ones(len(values)))
        return Found(made, counted(sum(map(len, groups.values())), "held-out pair"))

    return units


MEASURES: Final = (
    Measure(LOSS, "less", losses),
    Measure(PERPLEXITY, "less", losses, np.exp),
    Measure(OWN_PROMPT, "more", _gain),
    Measure(FORM, "more", _form),
    Measure(FAMILY, "more", _decided(("family",), "none recognizable counts as a miss")),
    Measure(
        VALIDATION, "more", _decided(("validation",), "an instruction that is silent on it decides on none")
    ),
    Measure(DECISIONS, "more", _decided(agreement.KINDS, "the mean of family and validation")),
    Measure(PRIOR, "more", _against(Prior.drawn, "base is the prior, drawn in proportion")),
    Measure(PRIOR_FIRST, "more", _against(Prior.first, "base is the prior's most popular decision")),
    Measure(DIVERSITY, "more", _diversity),
    Measure(PLACES, "more", _by_place),
    Measure(PREFERENCES, "more", _preferences(margin=False)),
    Measure(MARGIN, "more", _preferences(margin=True)),
)
"""All measures, in the order in which they are shown."""
