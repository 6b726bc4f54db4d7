"""All shards put together: the split, the examples, the prior, the card; then the version is published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset.card import card
from linguacodus_core.dataset.examples import CountTokens, examples
from linguacodus_core.dataset.figure import heat_map
from linguacodus_core.dataset.funnel import reasons
from linguacodus_core.dataset.instruct import InstructedShard, calls_of
from linguacodus_core.dataset.popularity import popularity
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.split import Split, across_the_split, splits
from linguacodus_core.dataset.version import CARD, FIGURE, Version
from linguacodus_core.dataset.writer import VersionWriter
from linguacodus_core.errors import DatasetError
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.tables import DATASET, table


def assemble(
    corpus: Corpus,
    curated: Sequence[CuratedShard],
    instructed: Sequence[InstructedShard],
    request: RebuildRequest,
    inputs: dict[str, Any],
    count: CountTokens,
    ledger: Ledger,
) -> tuple[Version, bool]:
    """The version of these shards, and whether it is new.

    inputs: what the manifest says of its origin. One shard is in memory at a time. Raises DatasetError when
    no instruction is left, StoreError when the store cannot be written.
    """
    if corpus.kernels == 0:
        raise DatasetError(
            f"the source has {corpus.blocks:,} code blocks and no kernels: nothing tells their kernels",
            "give a whole release (code_blocks, kernels_meta, competitions_meta), or pulled kernels",
        )
    if not any(shard.instructions for shard in instructed):
        raise DatasetError(
            "no instruction is left of that source",
            "see why: linguacodus dataset rebuild ... --dry-run; kernels without scores need --unranked keep",
        )
    competitions = pa.concat_tables([shard.read("competitions") for shard in curated]).sort_by("competition")
    split = splits(competitions, request.held_out, request.curation.similarity)
    leaks = across_the_split(_signed(curated), split, request.curation.similarity)
    about = {row["competition"]: row for row in competitions.to_pylist()}
    left_out: list[pa.Table] = []
    with VersionWriter() as writer:
        writer.add("competitions", [competitions])
        writer.add("kernels", _groups(corpus.folder / "kernels.parquet"))
        writer.add("code_blocks", (shard.read("code_blocks") for shard in curated))
        writer.add("solutions", (_unsigned(shard.read("solutions")) for shard in curated))
        writer.add("instructions", (shard.read() for shard in instructed))
        made = _examples(curated, instructed, about, split, leaks, request, count, left_out)
        if not writer.add("examples", made):
            raise DatasetError(
                "no example is left: "
                + "; ".join(f"{why} ({count:,})" for _, why, count in reasons(pa.concat_tables(left_out))),
                "kernels without a place give examples only in the prompt set default",
            )
        writer.add("dropped", _dropped(corpus, curated, instructed, left_out))
        instructions = pa.concat_tables(
            [shard.read().select(["competition", "families"]) for shard in instructed]
        )
        writer.add("popularity", [popularity(competitions, instructions)])
        writer.add("llm_calls", _calls(ledger, calls_of(instructed)))

        def written(name: str, columns: list[str] | None = None) -> pa.Table:
            return pq.read_table(writer.folder / f"{name}.parquet", columns=columns)

        writer.add_file(FIGURE, heat_map(written("popularity")))
        writer.add_file(CARD, card(written, inputs, FIGURE).encode())
        return writer.publish(inputs)


def _groups(path: Any) -> Iterator[pa.Table]:
    source = pq.ParquetFile(path)
    for number in range(source.num_row_groups):
        yield source.read_row_group(number)


def _unsigned(solutions: pa.Table) -> pa.Table:
    return solutions.select(DATASET["solutions"].names)


def _signed(curated: Iterable[CuratedShard]) -> Iterator[dict[str, Any]]:
    for shard in curated:
        yield from shard.read("solutions").select(["solution", "competition", "signature"]).to_pylist()


def _examples(
    curated: Sequence[CuratedShard],
    instructed: Sequence[InstructedShard],
    about: Mapping[str, Mapping[str, Any]],
    split: Mapping[str, Split],
    leaks: Mapping[str, str],
    request: RebuildRequest,
    count: CountTokens,
    left_out: list[pa.Table],
) -> Iterator[pa.Table]:
    """Table `examples`, a part a competition; what gave none is added to `left_out`."""
    by_number = {shard.number: shard for shard in instructed}
    for shard in curated:
        instructions = {row["solution"]: row for row in by_number[shard.number].read().to_pylist()}
        grouped: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        for row in shard.read("solutions").select(["solution", "competition", "place"]).to_pylist():
            if row["solution"] in instructions:
                grouped.setdefault(row["competition"], []).append((row, instructions[row["solution"]]))
        for name, pairs in sorted(grouped.items()):
            made, dropped = examples(
                about[name], pairs, split[name], leaks, request.prompt_sets, request.context, count
            )
            left_out.append(dropped)
            yield made


def _dropped(
    corpus: Corpus,
    curated: Iterable[CuratedShard],
    instructed: Iterable[InstructedShard],
    left_out: Iterable[pa.Table],
) -> Iterator[pa.Table]:
    yield pq.read_table(corpus.folder / "dropped.parquet")
    yield from (shard.read("dropped") for shard in curated)
    yield from (pq.read_table(shard.dropped) for shard in instructed)
    yield from left_out


def _calls(ledger: Ledger, keys: Sequence[str]) -> Iterator[pa.Table]:
    for start in range(0, len(keys), 500):
        yield table("llm_calls", ledger.records(keys[start : start + 500]))
