"""Which models are popular for a kind of data and metric, as `generate` draws its baselines from it.

The newest dataset version's table `popularity` counts (paper, figure 2); where it has too few solutions, the
table that ships beside this module does: counts over pulled Kaggle notebooks, in popularity.csv.
"""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from linguacodus_core.dataset.popularity import ANY
from linguacodus_core.dataset.version import list_versions, open_version

ENOUGH = 20
"""Solutions that a cell must count to be believed."""

Shares = Mapping[str, float]


@dataclass(frozen=True)
class Prior:
    """Cells of one or two tables, the first preferred. name: where they came from."""

    name: str
    tables: tuple[Mapping[tuple[str, str], tuple[int, Shares]], ...]

    @property
    def sha256(self) -> str:
        """The SHA-256 (hex) of all that it says."""
        return hashlib.sha256(repr([sorted(table.items()) for table in self.tables]).encode()).hexdigest()

    def shares(self, data_types: Sequence[str], category: str) -> Shares:
        """family -> share of the solutions for a task's first kind of data and its metric's category.

        Where that cell counts fewer than ENOUGH, all metrics together; empty where that is too few as well.
        """
        for kind in data_types[:1]:
            for table in self.tables:
                for cell in ((kind, category), (kind, ANY)):
                    count, shares = table.get(cell, (0, {}))
                    if count >= ENOUGH:
                        return shares
        return {}


def current() -> Prior:
    """The prior in force: the newest version's, with the one that ships behind it."""
    versions = list_versions()
    if not versions:
        return Prior("the table that ships", (shipped(),))
    rows = open_version(versions[0].version).table("popularity").to_pylist()
    return Prior(f"dataset version {versions[0].version}", (_cells(rows), shipped()))


@lru_cache(maxsize=1)
def shipped() -> Mapping[tuple[str, str], tuple[int, Shares]]:
    """The table that ships."""
    text = files("linguacodus_core.dataset").joinpath("popularity.csv").read_text("utf-8")
    return _cells(list(csv.DictReader(text.splitlines())))


def _cells(rows: Sequence[Mapping[str, object]]) -> Mapping[tuple[str, str], tuple[int, Shares]]:
    found: dict[tuple[str, str], tuple[int, dict[str, float]]] = {}
    for row in rows:
        total = int(str(row["cell_solutions"]))
        cell = found.setdefault((str(row["data_type"]), str(row["metric_category"])), (total, {}))
        cell[1][str(row["family"])] = int(str(row["solutions"])) / total
    return found
