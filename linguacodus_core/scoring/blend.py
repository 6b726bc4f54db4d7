"""A blend of scored candidates by greedy forward selection with replacement.

Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble selection from libraries of models (ICML 2004).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.metrics.table import get
from linguacodus_core.scoring.blend_program import How, Recipe, write_blend
from linguacodus_core.scoring.combine import decide, weighted_mean, weighted_vote
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.harness import known_answers, measure, typed_predictions
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.scoring.predictions import (
    answers,
    predictions_path,
    read_predictions,
    write_predictions,
)
from linguacodus_core.scoring.rawcsv import read_raw
from linguacodus_core.scoring.soft import decision, target_columns, two_classes
from linguacodus_core.scoring.submission import rescales
from linguacodus_core.taskfolder.rankings import ranking_of
from linguacodus_core.taskfolder.spec import TaskSpec

MOST_MEMBERS = 5
ROUNDS = 12
PATIENCE = 3
RESAMPLES = 40

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Pool:
    """The hold-out predictions of the members that one recipe can combine, ready to be averaged.

    parts[member][fold]: as averaged (logarithms, ranks, soft columns ... as the recipe says).
    """

    spec: TaskSpec
    recipe: Recipe
    known: list[pd.DataFrame]
    members: list[int]
    parts: dict[int, list[pd.DataFrame]]

    def blended(self, weights: Counter[int], fold: int) -> pd.DataFrame:
        """The blend's predictions on a fold, in the submission's columns."""
        parts = [self.parts[member][fold] for member in weights]
        shares = [weight / weights.total() for weight in weights.values()]
        if self.recipe.how == "vote":
            return weighted_vote(parts, shares)
        mean = weighted_mean(parts, shares)
        if self.recipe.how == "log mean":
            return mean.apply(np.expm1)
        if self.recipe.how == "soft":
            return decide(mean, target_columns(self.spec), two_classes(self.spec), self.recipe.decision)
        return mean

    def typed(self, weights: Counter[int], fold: int) -> pd.DataFrame:
        """The same as the metric takes it."""
        return typed_predictions(self.spec, self.blended(weights, fold))

    def score(self, weights: Counter[int], half: Sequence[Rows]) -> float:
        """The mean over the folds of the score on these rows; minus infinity where it is not defined."""
        found = [
            _measured(self.spec, self.known[fold].iloc[rows], self.typed(weights, fold).iloc[rows])
            for fold, rows in enumerate(half)
            if len(rows)
        ]
        values = [value for value in found if value is not None]
        return float(np.mean(values)) * self.sign if values else -np.inf

    @property
    def sign(self) -> int:
        """1 when larger scores are better, else -1."""
        return 1 if self.spec.direction == "max" else -1

    def select(self, half: Sequence[Rows]) -> tuple[Counter[int], Counter[int]]:
        """The best blend on these rows, and the best single member."""
        alone = {member: self.score(Counter([member]), half) for member in self.members}
        single = max(self.members, key=alone.__getitem__)
        chosen, kept, top, idle = [single], 1, alone[single], 0
        while len(chosen) < ROUNDS and idle < PATIENCE:
            full = len(set(chosen)) >= MOST_MEMBERS
            open_to = sorted(set(chosen)) if full else self.members
            tried = {member: self.score(Counter([*chosen, member]), half) for member in open_to}
            best = max(tried, key=tried.__getitem__)
            chosen.append(best)
            idle += 1
            if tried[best] > top:
                top, kept, idle = tried[best], len(chosen), 0
        return Counter(chosen[:kept]), Counter([single])


def blend(
    members: list[tuple[Candidate, Evaluation]], spec: TaskSpec, split: Split, work: Path
) -> tuple[Candidate, Evaluation] | None:
    """The blend of scored candidates that wins on the hold-out, None when none does.

    The rule: members and weights are selected on one half of the hold-out's rows (of its folds,
    where those are by time or group) and compared with the half's best single member on the other
    half, both ways. The blend is proposed only when its mean gain there is larger than one standard
    error of that gain, by a paired bootstrap over the rows, and the blend selected on everything is
    better than the best single one. Where the metric sees only the order, ranks compete with means;
    labels are blended from soft predictions where two members have them, else by vote. At most five
    members. The evaluation's score is that of the final weights on all hold-outs, so it is slightly
    optimistic. work: folder for the blend's own hold-out predictions.
    """
    usable = [(item, found) for item, found in members if found.status == "scored" and item.route != "blend"]
    usable = [
        (item, found) for item, found in usable if found.predictions and Path(found.predictions).exists()
    ]
    if len({item.id for item, _ in usable}) < 2:
        return None
    best = max(usable, key=lambda item: _signed(spec, item[1].score))[1]
    halves = _halves(spec, split)
    proposals = []
    for pool in _pools([found for _, found in usable], spec, split):
        gain, noise = _cross_fitted_gain(pool, halves, int(split.sha256[:8], 16))
        if gain > noise and gain > 1e-12:
            proposals.append((gain, pool))
    for _, pool in sorted(proposals, key=lambda item: -item[0]):
        everything = [np.arange(len(known)) for known in pool.known]
        weights, _ = pool.select(everything)
        if len(weights) > 1 and pool.score(weights, everything) > _signed(spec, best.score):
            return _finished(pool, weights, usable, spec, split, work)
    return None


def _signed(spec: TaskSpec, score: float | None) -> float:
    return -np.inf if score is None else (score if spec.direction == "max" else -score)


def _measured(spec: TaskSpec, known: pd.DataFrame, predicted: pd.DataFrame) -> float | None:
    try:
        return measure(spec, known.reset_index(drop=True), predicted.reset_index(drop=True))
    except SubmissionInvalid:
        return None


def _halves(spec: TaskSpec, split: Split) -> tuple[list[Rows], list[Rows]]:
    """For either half, the rows of each fold: whole folds where rows depend on each other, else rows."""
    empty = np.array([], dtype=np.int64)
    sizes = [fold.test_rows for fold in split.folds]
    if split.scheme in ("time", "group") and len(sizes) > 1:
        rows = [np.arange(size) for size in sizes]
        left = [part if number % 2 == 0 else empty for number, part in enumerate(rows)]
        return left, [part if number % 2 else empty for number, part in enumerate(rows)]
    first, second = [], []
    for number, size in enumerate(sizes):
        if split.scheme == "time":
            side = (np.arange(size) * 10 // max(1, size)) % 2 == 0
        else:
            answer = answers(split.folds[number])[list(spec.targets)].agg(" ".join, axis=1)
            random = np.random.RandomState((split.seed + number) % 2**32)
            order = np.lexsort((random.permutation(size), pd.factorize(answer)[0]))
            side = np.zeros(size, dtype=bool)
            side[order[number % 2 :: 2]] = True
        first.append(np.flatnonzero(side))
        second.append(np.flatnonzero(~side))
    return first, second


def _pools(found: list[Evaluation], spec: TaskSpec, split: Split) -> list[_Pool]:
    """Every way to combine these members, with the members that it can combine."""
    stored = [read_predictions(item.predictions) for item in found]
    known = [known_answers(spec, answers(fold)) for fold in split.folds]
    hard = {number: folds for number, (folds, _) in enumerate(stored)}
    needs = get(spec.metric).needs

    def pool(recipe: Recipe, parts: dict[int, list[pd.DataFrame]]) -> list[_Pool]:
        return [_Pool(spec, recipe, known, list(parts), parts)] if len(parts) > 1 else []

    if spec.prediction == "label":
        columns = Counter(tuple(sorted(soft[0].columns)) for _, soft in stored if soft)
        pools = []
        for names, _ in columns.most_common(1):
            order = list(spec.classes) if set(names) == set(spec.classes) else target_columns(spec)
            recipe = Recipe("soft", decision(order, spec) or "threshold", tuple(order))
            soft = {
                number: [part[order] for part in parts]
                for number, (_, parts) in enumerate(stored)
                if parts and set(parts[0].columns) == set(order)
            }
            pools += pool(recipe, soft)
        return (
            pools if pools and len(pools[0].members) == len(found) else [*pools, *pool(Recipe("vote"), hard)]
        )
    how: How = "log mean" if spec.prediction == "value" and "log" in needs else "mean"
    logs = {number: [part.clip(lower=0).apply(np.log1p) for part in parts] for number, parts in hard.items()}
    normalise = spec.layout == "class_columns" and rescales(spec)
    pools = pool(Recipe(how, normalise=normalise), logs if how == "log mean" else hard)
    if spec.prediction == "probability" and "order" in needs and spec.layout == "targets":
        ranks = {
            number: [part.rank(method="average") / max(1, len(part)) for part in parts]
            for number, parts in hard.items()
        }
        pools += pool(Recipe("rank mean"), ranks)
    return pools


def _cross_fitted_gain(pool: _Pool, halves: tuple[list[Rows], list[Rows]], seed: int) -> tuple[float, float]:
    """The blend's gain over the best single where neither was selected, and its standard error."""
    random = np.random.RandomState(seed)
    pieces = []
    for chosen_on, judged_on in (halves, halves[::-1]):
        if not any(len(rows) for rows in chosen_on):
            return 0.0, 0.0
        weights, single = pool.select(chosen_on)
        for fold, rows in enumerate(judged_on):
            if len(rows):
                tables = (pool.known[fold], pool.typed(weights, fold), pool.typed(single, fold))
                pieces.append(tuple(table.iloc[rows].reset_index(drop=True) for table in tables))

    def gain(resample: bool) -> float | None:
        gains = []
        for known, ours, theirs in pieces:
            rows = random.randint(0, len(known), len(known)) if resample else np.arange(len(known))
            own, other = (
                _measured(pool.spec, known.iloc[rows], table.iloc[rows]) for table in (ours, theirs)
            )
            if own is not None and other is not None:
                gains.append(pool.sign * (own - other))
        return float(np.mean(gains)) if gains else None

    found = gain(resample=False)
    if found is None or found <= 0:
        return 0.0, 0.0
    noise = [value for value in (gain(resample=True) for _ in range(RESAMPLES)) if value is not None]
    return found, float(np.std(noise)) if len(noise) > RESAMPLES / 2 else np.inf


def blend_classes(spec: TaskSpec, how: How) -> Sequence[str]:
    """The classes that a blend's program needs; none to vote on whole rankings."""
    if spec.prediction == "label" and how != "vote":
        return two_classes(spec)
    return () if ranking_of(spec) else spec.classes


def _finished(
    pool: _Pool,
    weights: Counter[int],
    usable: list[tuple[Candidate, Evaluation]],
    spec: TaskSpec,
    split: Split,
    work: Path,
) -> tuple[Candidate, Evaluation]:
    ranked = [(member, count / weights.total()) for member, count in weights.most_common()]
    chosen = [(usable[member][0], weight) for member, weight in ranked]
    runs = [usable[member][1] for member, _ in ranked]
    sample = read_raw(spec.data / spec.sample_file, rows=1)
    program = write_blend(
        chosen,
        spec,
        pool.recipe,
        columns=target_columns(spec),
        classes=blend_classes(spec, pool.recipe.how),
        encoding=sample.encoding,
        delimiter=sample.delimiter,
    )
    candidate = Candidate(
        route="blend",
        label="blend: " + " + ".join(f"{weight:.0%} {item.label}" for item, weight in chosen),
        program=program,
        instruction=chosen[0][0].instruction,
        origin={"combination": pool.recipe.how},
        calls=tuple(dict.fromkeys(call for item, _ in chosen for call in item.calls)),
        prompts=tuple(dict.fromkeys(prompt for item, _ in chosen for prompt in item.prompts)),
        members=tuple((item.id, weight) for item, weight in chosen),
    )
    ordered = Counter({member: weights[member] for member, _ in ranked})
    tables = [pool.blended(ordered, fold) for fold in range(len(split.folds))]
    scores = [
        measure(spec, known, typed_predictions(spec, table))
        for known, table in zip(pool.known, tables, strict=True)
    ]
    path = predictions_path(work, candidate.id, split)
    write_predictions(path, spec, split, tables, [None] * len(tables))
    return candidate, Evaluation(
        candidate=candidate.id,
        status="scored",
        score=float(np.mean(scores)),
        scores=tuple(scores),
        seconds=sum(run.seconds for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
        isolation=runs[0].isolation,
        predictions=str(path),
    )
