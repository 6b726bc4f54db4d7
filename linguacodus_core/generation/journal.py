"""What a generation has finished, one line each, so that a killed run goes on where it was."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from linguacodus_core.errors import StoreError
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.synthesis.candidate import Candidate


class Entry(BaseModel):
    """One finished thing: an instruction or candidate that was written, an evaluation, a failed step."""

    kind: Literal["instruction", "candidate", "evaluation", "failure", "submission", "finish"]
    elapsed: float
    step: str = ""
    instruction: Instruction | None = None
    candidate: Candidate | None = None
    evaluation: Evaluation | None = None
    calls: tuple[str, ...] = ()
    note: str = ""


class Journal:
    """An append-only file of entries (JSON lines); a torn last line counts as not written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = self._read()

    def _read(self) -> list[Entry]:
        if not self.path.exists():
            return []
        whole, _, torn = self.path.read_bytes().rpartition(b"\n")
        if torn:
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole) + 1 if whole else 0)
        return [Entry.model_validate_json(line) for line in whole.splitlines() if line]

    @property
    def elapsed(self) -> float:
        """Seconds of work that the entries stand for."""
        return self.entries[-1].elapsed if self.entries else 0.0

    def add(self, kind: str, elapsed: float, **content: Any) -> Entry:
        """Append one entry; on the disk before this returns. Raises StoreError on a full disk."""
        entry = Entry.model_validate({"kind": kind, "elapsed": elapsed, **content})
        line = entry.model_dump_json(exclude_defaults=True, exclude={"candidate": {"id"}})
        try:
            with self.path.open("ab") as stream:
                stream.write(line.encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}", "free some disk space") from error
        self.entries.append(entry)
        return entry
