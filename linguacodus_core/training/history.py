"""What a stage reported (events.jsonl) and the curve of its steps, for boards and reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core.errors import StoreError
from linguacodus_core.tables import table
from linguacodus_core.training.tables import TRAINING

EVENTS = "events.jsonl"


class Tail:
    """The events that a file gains from now on; a line that is not whole yet waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def new(self) -> Iterator[dict[str, Any]]:
        """The events whose lines were ended since the last call; what is no event is passed over."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._position)
                found = stream.read()
        except FileNotFoundError:
            return
        self._position += len(found)
        *lines, self._rest = (self._rest + found).split(b"\n")
        for line in lines:
            if (event := _parsed(line)) is not None:
                yield event


def events(stage: Path) -> list[dict[str, Any]]:
    """Everything that the stage in that folder reported, over all its runs, oldest first.

    Lines that a kill tore are left out. Raises StoreError when the file cannot be read.
    """
    path = stage / EVENTS
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}", "check the disk") from error
    return [event for line in content.split(b"\n") if (event := _parsed(line)) is not None]


def steps(stage: Path) -> pa.Table:
    """Table `steps` of the stage in that folder, by step. Of a step that was done twice, the last counts.

    A resumed run repeats the steps after its checkpoint; a column that it does not report is null.
    """
    names = TRAINING["steps"].names
    last: dict[int, dict[str, object]] = {}
    for event in events(stage):
        if event["event"] == "step" and isinstance(event.get("step"), int):
            last[event["step"]] = {name: event.get(name) for name in names}
    return table("steps", [last[step] for step in sorted(last)], TRAINING)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
