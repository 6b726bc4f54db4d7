"""Reading and writing under LINGUACODUS_HOME: whole files or none, on any fsspec file system."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from linguacodus_core.errors import StoreError


@contextmanager
def described(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever the file system refuses in this block, as StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {os.fspath(path)}: {error.strerror or error}",
            "free some disk space, or point LINGUACODUS_HOME (or --out) at a folder you can write to",
        ) from error


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never half of it.

    Raises StoreError on a full disk or a folder that cannot be written.
    """
    path = os.fspath(path)
    with described(path):
        fs, inner = fsspec.url_to_fs(path)
        fs.makedirs(fs._parent(inner), exist_ok=True)
        part = f"{inner}.{uuid.uuid4().hex[:8]}.part"
        try:
            with fs.open(part, "wb") as stream:
                stream.write(content)
            fs.mv(part, inner)
        finally:
            if fs.exists(part):
                fs.rm(part)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """write_bytes for text (UTF-8)."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """write_bytes for a JSON value."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n")


def write_table(path: str | os.PathLike[str], table: pa.Table) -> None:
    """write_bytes for an Arrow table, as Parquet with zstd."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def copy_in(source: os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Bring a local file into the store, whole or not at all, without holding it in memory."""
    path = os.fspath(path)
    with described(path):
        fs, inner = fsspec.url_to_fs(path)
        fs.makedirs(fs._parent(inner), exist_ok=True)
        part = f"{inner}.{uuid.uuid4().hex[:8]}.part"
        try:
            fs.put_file(os.fspath(source), part)
            fs.mv(part, inner)
        finally:
            if fs.exists(part):
                fs.rm(part)


def read_bytes(path: str | os.PathLike[str]) -> bytes | None:
    """The file's content, None where there is no such file."""
    fs, inner = fsspec.url_to_fs(os.fspath(path))
    if not fs.exists(inner):
        return None
    return bytes(fs.cat_file(inner))


def read_json(path: str | os.PathLike[str]) -> Any:
    """The file's JSON value, None where there is no such file."""
    content = read_bytes(path)
    return None if content is None else json.loads(content)


def read_table(path: str | os.PathLike[str]) -> pa.Table | None:
    """The Parquet file as an Arrow table, None where there is no such file."""
    content = read_bytes(path)
    return None if content is None else pq.read_table(pa.BufferReader(content))


def content_sha256(table: pa.Table) -> str:
    """The SHA-256 (hex) of a table's schema and rows, whatever file they stand in and however it is chunked.

    It is taken over the Arrow IPC form of one batch, so that another Parquet writer changes nothing.
    """
    digest = hashlib.sha256(table.schema.remove_metadata().to_string().encode())
    for batch in table.combine_chunks().to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()
