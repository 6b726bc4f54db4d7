"""The source `kaggle`: kernels fetched through Kaggle's API into a folder, then read from there.

The API lists kernels by score but tells no scores: so the order of the listing is what ranks them, and where
the direction of a competition's metric is not known, nothing does.

This was built from the source of the kaggle package (2.2.4) and tested against a local server that speaks its
protocol, never with an account. Not verified are: what rate Kaggle allows, where it lists kernels without a
score, which pages of a competition it shows to whom, and that all of them list by the bare number.
"""

from collections.abc import Sequence
from pathlib import Path

from linguacodus_core.sources.kaggle_pull import Pulled, PullRequest, pull, slug_of
from linguacodus_core.sources.kernels import KernelsSource
from linguacodus_core.sources.narrowed import Narrowed

__all__ = ["KaggleSource", "PullRequest", "Pulled", "pull"]


class KaggleSource(Narrowed):
    """The kernels of the named competitions that `pull` fetched. Asks nobody."""

    def __init__(self, folder: Path, competitions: Sequence[str]) -> None:
        super().__init__(KernelsSource(folder), [slug_of(name) for name in competitions])
        self.name = "kaggle"
