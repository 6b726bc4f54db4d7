"""A source taken in: its metadata judged and ranked, its code blocks sorted into shards by competition.

A corpus larger than memory is streamed once; every later step works on one shard at a time, in any order and
on any process. A shard holds whole competitions, so that a kernel more changes one shard alone.
"""

import math
import shutil
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from linguacodus_core import store
from linguacodus_core.curation.ahead import ahead
from linguacodus_core.curation.competitions import judge
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.ranking import rank
from linguacodus_core.errors import StoreError
from linguacodus_core.sources.source import Source
from linguacodus_core.tables import DATASET, table

KERNELS_PER_SHARD = 250
MOST_SHARDS = 64
BUNDLE_BYTES = 64 << 20
MANIFEST = "corpus.json"
NO_KERNEL = "no kernel that can be selected"
SHARD_SCHEMA = pa.schema(list(DATASET["code_blocks"]))


class Corpus(BaseModel):
    """A corpus on disk. Counts are of what the source yielded, before anything was dropped."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    source: str
    fingerprint: str
    shards: int
    competitions: int
    kernels: int
    blocks: int
    characters: int

    @property
    def files(self) -> tuple[Path, ...]:
        """What the corpus needs beside this record."""
        blocks = [self.shard(number) for number in range(self.shards)]
        ranked = [self.ranked(number) for number in range(self.shards)]
        return (self.folder / MANIFEST, *blocks, *ranked)

    def shard(self, number: int) -> Path:
        """The code blocks of one shard (table `code_blocks`)."""
        return self.folder / f"blocks-{number:02}.parquet"

    def ranked(self, number: int) -> Path:
        """The kernels of one shard that may be selected, best first in a competition, with `ranked_by`."""
        return self.folder / f"ranked-{number:02}.parquet"


def take_in(
    source: Source, fingerprint: str, options: CurationOptions, folder: Path, on_blocks: Callable[[int], None]
) -> Corpus:
    """Read a source into `folder`, or find it there.

    Writes competitions.parquet, kernels.parquet, dropped.parquet, ranked-NN.parquet, blocks-NN.parquet and
    corpus.json into a folder beside it, which is moved in place when it is whole. on_blocks: told how many
    blocks more were read. Raises CorpusError when the source cannot be read, StoreError when the disk cannot
    be written.
    """
    if known := store.read_json(folder / MANIFEST):
        return Corpus.model_validate(known | {"folder": folder})
    aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        corpus = _read(source, fingerprint, options, aside, on_blocks)
        with store.described(folder):
            if not store.read_json(folder / MANIFEST):
                shutil.rmtree(folder, ignore_errors=True)  # what lost its record is no corpus
                aside.rename(folder)
    except StoreError:
        if not store.read_json(folder / MANIFEST):  # else another process was first, with the same content
            raise
        corpus = Corpus.model_validate(store.read_json(folder / MANIFEST) | {"folder": folder})
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return corpus.model_copy(update={"folder": folder})


def _read(
    source: Source, fingerprint: str, options: CurationOptions, folder: Path, on_blocks: Callable[[int], None]
) -> Corpus:
    competitions, kernels = source.competitions(), source.kernels().sort_by("kernel")
    judged, out = judge(competitions, keep_unknown=options.unranked == "keep")
    ranked, unranked = rank(kernels, judged, options)
    shards = _shard_count(len(ranked))
    ranked["shard"] = [_shard_of(name, shards) for name in ranked["competition"]]
    with store.described(folder):
        folder.mkdir(parents=True)
        blocks, characters = _sort_into_shards(source, ranked, shards, folder, on_blocks)
    store.write_table(folder / "competitions.parquet", judged)
    store.write_table(folder / "kernels.parquet", kernels.cast(DATASET["kernels"]))
    for number in range(shards):
        own = ranked[ranked["shard"] == number].drop(columns="shard")
        own_table = pa.Table.from_pandas(own, preserve_index=False)
        store.write_table(folder / f"ranked-{number:02}.parquet", own_table)
    late = pa.Table.from_pandas(unranked, schema=DATASET["dropped"], preserve_index=False)
    dropped = pa.concat_tables([out, _idle(judged, ranked), late, source.unreadable()])
    keys = [(name, "ascending") for name in DATASET["dropped"].names]
    store.write_table(folder / "dropped.parquet", dropped.sort_by(keys))
    corpus = Corpus(
        folder=folder,
        source=source.name,
        fingerprint=fingerprint,
        shards=shards,
        competitions=competitions.num_rows,
        kernels=kernels.num_rows,
        blocks=blocks,
        characters=characters,
    )
    store.write_json(folder / MANIFEST, corpus.model_dump(mode="json", exclude={"folder"}))
    return corpus


def _idle(competitions: pa.Table, ranked: pd.DataFrame) -> pa.Table:
    """Table `dropped`: competitions of which no kernel may be selected."""
    busy = set(ranked["competition"])
    rows: list[dict[str, object]] = [
        {"table": "competitions", "row": name, "competition": name, "reason": NO_KERNEL}
        for name in competitions["competition"].to_pylist()
        if name not in busy
    ]
    return table("dropped", rows, DATASET)


def _shard_count(kernels: int) -> int:
    """A power of two, so that a few kernels more seldom move every competition to another shard."""
    return min(MOST_SHARDS, 1 << math.ceil(math.log2(max(1.0, kernels / KERNELS_PER_SHARD))))


def _shard_of(competition: str, shards: int) -> int:
    return zlib.crc32(competition.encode()) % shards


def _sort_into_shards(
    source: Source, ranked: pd.DataFrame, shards: int, folder: Path, on_blocks: Callable[[int], None]
) -> tuple[int, int]:
    """Stream the blocks of ranked kernels into their shards; (blocks, characters) of all that were read."""
    names = pa.array(ranked["kernel"], pa.string())
    shard_of = ranked["shard"].to_numpy(dtype=np.int16)
    blocks = characters = 0
    with ExitStack() as files:
        writers = [
            files.enter_context(
                pq.ParquetWriter(
                    folder / f"blocks-{number:02}.parquet",
                    SHARD_SCHEMA,
                    compression="lz4",
                )
            )
            for number in range(shards)
        ]
        for batches in _bundles(ahead(source.blocks())):
            read = pa.Table.from_batches(batches)
            blocks += read.num_rows
            characters += pc.sum(pc.utf8_length(read["code"])).as_py() or 0
            for number, part in _parts(read, names, shard_of):
                writers[number].write_table(part)
            on_blocks(read.num_rows)
    return blocks, characters


def _bundles(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in bundles of about BUNDLE_BYTES: many small row groups would cost more than all the rest."""
    bundle: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        bundle.append(batch)
        held += batch.nbytes
        if held >= BUNDLE_BYTES:
            yield bundle
            bundle, held = [], 0
    if bundle:
        yield bundle


def _parts(read: pa.Table, names: pa.Array, shard_of: NDArray[np.int16]) -> Iterator[tuple[int, pa.Table]]:
    """The code cells of known kernels, by shard."""
    position = pc.index_in(read["kernel"], value_set=names)
    wanted = pc.and_(pc.is_valid(position), pc.equal(read["kind"], "code"))
    if not pc.any(wanted).as_py():
        return
    kept = read.filter(wanted).cast(SHARD_SCHEMA)
    shard = shard_of[position.filter(wanted).to_numpy()]
    order = np.argsort(shard, kind="stable")
    found, starts = np.unique(shard[order], return_index=True)
    kept = kept.take(pa.array(order))
    ends = [*starts[1:], len(order)]
    for number, start, end in zip(found, starts, ends, strict=True):
        yield int(number), kept.slice(start, end - start)
