"""What was measured, a line each, so that a run that was cut off goes on where it was."""

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Results:
    """The records of one setup in a file of lines; those of other setups stay in it and are not read."""

    def __init__(self, file: Path, fingerprint: str) -> None:
        self._file = file
        self._fingerprint = fingerprint
        file.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text("utf-8") if file.exists() else ""
        if text and not text.endswith("\n"):  # a kill in the middle of a line
            file.write_text(text + "\n")
        lines = text.splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        self.records: list[Record] = [record for record in found if record["setup"] == fingerprint]

    def of(self, part: str, **fields: Any) -> list[Record]:
        """The records of a part that have these values."""
        wanted = {"part": part, **fields}
        return [record for record in self.records if wanted.items() <= record.items()]

    def add(self, part: str, **fields: Any) -> Record:
        """Keep a record, and say it."""
        record = {"part": part, "setup": self._fingerprint, **fields}
        self.records.append(record)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        told = {name: _short(value) for name, value in fields.items() if not isinstance(value, list | dict)}
        print(f"{part}: " + ", ".join(f"{name} {value}" for name, value in told.items()), flush=True)
        return record


def _short(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value
