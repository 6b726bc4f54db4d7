"""What a measurement asks on the held-out competitions, as tokens."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer.encode import encode, encode_prompt
from linguacodus_core.trainer.pairs import Pair, encode_pairs
from linguacodus_core.training.job import Job

Row = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A held-out example. other: the prompt of another competition, None where there is no other."""

    name: str
    prompt: list[int]
    completion: list[int]
    other: list[int] | None


@dataclass(frozen=True)
class Competition:
    """What is asked on one held-out competition. asked: the prompt for each place."""

    name: str
    examples: Sequence[Example]
    pairs: Sequence[Pair]
    asked: Mapping[int, list[int]]


def competitions(job: Job, tokenizer: Any, note: Callable[[str], None]) -> list[Competition]:
    """The held-out competitions by name.

    Of each, at most evaluation.examples_per_competition examples, the best places first, then by hash. The
    other prompt is that of the competition half-way round the list of names (neighbours are often editions of
    one challenge), for the same place or the nearest. Raises TrainingError when nothing is held out.
    """
    examples = _chosen(job, tokenizer, note)
    pairs = _by_competition(row for row in job.table("pairs").to_pylist() if row["split"] == "heldout")
    asked = _by_competition(job.table("asked").to_pylist())
    if not examples and not asked:
        raise TrainingError(
            f"{job.name} has no held-out competition to measure on",
            "use a dataset version with competitions in validation or test",
        )
    others = _others(sorted(examples))
    if examples and not others:
        note("one competition alone is held out: what its prompt tells cannot be held against another's")
    return [
        Competition(
            name,
            [
                Example(
                    row["example"],
                    row["tokens"][0],
                    row["tokens"][1],
                    _nearest(row["place"], examples[others[name]]) if others else None,
                )
                for row in examples.get(name, ())
            ],
            encode_pairs(tokenizer, pairs.get(name, ()), job.config.preferences.max_length, note),
            {row["place"]: encode_prompt(tokenizer, row["prompt"]) for row in asked.get(name, ())},
        )
        for name in sorted({*examples, *asked, *pairs})
    ]


def _chosen(job: Job, tokenizer: Any, note: Callable[[str], None]) -> dict[str, list[Row]]:
    """Rows of `heldout` by competition, the chosen ones, with their tokens (prompt, completion)."""
    limit, most = job.config.training.max_length, job.config.evaluation.examples_per_competition
    chosen: dict[str, list[Row]] = {}
    left_out = 0
    for name, rows in _by_competition(job.table("heldout").to_pylist()).items():
        kept: list[Row] = []
        for row in sorted(rows, key=_rank):
            if len(kept) == most:
                break
            tokens = encode(tokenizer, row["prompt"], row["completion"])
            if sum(map(len, tokens)) <= limit:
                kept.append({**row, "tokens": tokens})
            else:
                left_out += 1
        if kept:
            chosen[name] = kept
    if left_out:
        note(f"{left_out:,} held-out examples are longer than training.max_length = {limit:,} and left out")
    return chosen


def _rank(row: Row) -> tuple[bool, int, bytes]:
    return row["place"] is None, row["place"] or 0, hashlib.sha256(row["example"].encode()).digest()


def _others(names: Sequence[str]) -> dict[str, str]:
    """The competition whose prompts stand in for each one's; empty with fewer than two."""
    half = len(names) // 2
    return {name: names[(at + half) % len(names)] for at, name in enumerate(names)} if half else {}


def _nearest(place: int | None, rows: Sequence[Row]) -> list[int]:
    """The prompt among those rows that asks for that place or the nearest; for None, for none."""

    def distance(row: Row) -> tuple[bool, int]:
        return (row["place"] is None) != (place is None), abs((row["place"] or 0) - (place or 0))

    prompt: list[int] = min(rows, key=distance)["tokens"][0]
    return prompt


def _by_competition(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["competition"]].append(row)
    return dict(groups)
