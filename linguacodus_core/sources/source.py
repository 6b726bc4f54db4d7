"""The one interface of all sources: three tables, as read, nothing judged."""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa


class Source(Protocol):
    """Where kernels come from. `name` is code4ml, kernels, kaggle or sample.

    What a source yields has the schemas of `tables.DATASET`; what it does not know is null. It yields every
    kernel that it has, in any language; dropping is for curation.
    """

    name: str

    def fingerprint(self) -> str:
        """The SHA-256 (hex) of everything that the tables depend on: equal content, equal fingerprint.

        Neither the folder's path nor file times count. Raises CorpusError when the source cannot be read.
        """

    def competitions(self) -> pa.Table:
        """Table `competitions`; `metric`, `metric_category`, `direction` are null unless it says them."""

    def kernels(self) -> pa.Table:
        """Table `kernels`, one row a kernel, ids unique."""

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Table `code_blocks` in batches, so that a corpus larger than memory can be read.

        The blocks of one kernel may lie in several batches; `block` gives their order within the kernel.
        """

    def unreadable(self) -> pa.Table:
        """Table `dropped`: rows that could not even be read, known once `blocks` has been read to its end."""
