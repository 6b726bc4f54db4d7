"""The corpus that ships: competitions made from scikit-learn's data sets, solutions written for them.

    sample_corpus/<competition>/competition.json    title, metric, link; the description is the example's
    sample_corpus/<competition>/listing.json        scores, measured by benchmarks/measure_sample.py
    sample_corpus/<competition>/<author>__<slug>/   one kernel, as `kaggle kernels pull -m` leaves it

A competition has the name of the example task (taskfolder.examples) that its solutions were run on.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from linguacodus_core.sources.kernels import KernelsSource
from linguacodus_core.tables import DATASET
from linguacodus_core.taskfolder.examples import example_description

FOLDER = Path(__file__).with_name("sample_corpus")


class SampleSource:
    """A KernelsSource over the corpus that ships, the examples' descriptions added."""

    name = "sample"

    def __init__(self, folder: Path = FOLDER) -> None:
        """folder: a corpus of the same layout whose competitions are named after examples."""
        self._source = KernelsSource(folder)

    def fingerprint(self) -> str:
        """The SHA-256 (hex) of the corpus's files and the examples' descriptions."""
        whole = hashlib.sha256(self._source.fingerprint().encode())
        for text in self.competitions()["description"].to_pylist():
            whole.update(hashlib.sha256(text.encode()).digest())
        return whole.hexdigest()

    def competitions(self) -> pa.Table:
        """Table `competitions`; raises TaskError for a competition that is no example."""
        rows = self._source.competitions().to_pylist()
        for row in rows:
            row["description"] = example_description(row["competition"])
        return pa.Table.from_pylist(rows, schema=DATASET["competitions"])

    def kernels(self) -> pa.Table:
        """Table `kernels`; `score` is that of the hidden answers, null where there is no valid submission."""
        return self._source.kernels()

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Table `code_blocks`."""
        return self._source.blocks()

    def unreadable(self) -> pa.Table:
        """Table `dropped`."""
        return self._source.unreadable()
