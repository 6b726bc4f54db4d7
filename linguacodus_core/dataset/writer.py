"""A dataset version being written: tables first, the manifest last, then one move makes it visible.

The version's name is the hash of its content, so that the same content is the same version, whenever and
wherever it was built. The account of calls (llm_calls) does not count: it says when and how fast, not what.
"""

import fcntl
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.dataset.version import (
    DATASETS,
    MANIFEST,
    TABLES,
    Manifest,
    Version,
    open_version,
    whole,
    written_schema,
)
from linguacodus_core.errors import DatasetError, StoreError
from linguacodus_core.settings import home, local_home
from linguacodus_core.tables import DATASET

UNCOUNTED = frozenset({"llm_calls"})


class VersionWriter:
    """Writes one version into a scratch folder; `publish` names it by its content and moves it in place."""

    def __init__(self) -> None:
        self.folder = local_home() / "scratch" / f"version-{uuid.uuid4().hex[:12]}"
        self._rows: dict[str, int] = {}
        self._content: dict[str, str] = {}
        with store.described(self.folder):
            self.folder.mkdir(parents=True)

    def __enter__(self) -> "VersionWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, name: str, parts: Iterable[pa.Table]) -> int:
        """Write one table, part by part (a row group each). Returns its rows.

        Raises DatasetError when a part has not the table's schema.
        """
        schema, digest, rows = DATASET[name], hashlib.sha256(), 0
        path = self.folder / f"{name}.parquet"
        with store.described(path), pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for part in parts:
                checked = _checked(name, part, schema)
                if checked.num_rows:
                    writer.write_table(checked)
                    digest.update(store.content_sha256(checked).encode())
                    rows += checked.num_rows
        self._rows[name], self._content[name] = rows, digest.hexdigest()
        return rows

    def add_file(self, name: str, content: bytes) -> None:
        """A file beside the tables (the card, the figure); it is no part of the content."""
        store.write_bytes(self.folder / name, content)

    @property
    def version(self) -> str:
        """The name that the tables so far give."""
        counted = {name: sha for name, sha in sorted(self._content.items()) if name not in UNCOUNTED}
        return hashlib.sha256(json.dumps(counted).encode()).hexdigest()[:16]

    def publish(self, inputs: dict[str, Any]) -> tuple[Version, bool]:
        """The version, and whether it is new; one that is there already is left as it is.

        inputs: what it was built from, for the manifest. Raises StoreError when it cannot be written.
        """
        missing = [name for name in TABLES if name not in self._rows]
        if missing:
            raise DatasetError(f"the version lacks the tables {', '.join(missing)}", "this is a bug")
        with _alone(self.version):
            if whole(self.version):
                return open_version(self.version), False
            return self._moved(inputs), True

    def _moved(self, inputs: dict[str, Any]) -> Version:
        manifest = Manifest(
            version=self.version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=linguacodus_core.__version__,
            inputs=inputs,
            rows=self._rows,
            content=self._content,
            files={path.name: _sha256(path) for path in sorted(self.folder.iterdir())},
            schemas={name: written_schema(self.folder / f"{name}.parquet") for name in TABLES},
        )
        target = f"{home()}/{DATASETS}/{self.version}"
        for path in sorted(self.folder.iterdir()):
            store.copy_in(path, f"{target}/{path.name}")
        store.write_text(f"{target}/{MANIFEST}", manifest.model_dump_json(indent=2) + "\n")
        return open_version(self.version)


@contextmanager
def _alone(version: str) -> Iterator[None]:
    """One process at a time publishes a version: another's files would not fit the manifest."""
    place = local_home() / "locks"
    with store.described(place):
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"version-{version}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _checked(name: str, part: pa.Table, schema: pa.Schema) -> pa.Table:
    if set(part.schema.names) != set(schema.names):
        raise DatasetError(
            f"the table {name} has the columns {', '.join(part.schema.names)}",
            f"its schema asks for {', '.join(schema.names)}",
        )
    try:
        return part.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise DatasetError(f"the table {name} does not fit its schema: {error}", "this is a bug") from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}", "check the disk") from error
