"""One shard curated: its solutions, their code blocks, what was dropped and why."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from linguacodus_core import store
from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.data_types import from_code
from linguacodus_core.curation.duplicates import packed
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.select import CELL, Ranked, Selection, select
from linguacodus_core.tables import DATASET

SOLUTIONS = DATASET["solutions"].append(pa.field("signature", pa.binary()))
"""Table `solutions` with each one's MinHash, which only the split of the examples needs."""


NO_USABLE = "no usable kernel"
TABLES = ("solutions", "code_blocks", "competitions", "dropped")


class CuratedShard(BaseModel):
    """What curation made of a shard: a folder of Parquet tables, named by what went in.

    solutions_sha256: of the solutions' content, for what is computed from them.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    folder: Path
    solutions: int
    solutions_sha256: str

    @property
    def files(self) -> tuple[Path, ...]:
        """What the shard needs beside this record."""
        return tuple(self.folder / f"{name}.parquet" for name in TABLES)

    def read(self, name: str) -> pa.Table:
        """Table solutions, code_blocks, competitions or dropped. Raises FileNotFoundError when it is gone."""
        return pq.read_table(self.folder / f"{name}.parquet")


def curate_shard(corpus: Corpus, number: int, options: CurationOptions, folder: Path) -> CuratedShard:
    """Select the solutions of every competition of a shard and write them to `folder`.

    Tables: solutions (with signatures, by competition and place), code_blocks of these, dropped, competitions
    (those with solutions; data types that nothing else told are told by their code).
    """
    ranked = pq.read_table(corpus.ranked(number)).to_pandas()
    blocks = pq.read_table(corpus.shard(number)).sort_by([("kernel", "ascending"), ("block", "ascending")])
    code = _Cells(blocks)
    rows: list[dict[str, object]] = []
    dropped: list[dict[str, object]] = []
    for name, group in ranked.groupby("competition", sort=True):
        found = select(str(name), list(_ranked(group)), code, options)
        rows += found.solutions
        dropped += _dropped(str(name), found)
        if not found.solutions:
            dropped.append({"table": "competitions", "row": name, "competition": name, "reason": NO_USABLE})
    signatures = packed([row.pop("signature") for row in rows])  # type: ignore[misc]
    solutions = pa.Table.from_pylist(rows, schema=DATASET["solutions"]).append_column(
        SOLUTIONS.field("signature"), pa.array(signatures, pa.binary())
    )
    kept = blocks.filter(pa.compute.is_in(blocks["kernel"], value_set=solutions["kernel"].combine_chunks()))
    tables = {
        "solutions": solutions,
        "code_blocks": kept,
        "competitions": _competitions(corpus, solutions),
        "dropped": pa.Table.from_pylist(dropped, schema=DATASET["dropped"]),
    }
    for name, content in tables.items():
        store.write_table(folder / f"{name}.parquet", content)
    return CuratedShard(
        number=number,
        folder=folder,
        solutions=solutions.num_rows,
        solutions_sha256=store.content_sha256(solutions),
    )


class _Cells(Mapping[str, str]):
    """kernel -> its cells, CELL between them; made when asked for, since most kernels are never looked at."""

    def __init__(self, blocks: pa.Table) -> None:
        names = blocks["kernel"].combine_chunks().dictionary_encode()
        ids = names.indices.to_numpy(zero_copy_only=False)
        found, starts = np.unique(ids, return_index=True)
        ends = np.append(starts, len(ids))[1:]
        keys = names.dictionary.to_pylist()
        self._spans = {keys[i]: (int(a), int(b)) for i, a, b in zip(found, starts, ends, strict=True)}
        self._code = blocks["code"]

    def __getitem__(self, kernel: str) -> str:
        start, end = self._spans[kernel]
        return CELL.join(cell or "" for cell in self._code.slice(start, end - start).to_pylist())

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


def _ranked(group: pd.DataFrame) -> Iterator[Ranked]:
    for kernel, by, score, stated, votes in zip(
        group["kernel"],
        group["ranked_by"],
        group["score"],
        group["stated_score"],
        group["votes"],
        strict=True,
    ):
        number = stated if by == "stated" else score
        yield Ranked(
            kernel, by, None if pd.isna(number) else float(number), None if pd.isna(votes) else int(votes)
        )


def _dropped(competition: str, found: Selection) -> Iterator[dict[str, object]]:
    for kernel, reason, detail in found.dropped:
        yield {
            "table": "kernels",
            "row": kernel,
            "competition": competition,
            "reason": reason,
            "detail": detail or None,
        }


def _competitions(corpus: Corpus, solutions: pa.Table) -> pa.Table:
    about = pq.read_table(corpus.folder / "competitions.parquet")
    chosen = solutions["competition"].combine_chunks().unique()
    found = about.filter(pa.compute.is_in(about["competition"], value_set=chosen)).to_pylist()
    for row in found:
        if not row["data_types"]:
            own = solutions.filter(pa.compute.equal(solutions["competition"], row["competition"]))
            kinds = from_code(own["code"].to_pylist())
            row |= {"data_types": list(kinds), "data_types_from": "code" if kinds else None}
    return pa.Table.from_pylist(found, schema=DATASET["competitions"])
