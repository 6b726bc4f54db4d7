"""The working directory of a run: prepared and cleared without following what hostile code left."""

import contextlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from linguacodus_core.errors import LinguacodusError

PROGRAM = "solution.py"
DATA = "data"

_NAME = re.compile(r"[^/\0]+")


def check_names(data: Mapping[str, Path], keep: Sequence[str]) -> dict[str, Path]:
    """The data entries with absolute host paths; LinguacodusError for a bad name or a missing source."""
    for name in keep:
        if not _NAME.fullmatch(name) or name in (".", "..", PROGRAM, DATA):
            raise LinguacodusError(f"a kept file must be a plain file name, not {name!r}")
    checked: dict[str, Path] = {}
    for name, source in data.items():
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\0" in name:
            raise LinguacodusError(f"a data entry must be a path below data/, not {name!r}")
        if not source.exists():
            raise LinguacodusError(f"data for a program is missing: {source}", "check the task's data folder")
        checked["/".join(parts)] = source.resolve()
    return checked


def remove(path: Path) -> None:
    """Delete a file, link or folder of any depth and permissions; a link's target is never touched."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        # Too deep for Python, or folders that their owner may not enter: chmod -R never follows links inside.
        for command in (["chmod", "-R", "u+rwx", "--"], ["rm", "-rf", "--"]):
            subprocess.run([*command, str(path)], check=False, capture_output=True, stdin=subprocess.DEVNULL)


def prepare(workdir: Path, program: str, keep: Sequence[str]) -> set[str]:
    """Make the folder, write the program into it; the names of other files that were there before.

    What an earlier run may have left under a name that matters now is removed first.
    """
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        for name in {PROGRAM, DATA, *keep}:
            remove(workdir / name)
        before = {path.name for path in workdir.iterdir()}
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        opened = os.open(workdir / PROGRAM, flags, 0o644)
        with os.fdopen(opened, "w", encoding="utf-8", errors="replace") as file:
            file.write(program)
        (workdir / DATA).mkdir()
    except OSError as error:
        raise LinguacodusError(
            f"the sandbox's working directory {workdir} cannot be written: {error.strerror or error}",
            "free some disk space or choose another folder with LINGUACODUS_HOME",
        ) from error
    return before


def collect(workdir: Path, keep: Sequence[str], before: set[str], file_mb: int) -> tuple[str, ...]:
    """Leave only the program, the kept files and what was there before; say which kept files were refused.

    A kept file is refused and removed unless it is a regular file with one name and at most `file_mb` MB.
    """
    refused: list[str] = []
    for name in dict.fromkeys(keep):
        path = workdir / name
        try:
            found = path.lstat()
        except OSError:
            continue
        problem = ""
        if not stat.S_ISREG(found.st_mode):
            problem = "it is not a regular file"
        elif found.st_nlink != 1:
            problem = "it is a second name of another file"
        elif found.st_size > file_mb << 20:
            problem = f"it is larger than {file_mb} MB"
        if problem:
            remove(path)
            refused.append(f"{name} was removed: {problem}")
        else:
            with contextlib.suppress(OSError):
                path.chmod(0o644)
    for path in list(workdir.iterdir()):
        if path.name not in {*before, PROGRAM, *keep}:
            with contextlib.suppress(OSError):
                remove(path)
    return tuple(refused)
