"""Kernels of the corpus that ships, studied as a rebuild does."""

from typing import Any

from linguacodus_core.curation import cells
from linguacodus_core.dataset.study import studied
from linguacodus_core.sources.sample import SampleSource

KERNELS = (
    "emil/logistic-regression-is-enough",
    "chen/lightgbm-5-fold-with-lab-correction",
    "greta/wines-and-extra-trees",
)


def code_of(kernel: str) -> str:
    """The code of a kernel of the corpus that ships."""
    rows = [row for batch in SampleSource().blocks() for row in batch.to_pylist() if row["kernel"] == kernel]
    rows.sort(key=lambda row: row["block"])
    return cells.join([row["code"] for row in rows if row["kind"] == "code"])


def studied_kernel(kernel: str, code_tokens: int = 2048) -> dict[str, Any]:
    """A row of a studied shard."""
    about = {"solution": kernel, "kernel": kernel, "competition": "c", "place": 1}
    return about | {"unusable": None} | studied(code_of(kernel), code_tokens)
