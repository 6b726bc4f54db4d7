"""What a source could not read, or read only with a remark, as rows of table `dropped`."""

from typing import TypedDict

from linguacodus_core.sources.json_values import whole

NOTE = "note"
"""The `table` of a remark: nothing was dropped, but something worth knowing was decided or is missing."""


class Problem(TypedDict):
    """One row of table `dropped`."""

    table: str
    row: str
    competition: str | None
    reason: str
    detail: str


def problem(table: str, row: str, reason: str, detail: str = "", competition: str | None = None) -> Problem:
    """A row that was not read: `row` is its id, or where it stands when it has none."""
    return Problem(
        table=table, row=whole(row), competition=competition, reason=reason, detail=shorten(detail)
    )


def note(row: str, reason: str, detail: str = "", competition: str | None = None) -> Problem:
    """A remark on a row or file that was read all the same."""
    return problem(NOTE, row, reason, detail, competition)


def shorten(text: str, most: int = 200) -> str:
    """The text on one line of at most `most` characters."""
    line = " ".join(whole(text).split())
    return line if len(line) <= most else line[: most - 3] + "..."
