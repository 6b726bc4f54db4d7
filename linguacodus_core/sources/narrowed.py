"""A source of which only some competitions are used."""

import hashlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.source import Source


class Narrowed:
    """Those rows of a source that are of the named competitions; rows of none count as unreadable."""

    def __init__(self, source: Source, competitions: Sequence[str]) -> None:
        self._source = source
        self._names = pa.array(sorted(set(competitions)), pa.string())
        self.name = source.name

    def fingerprint(self) -> str:
        """As `Source.fingerprint`: of the whole source, and of which competitions are read."""
        read = f"{self._source.fingerprint()} {self._names.to_pylist()}"
        return hashlib.sha256(read.encode()).hexdigest()

    def competitions(self) -> pa.Table:
        """Those that were named. Raises CorpusError for a name that the source does not have."""
        found = self._source.competitions()
        known = found["competition"].combine_chunks()
        if missing := self._names.filter(pc.invert(pc.is_in(self._names, value_set=known))).to_pylist():
            raise CorpusError(
                f"the source has no competition {', '.join(missing)}",
                f"it has {len(known):,}, among them {', '.join(known.to_pylist()[:10])}",
            )
        return self._chosen(found)

    def kernels(self) -> pa.Table:
        """As `Source.kernels`."""
        return self._chosen(self._source.kernels())

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """As `Source.blocks`."""
        kernels = self.kernels()["kernel"].combine_chunks()
        for batch in self._source.blocks():
            if (chosen := batch.filter(pc.is_in(batch["kernel"], value_set=kernels))).num_rows:
                yield chosen

    def unreadable(self) -> pa.Table:
        """As `Source.unreadable`."""
        rows = self._source.unreadable()
        named = pc.is_in(rows["competition"], value_set=self._names)
        return rows.filter(pc.or_(named, pc.is_null(rows["competition"])))

    def _chosen(self, rows: pa.Table) -> pa.Table:
        return rows.filter(pc.is_in(rows["competition"], value_set=self._names))
