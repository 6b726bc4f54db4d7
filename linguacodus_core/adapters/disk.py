"""How the registry writes: a folder beside the others, brought to the disk, then one rename."""

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linguacodus_core import store
from linguacodus_core.settings import local_home

STAGING = ".staging-"
BLOCK = 1 << 20


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time changes the registry."""
    place = local_home() / "locks"
    with store.described(place):
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / "adapters").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def staged(root: Path, name: str) -> Iterator[Path]:
    """A new folder in root; what is left of it at the end, and of killed ones, is removed.

    To be used by one process at a time. Raises StoreError for what the file system refuses in the block.
    """
    with store.described(root):
        root.mkdir(parents=True, exist_ok=True)
        _clear(root)
        stage = root / f"{STAGING}{name}-{uuid.uuid4().hex[:8]}"
        stage.mkdir()
        try:
            yield stage
        finally:
            _clear(root)


def _clear(root: Path) -> None:
    for left in root.glob(f"{STAGING}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def write(content: Path | bytes, target: Path) -> str:
    """Write content, or copy a file, so that it is on the disk; its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as stream:
        for block in _blocks(content):
            digest.update(block)
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def replace(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one. Raises StoreError."""
    beside = path.with_name(f"{STAGING}{uuid.uuid4().hex[:8]}")
    with store.described(path):
        write(content, beside)
        beside.replace(path)
        to_disk(path.parent)


def to_disk(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _blocks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as source:
        while block := source.read(BLOCK):
            yield block
