"""Which models are popular for a kind of data and metric, as `generate` draws its baselines from it.

The newest dataset version's table `popularity` counts (paper, figure 2); where it has too few solutions, the
table that ships beside this module does: counts over pulled Kaggle notebooks, in popularity.csv.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from linguacodus_core.dataset.popularity import ANY
from linguacodus_core.dataset.version import Version, list_versions
from linguacodus_core.errors import DatasetError
from linguacodus_core.progress import warn

ENOUGH = 100
"""Solutions that a cell must count to be believed."""

Counts = Mapping[str, int]
"""family -> solutions of which it is the main model."""


@dataclass(frozen=True)
class Prior:
    """Cells of one or two tables, the first preferred. name: where they came from."""

    name: str
    tables: tuple[Mapping[tuple[str, str], Counts], ...]

    def counts(self, data_types: Sequence[str], category: str) -> Counts:
        """How often each family is the main model, for a task's first kind of data and its metric's category.

        Where that cell counts fewer than ENOUGH, all metrics together; empty where that is too few as well.
        """
        for kind in data_types[:1]:
            for table in self.tables:
                for cell in ((kind, category), (kind, ANY)):
                    counts = table.get(cell, {})
                    if sum(counts.values()) >= ENOUGH:
                        return counts
        return {}


def current() -> Prior:
    """The prior in force: the newest version's, with the one that ships behind it."""
    versions = list_versions()
    if not versions:
        return Prior("the table that ships", (shipped(),))
    try:
        rows = Version(versions[0]).table("popularity").to_pylist()
    except DatasetError as error:
        warn(str(error))
        return Prior("the table that ships", (shipped(),))
    return Prior(f"dataset version {versions[0].version}", (_cells(rows), shipped()))


@lru_cache(maxsize=1)
def shipped() -> Mapping[tuple[str, str], Counts]:
    """The table that ships."""
    text = files("linguacodus_core.dataset").joinpath("popularity.csv").read_text("utf-8")
    return _cells(list(csv.DictReader(text.splitlines())))


def _cells(rows: Sequence[Mapping[str, object]]) -> Mapping[tuple[str, str], Counts]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        cell = found.setdefault((str(row["data_type"]), str(row["metric_category"])), {})
        cell[str(row["family"])] = int(str(row["solutions"]))
    return found
