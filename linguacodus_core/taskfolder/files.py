"""The files of a task's data/ folder, and the hash that stands for all a task consists of."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.frames import readable

_CHUNK = 1 << 20


def data_files(folder: Path) -> tuple[str, ...]:
    """Every file under `folder`/data as a sorted path relative to data/ (hidden files left out).

    Links are followed, except into the private/ folder beside data/: that is a TaskError, as is a
    data/ that is missing, empty or no folder.
    """
    data = folder / "data"
    if not data.exists():
        raise TaskError(
            f"{folder} has no folder data/", "put train.csv, test.csv and sample_submission.csv into data/"
        )
    if not data.is_dir():
        raise TaskError(f"{data} is a file, a folder was expected", "make it a folder with the task's tables")
    private = Path(os.path.realpath(folder)) / "private"
    if Path(os.path.realpath(data)).is_relative_to(private):
        raise TaskError(f"{data} is a link into private/", "make it a folder of its own, without the answers")
    files = sorted(_walk(data, "", private, frozenset()))
    if not files:
        raise TaskError(f"{data} is empty", "put train.csv, test.csv and sample_submission.csv into it")
    return tuple(files)


def _walk(folder: Path, prefix: str, private: Path, above: frozenset[str]) -> Iterator[str]:
    here = os.path.realpath(folder)
    if here in above:
        return
    with readable(folder), os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and Path(os.path.realpath(entry.path)).is_relative_to(private):
            raise TaskError(
                f"data/{prefix}{entry.name} is a link into private/", "remove it: it would show the answers"
            )
        if entry.is_dir():
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", private, above | {here})
        elif entry.is_file():
            yield prefix + entry.name


def data_sha256(folder: Path, files: Sequence[str]) -> str:
    """SHA-256 over names and contents of description.md, task.toml and the given files of data/."""
    digest = hashlib.sha256()
    named = [("description.md", folder / "description.md"), ("task.toml", folder / "task.toml")]
    named += [(f"data/{name}", folder / "data" / name) for name in files]
    for name, path in named:
        if not path.exists():
            continue
        with readable(path), path.open("rb") as stream:
            content = hashlib.sha256()
            while chunk := stream.read(_CHUNK):
                content.update(chunk)
        digest.update(f"{name}\0{content.hexdigest()}\n".encode())
    return digest.hexdigest()
