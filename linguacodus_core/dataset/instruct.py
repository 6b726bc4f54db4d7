"""A shard's instructions, as Parquet: read off the code, or asked of a language model call by call."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from linguacodus_core import store
from linguacodus_core.dataset.extract import (
    BEYOND_LIMIT,
    NO_REPLY,
    NO_SOLUTION,
    NOT_GROUNDED,
    NOT_READ,
    Extracted,
    by_model,
    by_reading,
    drop,
    row,
    says_nothing,
)
from linguacodus_core.dataset.study import StudiedShard
from linguacodus_core.errors import EndpointError, LinguacodusError, PromptTooLong, UnusableReply
from linguacodus_core.llm.bulk import each
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.progress import Progress
from linguacodus_core.tables import DATASET, table

Made = tuple[dict[str, Any], Extracted | Exception]
"""A studied solution and what became of it."""

OWN_FAULT = (UnusableReply, PromptTooLong)
"""Errors of one solution, which another run would meet again."""

TABLE, ASIDE, SHARD = "instructions.parquet", "dropped.parquet", "shard.json"


class InstructedShard(BaseModel):
    """The instructions of a shard: `path` holds table `instructions`, `dropped` those that gave none.

    calls: the ledger keys of every call that was made for them, those of dropped ones too.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    path: Path
    dropped: Path
    instructions: int
    calls: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """What the record needs beside itself."""
        return self.path, self.dropped

    def read(self) -> pa.Table:
        """Table `instructions`. Raises FileNotFoundError when it is gone."""
        return pq.read_table(self.path)


def chosen(shards: Iterable[StudiedShard], limit: int | None) -> frozenset[str] | None:
    """The solutions to extract: the best of each competition, then the second best of each, and so on.

    None without a limit: all of them.
    """
    if limit is None:
        return None
    ranks: Counter[str] = Counter()
    rows = []
    for shard in shards:
        for item in shard.read().select(["competition", "solution", "unusable"]).to_pylist():
            if item["unusable"] is None:  # a competition's solutions stand in the order of their places
                rows.append((ranks[item["competition"]], item["competition"], item["solution"]))
                ranks[item["competition"]] += 1
    return frozenset(solution for _, _, solution in sorted(rows)[:limit])


def wanted(shard: StudiedShard, only: frozenset[str] | None) -> list[dict[str, Any]]:
    """The rows of a studied shard that are to give an instruction."""
    rows = shard.read().to_pylist()
    return [item for item in rows if item["unusable"] is None and (only is None or item["solution"] in only)]


def read_shard(
    shard: StudiedShard, only: frozenset[str] | None, threshold: float, folder: Path
) -> InstructedShard:
    """The static extractor's instructions of a shard, written to `folder`."""
    made: list[Made] = [(study, by_reading(study)) for study in wanted(shard, only)]
    return _write(shard, made, only, threshold, folder)


def ask_shards(
    shards: Sequence[StudiedShard],
    only: frozenset[str] | None,
    competitions: Mapping[str, Mapping[str, Any]],
    client: Client,
    prompt_set: str,
    threshold: float,
    folder_of: Callable[[StudiedShard], Path],
    on_done: Callable[[Progress], None],
) -> list[InstructedShard]:
    """The model's instructions of all shards; each is written as soon as its last row is answered.

    A shard whose folder holds a finished one is not asked for, and what the ledger knows is not asked again.
    competitions: rows of `competitions` by name. Raises what concerns every call (budget, endpoint); answers
    that came by then are in the ledger.
    """
    found = {shard.number: known for shard in shards if (known := finished(folder_of(shard)))}
    left = [shard for shard in shards if shard.number not in found]
    counts = {shard.number: len(wanted(shard, only)) for shard in left}
    made: dict[int, list[Made]] = {shard.number: [] for shard in left}

    def ask(item: tuple[int, dict[str, Any]]) -> Extracted:
        _, study = item
        return by_model(client, study, competitions[study["competition"]], prompt_set, threshold)

    def finish(shard: StudiedShard) -> None:
        if len(made[shard.number]) == counts[shard.number]:
            found[shard.number] = _write(shard, made.pop(shard.number), only, threshold, folder_of(shard))

    by_number = {shard.number: shard for shard in left}
    for shard in left:
        if not counts[shard.number]:
            finish(shard)

    def asked() -> Iterator[tuple[int, dict[str, Any]]]:
        for shard in left:  # one shard's code in memory at a time
            yield from ((shard.number, study) for study in wanted(shard, only))

    unanswered: list[EndpointError] = []
    for (number, study), result in each(client, asked(), ask, total=sum(counts.values()), on_done=on_done):
        if isinstance(result, EndpointError) and not isinstance(result, OWN_FAULT):
            unanswered.append(result)  # it may pass: the solution is not given up, its shard not finished
            continue
        made[number].append((study, result))
        finish(by_number[number])
    if unanswered:
        raise EndpointError(
            f"{len(unanswered):,} solutions got no answer: {unanswered[0].problem}",
            "run the same command again: what was answered is kept",
        )
    return [found[shard.number] for shard in shards]


def finished(folder: Path) -> InstructedShard | None:
    """The shard that was written to a folder, None when none was."""
    known = store.read_json(folder / SHARD)
    return (
        InstructedShard.model_validate(known | {"path": folder / TABLE, "dropped": folder / ASIDE})
        if known
        else None
    )


def _write(
    shard: StudiedShard,
    made: Iterable[Made],
    only: frozenset[str] | None,
    threshold: float,
    folder: Path,
) -> InstructedShard:
    rows: list[dict[str, Any]] = []
    calls: list[str] = []
    dropped = list(_not_asked_for(shard, only))
    for study, result in made:
        calls += result.calls if isinstance(result, Extracted) else ()
        if isinstance(result, LinguacodusError):
            dropped.append(drop(study, NO_REPLY, result.problem))
        elif isinstance(result, Exception):
            raise result
        elif says_nothing(result):
            dropped.append(drop(study, NOT_READ, "written by hand, or by rules alone"))
        elif result.grounding.score < threshold:
            why = "; ".join(result.grounding.unsupported) or "it claims nothing that the code could bear out"
            dropped.append(drop(study, NOT_GROUNDED, f"{result.grounding.score:.2f}: {why}"))
        else:
            rows.append(row(study, result))
    rows.sort(key=lambda item: (item["competition"], item["solution"]))
    dropped.sort(key=lambda item: (item["competition"], item["row"]))
    store.write_table(folder / ASIDE, table("dropped", dropped, DATASET))
    store.write_table(folder / TABLE, table("instructions", rows, DATASET))
    store.write_json(
        folder / SHARD,
        {"number": shard.number, "instructions": len(rows), "calls": list(dict.fromkeys(calls))},
    )
    return InstructedShard(
        number=shard.number,
        path=folder / TABLE,
        dropped=folder / ASIDE,
        instructions=len(rows),
        calls=tuple(dict.fromkeys(calls)),
    )


def _not_asked_for(shard: StudiedShard, only: frozenset[str] | None) -> Iterator[dict[str, Any]]:
    for item in shard.read().select(["solution", "competition", "unusable"]).to_pylist():
        if item["unusable"] is not None:
            yield drop(item, NO_SOLUTION, item["unusable"])
        elif only is not None and item["solution"] not in only:
            yield drop(item, BEYOND_LIMIT, "")


def calls_of(shards: Iterable[InstructedShard]) -> list[str]:
    """The ledger keys of every call behind these shards."""
    return sorted({key for shard in shards for key in shard.calls})
