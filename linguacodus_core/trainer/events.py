"""What a stage reports while it runs: events.jsonl in the stage's folder, one JSON object a line."""

import json
import math
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.store import described
from linguacodus_core.training.history import EVENTS


class Events:
    """Appends to a stage's events.jsonl; every line is in the file when a method returns.

    silent: write nothing but an error (the other processes of a training by several).
    """

    def __init__(self, folder: Path, *, silent: bool = False) -> None:
        self.file = folder / EVENTS
        self._silent = silent
        with described(self.file):
            folder.mkdir(parents=True, exist_ok=True)
            if not silent and _torn(self.file):
                self._append(b"\n")

    def note(self, text: str) -> None:
        """A line for the user: what was found, replaced, left out."""
        self._emit("note", text=text)

    def begin(self, *, steps: int, examples: int, rows: int, tokens: int, resumed_from: int | None) -> None:
        """Training begins. rows: sequences (packs) of an epoch; tokens: of all rows; resumed_from: a step."""
        self._emit(
            "begin", steps=steps, examples=examples, rows=rows, tokens=tokens, resumed_from=resumed_from
        )

    def step(self, step: int, values: Mapping[str, float | int | None]) -> None:
        """loss, lr, grad_norm, epoch, tokens, seconds and memory (bytes) as they are after a step."""
        self._emit("step", step=step, **values)

    def checkpoint(self, step: int) -> None:
        """A checkpoint is whole on the disk."""
        self._emit("checkpoint", step=step)

    def progress(self, what: str, done: int, of: int) -> None:
        """How far something else than training is."""
        self._emit("progress", what=what, done=done, of=of)

    def error(self, error: LinguacodusError) -> None:
        """The stage ends here; why, and what to do."""
        self._write("error", problem=error.problem, remedy=error.remedy)

    def end(self, summary: Mapping[str, Any]) -> None:
        """The stage is finished; the summary is that of finished.json."""
        self._emit("end", **summary)

    def _emit(self, event: str, **values: Any) -> None:
        if not self._silent:
            self._write(event, **values)

    def _write(self, event: str, **values: Any) -> None:
        finite = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in values.items()
        }
        self._append(json.dumps({"event": event, **finite}, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        """One write at the end of the file, so that a kill tears no line."""
        with described(self.file):
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)


def peak_memory() -> int:
    """The most bytes this process held so far: of the device where one is used, else of main memory."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _torn(file: Path) -> bool:
    if not file.exists() or not file.stat().st_size:
        return False
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"
