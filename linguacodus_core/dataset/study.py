"""A shard's solutions studied: what their syntax trees show, and the code that a model would be shown.

It is what both extractors and the grounding check start from, and costs no model; it is done once a shard.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from linguacodus_core import store
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.relevance import cut_code
from linguacodus_core.extraction.static import is_solution
from linguacodus_core.extraction.syntax import evidence
from linguacodus_core.instructions.context import tokens

SCHEMA = pa.schema(
    [
        ("solution", pa.string()),
        ("kernel", pa.string()),
        ("competition", pa.string()),
        ("place", pa.int64()),
        ("unusable", pa.string()),
        ("evidence", pa.string()),
        ("shown", pa.string()),
        ("shown_tokens", pa.int64()),
        ("cut_tokens", pa.int64()),
    ]
)
"""unusable: why it is no solution, null when it is one. evidence: JSON of Evidence. shown: the code that a
prompt shows. cut_tokens: tokens of code that were left out there, comments not counted."""


class StudiedShard(BaseModel):
    """What was found of a shard's solutions. usable: how many are solutions; tokens: of all code shown."""

    model_config = ConfigDict(frozen=True)

    number: int
    path: Path
    solutions: int
    usable: int
    tokens: int
    sha256: str

    @property
    def files(self) -> tuple[Path, ...]:
        """What the record needs beside itself."""
        return (self.path,)

    def read(self) -> pa.Table:
        """One row a solution (SCHEMA). Raises FileNotFoundError when it is gone."""
        return pq.read_table(self.path)


def study_shard(shard: CuratedShard, code_tokens: int, path: Path) -> StudiedShard:
    """Study every solution of a shard; the table goes to `path`. code_tokens: most of the code shown."""
    solutions = shard.read("solutions").select(["solution", "kernel", "competition", "place", "code"])
    found = pa.Table.from_pylist(list(_rows(solutions, code_tokens)), schema=SCHEMA)
    store.write_table(path, found)
    usable = found.filter(pa.compute.is_null(found["unusable"]))
    return StudiedShard(
        number=shard.number,
        path=path,
        solutions=found.num_rows,
        usable=usable.num_rows,
        tokens=pa.compute.sum(usable["shown_tokens"]).as_py() or 0,
        sha256=store.content_sha256(found),
    )


def _rows(solutions: pa.Table, code_tokens: int) -> Iterator[dict[str, Any]]:
    for row in solutions.to_pylist():
        code = row.pop("code")
        yield row | studied(code, code_tokens)


def studied(code: str, code_tokens: int) -> dict[str, Any]:
    """What is found of one solution's code: columns of SCHEMA from `unusable` on, where they have a value."""
    try:
        seen: Evidence = evidence(code)
    except SyntaxError as error:  # the parser's own limits: the symbol table took it
        return {"unusable": f"cannot be analysed: {error.msg}"}
    verdict = is_solution(seen)
    if not verdict:
        return {"unusable": verdict.reason, "evidence": seen.model_dump_json()}
    shown, left_out = cut_code(code, code_tokens)
    return {
        "evidence": seen.model_dump_json(),
        "shown": shown,
        "shown_tokens": tokens(shown),
        "cut_tokens": left_out,
    }
