"""Rows of a training: which examples stand together in a sequence, and in what order the sequences come.

With `shared_prefix`, examples of one competition share the beginning of their prompts: a row is that
beginning once, then what each example has of its own. Every example sees the beginning and itself, at the
positions it would have alone, so that loss and gradients are those of the examples one by one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from linguacodus_core.trainer.encode import Encoded, Tokens

Batching = Literal["plain", "by_length", "shared_prefix"]
MEGABATCH = 50
"""Batches among which rows are sorted by length; transformers' group_by_length takes as many."""


@dataclass(frozen=True)
class Row:
    """One sequence: a prefix, then for each example the rest of its prompt and its completion."""

    prefix: Tokens
    members: tuple[tuple[Tokens, Tokens], ...]

    def __len__(self) -> int:
        return len(self.prefix) + sum(len(asked) + len(answer) for asked, answer in self.members)


@dataclass(frozen=True)
class Plan:
    """A whole training laid out: its rows, and the order in which they are read, all epochs one after the
    other.

    Laid out beforehand, a resumed run reads on exactly where it was, and several processes divide one order.
    """

    rows: tuple[Row, ...]
    order: tuple[int, ...]
    a_epoch: int
    """Rows of one epoch."""

    @property
    def tokens(self) -> int:
        """Tokens read in all, padding not counted."""
        lengths = [len(row) for row in self.rows]
        return sum(lengths[index] for index in self.order)


def lay_out(
    examples: Sequence[Encoded],
    *,
    batching: Batching,
    pack_length: int,
    batch: int,
    rows_a_step: int,
    epochs: float,
    max_steps: int,
    seed: int,
) -> Plan:
    """Lay out a training. batch: rows a device reads at once; rows_a_step: rows of all devices a step.

    max_steps, if not 0, decides how much is read, else the epochs do.
    """
    rows: list[Row] = []
    order: list[int] = []
    first = 0
    epoch = 0
    wanted = max_steps * rows_a_step
    while not epoch or (len(order) < wanted if max_steps else epoch < epochs):
        randomness = np.random.default_rng([seed, epoch])
        if batching == "shared_prefix":
            start = len(rows)
            rows += packs(examples, pack_length, randomness)
        else:
            start = 0
            rows = rows or [alone(example) for example in examples]
        lengths = [len(row) for row in rows[start:]]
        first = first or len(lengths)
        shuffled = [start + index for index in arrange(lengths, batching, batch, rows_a_step, randomness)]
        left = epochs - epoch
        order += shuffled if max_steps or left >= 1 else shuffled[: max(1, round(left * len(shuffled)))]
        epoch += 1
    if max_steps:
        order = order[:wanted]
    return Plan(tuple(rows), tuple(order), first)


def alone(example: Encoded) -> Row:
    """A row of one example."""
    return Row(example.prompt[:0], ((example.prompt, example.completion),))


def packs(examples: Sequence[Encoded], length: int, randomness: np.random.Generator) -> list[Row]:
    """Rows of at most `length` tokens, each of one competition, as even as they come.

    Examples of a competition stand together whatever their prompts, or only those with the same prompt, which
    share all of it: whichever is fewer tokens. An example that is longer than `length` is a row of its own.
    """
    competitions: dict[str, list[Encoded]] = defaultdict(list)
    for example in examples:
        competitions[example.competition].append(example)
    rows: list[Row] = []
    for competition in competitions.values():
        prompts: dict[bytes, list[Encoded]] = defaultdict(list)
        for example in competition:
            prompts[example.prompt.tobytes()].append(example)
        together = _rows(competition, length, randomness)
        apart = [row for group in prompts.values() for row in _rows(group, length, randomness)]
        rows += min(together, apart, key=lambda some: sum(map(len, some)))
    return rows


def _rows(group: Sequence[Encoded], length: int, randomness: np.random.Generator) -> list[Row]:
    shared = _shared(group)
    costs = np.array([len(example) - shared for example in group])
    return [
        Row(
            group[members[0]].prompt[:shared],
            tuple((group[member].prompt[shared:], group[member].completion) for member in members),
        )
        for members in _divided(costs, length - shared, randomness)
    ]


def arrange(
    lengths: Sequence[int],
    batching: Batching,
    batch: int,
    rows_a_step: int,
    randomness: np.random.Generator,
) -> list[int]:
    """The order of an epoch's rows: shuffled; where several stand in a batch and `plain` is not asked for,
    grouped
    by length (sorted among fifty batches, the longest of all first, so that memory runs out at once or
    never).
    """
    order = [int(index) for index in randomness.permutation(len(lengths))]
    if batching == "plain" or batch == 1:
        return order
    size = rows_a_step * max(1, min(MEGABATCH, len(order) // (rows_a_step * 4)))
    megabatches = [
        sorted(order[at : at + size], key=lambda index: -lengths[index]) for at in range(0, len(order), size)
    ]
    longest = max(range(len(megabatches)), key=lambda number: lengths[megabatches[number][0]])
    megabatches[0][0], megabatches[longest][0] = megabatches[longest][0], megabatches[0][0]
    return [index for megabatch in megabatches for index in megabatch]


def _shared(group: Sequence[Encoded]) -> int:
    """How many tokens all prompts begin with; the last token of a prompt stays the example's own, since
    what comes
    after it is learnt from it.
    """
    longest = min(len(example.prompt) for example in group) - 1
    first = group[0].prompt[:longest]
    for example in group[1:]:
        differing = np.flatnonzero(first != example.prompt[: len(first)])
        if len(differing):
            first = first[: differing[0]]
    return len(first)


def _divided(costs: np.ndarray, room: int, randomness: np.random.Generator) -> list[list[int]]:
    """The members of each row: as few rows as hold them, filled evenly, longest first into the emptiest."""
    shuffled = randomness.permutation(len(costs))
    longest_first = shuffled[np.argsort(-costs[shuffled], kind="stable")]
    count = max(1, int(np.ceil(costs.sum() / max(room, 1))))
    while True:
        bins: list[list[int]] = [[] for _ in range(min(count, len(costs)))]
        filled = np.zeros(len(bins), np.int64)
        for member in longest_first:
            emptiest = int(filled.argmin())
            bins[emptiest].append(int(member))
            filled[emptiest] += costs[member]
        if count >= len(costs) or all(
            used <= room or len(members) == 1 for used, members in zip(filled, bins, strict=True)
        ):
            for members in bins:
                randomness.shuffle(members)
            return bins
        count += 1
