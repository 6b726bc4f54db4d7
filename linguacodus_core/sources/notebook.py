"""Notebook files (Jupyter's JSON, nbformat 3 and 4) and scripts -> cells as text; outputs are never kept.

Read with `json` alone: `nbformat` checks every output against a schema, which takes many times longer.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from linguacodus_core.sources.json_values import whole

Kind = Literal["code", "markdown"]
_KINDS: dict[str, Kind] = {"code": "code", "markdown": "markdown", "heading": "markdown", "html": "markdown"}


class NotReadable(ValueError):
    """A file that is no notebook, or no text; the message says why."""


@dataclass(frozen=True)
class Cell:
    """One cell: what kind it is, and its source without outputs."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Notebook:
    """Code and markdown cells in order (raw ones are left out), and the language that the file names."""

    cells: list[Cell]
    language: str | None


def read_notebook(content: bytes) -> Notebook:
    """A notebook from the content of its file. Raises NotReadable for what is none."""
    if not content.strip():
        raise NotReadable("empty file")
    try:
        book = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"no JSON: {error}") from error
    if not isinstance(book, dict):
        raise NotReadable("JSON, but no notebook: no object")
    cells = book.get("cells")
    if cells is None and isinstance(sheets := book.get("worksheets"), list):
        found = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for part in found if isinstance(part, list) for cell in part]
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotReadable("JSON, but no notebook: no list of cells")
    read = [_cell(cell) for cell in cells]
    return Notebook([cell for cell in read if cell is not None], _language(book, cells))


def read_script(content: bytes) -> str:
    """A script's text (UTF-8, with or without a mark). Raises NotReadable where it is empty or no text."""
    if not content.strip():
        raise NotReadable("empty file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotReadable(f"no UTF-8: {error.reason} at byte {error.start}") from error


def _cell(cell: dict[str, Any]) -> Cell | None:
    kind = _KINDS.get(str(cell.get("cell_type")))
    if kind is None:
        return None
    source = cell.get("source", cell.get("input"))
    text = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
    if cell.get("cell_type") == "heading":
        text = "#" * _level(cell) + " " + text
    return Cell(kind, whole(text))


def _level(cell: dict[str, Any]) -> int:
    level = cell.get("level")
    return level if isinstance(level, int) and 1 <= level <= 6 else 1


def _language(book: dict[str, Any], cells: list[dict[str, Any]]) -> str | None:
    metadata = book.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for holder, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        place = metadata.get(holder)
        if isinstance(place, dict) and isinstance(name := place.get(key), str) and name.strip():
            return whole(name)
    first = cells[0].get("language") if cells else None
    return whole(first) if isinstance(first, str) else None
