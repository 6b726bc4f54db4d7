"""Checkpoints that are known to be whole: the trainer writes them in place, a kill in the middle leaves
half of one.

After a checkpoint is written, its files' sizes and SHA-256 are put beside them as whole.json, last. What
has none, or other files than it says, is removed before training goes on.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linguacodus_core import store

SEAL = "whole.json"
PREFIX = "checkpoint-"
KEPT = 2


def seal(folder: Path, **state: Any) -> None:
    """Say that a checkpoint is whole; state: what else belongs to it (tokens and seconds so far)."""
    files = {
        str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != SEAL
    }
    store.write_json(folder / SEAL, {"step": step_of(folder), "files": files, **state})


def newest_whole(folder: Path, note: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint in a folder, None when there is none.

    Those that are not whole are removed, each with a note.
    """
    whole = None
    for checkpoint in sorted(folder.glob(f"{PREFIX}*"), key=step_of, reverse=True):
        wrong = _wrong(checkpoint)
        if wrong is None:
            whole = whole or checkpoint
            continue
        note(f"{checkpoint.name} is damaged ({wrong}): removed, the one before it is used")
        with store.described(checkpoint):
            shutil.rmtree(checkpoint)
    return whole


def newest_sealed(folder: Path) -> Path | None:
    """The newest checkpoint that says it is whole; what newest_whole() left, for the other processes."""
    sealed = [found for found in folder.glob(f"{PREFIX}*") if (found / SEAL).is_file()]
    return max(sealed, key=step_of, default=None)


def state_of(checkpoint: Path) -> dict[str, Any]:
    """What was given to seal() with the checkpoint."""
    return dict(json.loads((checkpoint / SEAL).read_text("utf-8")))


def step_of(checkpoint: Path) -> int:
    """The step after which it was written; -1 for a name that says none."""
    number = checkpoint.name.removeprefix(PREFIX)
    return int(number) if number.isdecimal() else -1


def _wrong(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint, None when it is whole."""
    try:
        files = json.loads((checkpoint / SEAL).read_text("utf-8"))["files"]
    except FileNotFoundError:
        return "it was not finished"
    except (OSError, ValueError, KeyError, TypeError):
        return f"its {SEAL} cannot be read"
    for name, known in files.items():
        file = checkpoint / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != known["bytes"]:
            return f"{name} has another size"
        if _sha256(file) != known["sha256"]:
            return f"{name} has another content"
    return None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
