"""What a generation has finished, one line each, so that a killed run goes on where it was."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import StoreError
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.scoring.evaluation import Evaluation


class Entry(BaseModel):
    """One finished thing: an instruction or candidate that was written, an evaluation, a failed step.

    limit: the run's time limit when the entry was made. enforced: what the sandbox enforced.
    A "start" says in `note` when (UTC, ISO 8601); a "finish" names the winner as candidate and evaluation,
    in `note` why the model was out of reach, in `notes` what the user was told.
    """

    kind: Literal["start", "instruction", "candidate", "evaluation", "failure", "submission", "finish"]
    elapsed: float
    step: str = ""
    instruction: Instruction | None = None
    candidate: Candidate | None = None
    evaluation: Evaluation | None = None
    calls: tuple[str, ...] = ()
    enforced: tuple[str, ...] = ()
    limit: float = 0.0
    note: str = ""
    notes: tuple[str, ...] = ()


class Journal:
    """An append-only file of entries (JSON lines); from the first torn line on it counts as not written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = self._read()
        if not self.entries:
            self.add("start", 0.0, note=datetime.now(UTC).isoformat(timespec="milliseconds"))

    def _read(self) -> list[Entry]:
        if not self.path.exists():
            return []
        entries: list[Entry] = []
        kept = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            try:
                if not line.endswith(b"\n"):
                    break
                entries.append(Entry.model_validate_json(line))
            except ValidationError:
                break
            kept += len(line)
        os.truncate(self.path, kept)
        return entries

    @property
    def began(self) -> str:
        """When the work was begun for the first time: UTC, ISO 8601, as the ledger writes it."""
        return self.entries[0].note

    @property
    def elapsed(self) -> float:
        """Seconds of work that the entries stand for."""
        return self.entries[-1].elapsed

    def add(self, kind: str, elapsed: float, **content: Any) -> Entry:
        """Append one entry; on the disk before this returns. Raises StoreError on a full disk."""
        entry = Entry.model_validate({"kind": kind, "elapsed": elapsed, **content})
        line = entry.model_dump_json(exclude_defaults=True, exclude={"candidate": {"id"}}).encode() + b"\n"
        try:
            with self.path.open("ab") as stream:
                before = stream.tell()
                try:
                    stream.write(line)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    with suppress(OSError):
                        stream.truncate(before)
                    raise
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}", "free some disk space") from error
        self.entries.append(entry)
        return entry
