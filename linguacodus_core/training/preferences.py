"""Pairs for the preference stage (DPO): two instructions for one prompt, one of them better.

Which is better is known by place (of two solutions of a competition, the better ranked one's) or by execution
(of two instructions of one run of `generate`, the one whose program scored better on the hold-out).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from linguacodus_core.dataset.version import Version
from linguacodus_core.errors import TrainingError
from linguacodus_core.progress import say, warn
from linguacodus_core.training.request import PLACES
from linguacodus_core.training.run_pairs import run_pairs
from linguacodus_core.training.tables import TRAINING

MOST = 20
"""Pairs by place of one competition of a version; more would let large competitions speak for all."""
APART = 2
"""Places between two solutions whose scores are not known, for the gap to be a clear one."""

Row = dict[str, Any]


def pairs(versions: Sequence[Version], sources: Sequence[str], prompt_set: str) -> pa.Table:
    """The table `pairs` of a job.

    sources: "places" for pairs by place of the versions' competitions, or folders of results of `generate`
    (or what holds several of them); none gives an empty table. Pairs of held-out competitions are `heldout`.
    Raises TrainingError: a source without results, no pair in any source, none to train on. A source that
    gives no pair, and held-out competitions that have none, are a warning.
    """
    sides = _sides(versions)
    found: dict[str, Row] = {}
    for source in sources:
        made = (
            list(_by_place(versions, sides, prompt_set))
            if source == PLACES
            else list(run_pairs(source, versions, sides, prompt_set))
        )
        if not made:
            warn(f"preferences: {_empty(source)}")
        found |= {row["pair"]: row for row in map(_named, made) if row["pair"] not in found}
    rows = sorted(found.values(), key=lambda row: (row["competition"], row["pair"]))
    if sources:
        _check(rows, sources)
    return pa.Table.from_pylist(rows, schema=TRAINING["pairs"])


def _check(rows: Sequence[Row], sources: Sequence[str]) -> None:
    counts = {split: sum(row["split"] == split for row in rows) for split in ("train", "heldout")}
    if not rows:
        raise TrainingError(
            f"there is no pair to prefer from: {'; '.join(map(_empty, sources))}",
            f'"{PLACES}" asks for ranked solutions; a folder, for runs that scored two instructions',
        )
    if not counts["train"]:
        raise TrainingError(
            f"all {len(rows):,} pairs are of held-out competitions: there is none to train on",
            "add results of generate on other tasks, or a dataset version with more competitions",
        )
    say(f"{counts['train']:,} pairs to prefer by, {counts['heldout']:,} of held-out competitions")
    if not counts["heldout"]:
        warn("preferences: no pair is of a held-out competition: nothing will show whether they carry over")


def _empty(source: str) -> str:
    if source == PLACES:
        return "no competition has two ranked solutions that are clearly apart"
    return f"{source} holds no run with two instructions that scored differently"


def _sides(versions: Sequence[Version]) -> dict[str, str]:
    """competition -> train, or heldout where a version holds it out."""
    sides: dict[str, str] = {}
    for version in versions:
        for row in version.table("examples", ["competition", "split"]).to_pylist():
            if row["split"] != "train":
                sides[row["competition"]] = "heldout"
            else:
                sides.setdefault(row["competition"], "train")
    return sides


def _by_place(versions: Sequence[Version], sides: Mapping[str, str], prompt_set: str) -> Iterator[Row]:
    """Pairs within each competition of each version: places of two versions do not compare."""
    columns = ["prompt_set", "competition", "solution", "place", "prompt", "completion"]
    for version in versions:
        solutions = version.table("solutions", ["solution", "score"]).to_pylist()
        scores = {row["solution"]: row["score"] for row in solutions}
        ranked: dict[str, list[Row]] = defaultdict(list)
        for row in version.table("examples", columns).to_pylist():
            if row["prompt_set"] == prompt_set and row["place"] is not None:
                ranked[row["competition"]].append({**row, "score": scores.get(row["solution"])})
        for competition in sorted(ranked):
            for better, worse in _chosen(ranked[competition]):
                yield {
                    "split": sides[competition],
                    "competition": competition,
                    "prompt": better["prompt"],
                    "chosen": better["completion"],
                    "rejected": worse["completion"],
                    "origin": "places",
                    "gap": float(worse["place"] - better["place"]),
                }


def _chosen(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """At most MOST pairs (better, worse), the best solutions first, each preferred about equally often.

    Which worse one a solution is held against follows from a hash, so that it is the same every time.
    """
    ordered = sorted(rows, key=lambda row: (row["place"], _text(row), row["solution"]))
    against = [
        sorted(
            (worse for worse in ordered if _clear(better, worse)),
            key=lambda worse: hashlib.sha256(f"{_text(better)}\0{_text(worse)}".encode()).digest(),
        )
        for better in ordered
    ]
    taken: list[tuple[Row, Row]] = []
    for turn in range(max(map(len, against), default=0)):
        for better, others in zip(ordered, against, strict=True):
            if turn < len(others):
                taken.append((better, others[turn]))
    return taken[:MOST]


def _clear(better: Row, worse: Row) -> bool:
    """Whether the first is clearly better (by score, or APART places without scores), in other words."""
    if better["place"] >= worse["place"] or _text(better) == _text(worse):
        return False
    if better["score"] is not None and worse["score"] is not None:
        return bool(better["score"] != worse["score"])
    return bool(worse["place"] - better["place"] >= APART)


def _text(row: Row) -> str:
    return str(row["completion"][-1]["content"])


def _named(row: Row) -> Row:
    """The row with its name: by what is asked, what is preferred and what is not."""
    said = [message["content"] for part in ("prompt", "chosen", "rejected") for message in row[part]]
    return {**row, "pair": hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]}
