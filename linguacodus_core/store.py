"""Reading and writing under LINGUACODUS_HOME: whole files or none, on any fsspec file system."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from linguacodus_core.errors import StoreError

THREADS = False
"""Arrow's threads still at work when a short command ends make the process abort (exit status 134)."""


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
    return None if content is None else pq.read_table(pa.BufferReader(content), use_threads=THREADS)


def content_sha256(table: pa.Table) -> str:
    """The SHA-256 (hex) of a table's schema and rows, in this order, however they lie in memory or on disk.

    Chunks, offsets, dictionaries and what stands under nulls do not count: of each column its validity, the
    lengths of its values and the values themselves are taken, nested ones in the same way.
    """
    schema = table.schema.remove_metadata()
    digest = hashlib.sha256(schema.to_string().encode())
    for name in schema.names:
        column = table[name].combine_chunks()
        _feed(digest, column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    return digest.hexdigest()


def _feed(digest: "hashlib._Hash", values: pa.Array) -> None:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    digest.update(np.packbits(pc.is_valid(values).to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_struct(values.type):
        for number in range(values.type.num_fields):
            _feed(digest, pc.struct_field(values, number))
    elif pa.types.is_list(values.type):
        digest.update(pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False).tobytes())
        _feed(digest, values.flatten())
    elif pa.types.is_string(values.type) or pa.types.is_binary(values.type):
        filled = pa.concat_arrays([values.fill_null("" if pa.types.is_string(values.type) else b"")])
        digest.update(pc.binary_length(filled).to_numpy(zero_copy_only=False).tobytes())
        _, ends, text = filled.buffers()
        offsets = (
            np.frombuffer(ends, np.int32)[filled.offset : filled.offset + len(filled) + 1] if ends else [0]
        )
        digest.update(memoryview(text)[offsets[0] : offsets[-1]] if text else b"")
    else:
        zero = pa.scalar(0, pa.int8()).cast(values.type)
        digest.update(values.fill_null(zero).to_numpy(zero_copy_only=False).tobytes())
