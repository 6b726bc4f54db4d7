"""What lies about competitions beside pulled kernels: competition.json, listing.json, description.md, a CSV.

    <folder>/<competition>/competition.json   title, description, metric_name, tags, link, direction
    <folder>/<competition>/listing.json       a list of kernel, listed, votes, comments, score, title
    <folder>/<competition>/description.md     the description alone
    <folder>/competitions.csv                 a row a competition, spelled as in COLUMNS, | between tags

Kaggle's tags name data types, subjects and, among them, the metric: the first tag that the metric table knows
is taken as the metric's name.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from linguacodus_core.errors import CorpusError
from linguacodus_core.metrics.table import find
from linguacodus_core.sources.csv_columns import Column, CsvColumns
from linguacodus_core.sources.json_values import count, real, text, texts
from linguacodus_core.sources.notes import Problem

COLUMNS = (
    Column("competition", ("slug", "comp_name", "competition_slug", "competition_name"), required=True),
    Column("title", ("competition_title", "comp_title"), usual=False),
    Column("description", ("task",), usual=False),
    Column("tags", (), usual=False),
    Column("metric", ("evaluation_metric", "metric_name"), usual=False),
    Column("higher_is_better", ("is_higher_better", "greater_is_better"), usual=False),
    Column("direction", ("metric_direction",), usual=False),
    Column("link", ("ref_link", "ref", "url"), usual=False),
    Column("data_type", ("data_types",), usual=False),
)
"""The columns of a CSV of competitions under our names, and what else they may be called."""

_YES, _NO = frozenset({"true", "1", "yes", "max"}), frozenset({"false", "0", "no", "min"})
_REPAIR = "pull the competition again, or remove the file"


class CompetitionFiles:
    """The files about competitions in a folder of kernels; each is read when it is first asked for."""

    def __init__(self, root: Path, catalogue: Path | None) -> None:
        """catalogue: a CSV of competitions, read instead of <root>/competitions.csv.

        Raises CorpusError for a catalogue that is not there or has no column of competitions.
        """
        self.root = root
        own = next(
            (path for name in ("", ".gz") if (path := root / f"competitions.csv{name}").is_file()), None
        )
        if catalogue is not None and not catalogue.is_file():
            raise CorpusError(f"there is no file {catalogue}", "give a CSV with one competition a row")
        self.catalogue = catalogue or own
        self._csv = CsvColumns(self.catalogue, COLUMNS, "competitions") if self.catalogue else None

    @cached_property
    def folders(self) -> list[str]:
        """The folders that say what competition they are of: those with a competition.json."""
        return sorted(path.parent.name for path in self.root.glob("*/competition.json"))

    def files(self) -> list[Path]:
        """Every file that this reads but the catalogue, in the order of their paths."""
        names = ("competition.json", "listing.json", "description.md")
        return sorted(path for name in names for path in self.root.glob(f"*/{name}"))

    def problems(self) -> list[Problem]:
        """Rows of the catalogue that could not be read."""
        return self._csv.problems if self._rows is not None and self._csv else []

    def competition(self, name: str) -> dict[str, Any]:
        """A row of table `competitions`: competition.json, then the catalogue, then description.md.

        Only the name, where there is none of them. Raises CorpusError for a damaged competition.json.
        """
        row: dict[str, Any] = {"competition": name}
        for source in (self._own(name), self._rows.get(name.casefold(), {}), self._described(name)):
            row |= {key: value for key, value in source.items() if row.get(key) is None}
        return row

    def listing(self, competition: str) -> dict[str, dict[str, Any]]:
        """Kernel ("owner/slug", lower case) -> listed, votes, comments, score, title; empty without the file.

        Raises CorpusError for a damaged listing.json.
        """
        rows = self._json(competition, "listing.json")
        if rows is None:
            return {}
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and text(row.get("kernel")) for row in rows
        ):
            raise CorpusError(f"{self.root / competition / 'listing.json'} is no list of kernels", _REPAIR)
        return {
            row["kernel"].strip().lower(): {
                "listed": count(row.get("listed")),
                "votes": count(row.get("votes")),
                "comments": count(row.get("comments")),
                "score": real(row.get("score")),
                "title": text(row.get("title")),
            }
            for row in reversed(rows)
        }

    def _own(self, name: str) -> dict[str, Any]:
        said = self._json(name, "competition.json")
        if said is None:
            return {}
        if not isinstance(said, dict):
            raise CorpusError(f"{self.root / name / 'competition.json'} is no JSON object", _REPAIR)
        return _row(
            title=text(said.get("title")),
            description=text(said.get("description")),
            link=text(said.get("link")),
            metric=text(said.get("metric_name")),
            tags=texts(said.get("tags")),
            direction=_direction(text(said.get("direction"))),
        )

    def _described(self, name: str) -> dict[str, Any]:
        path = self._inside(name, "description.md")
        if path is None:
            return {}
        return {"description": text(path.read_text(encoding="utf-8", errors="replace"))}

    def _inside(self, competition: str, name: str) -> Path | None:
        """A file of a competition's own folder; None where there is none, or its name leads elsewhere."""
        leads_elsewhere = competition in (".", "..") or any(mark in competition for mark in "/\\\0")
        if leads_elsewhere or len(competition) > 200:
            return None
        path = self.root / competition / name
        return path if path.is_file() else None

    def _json(self, competition: str, name: str) -> Any:
        path = self._inside(competition, name)
        if path is None:
            return None
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise CorpusError(f"{path} is damaged: {error}", _REPAIR) from error

    @cached_property
    def _rows(self) -> dict[str, dict[str, Any]]:
        if self._csv is None:
            return {}
        found: dict[str, dict[str, Any]] = {}
        for read in self._csv.table_of_text().to_pylist():
            said = {key: text(value) for key, value in read.items()}
            if said["competition"] is None:
                continue
            kinds = [kind.strip() for kind in (said["data_type"] or "").split(",") if kind.strip()]
            found.setdefault(
                said["competition"].casefold(),
                _row(
                    title=said["title"],
                    description=said["description"],
                    link=said["link"],
                    metric=said["metric"],
                    tags=[tag.strip() for tag in (said["tags"] or "").split("|") if tag.strip()],
                    direction=_direction(said["direction"] or said["higher_is_better"]),
                )
                | {"data_types": kinds or None},
            )
        return found


def _row(
    *,
    title: str | None,
    description: str | None,
    link: str | None,
    metric: str | None,
    tags: list[str],
    direction: str | None,
) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "link": link,
        "metric_name": metric or next((tag for tag in tags if find(tag)), None),
        "tags": tags or None,
        "direction": direction,
    }


def _direction(said: str | None) -> str | None:
    folded = (said or "").lower()
    return "max" if folded in _YES else "min" if folded in _NO else None
