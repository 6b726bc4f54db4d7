"""Dataset versions in the store: found, opened, verified. What has no manifest does not exist."""

import difflib
import hashlib
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from linguacodus_core import store
from linguacodus_core.errors import DatasetError
from linguacodus_core.progress import warn
from linguacodus_core.settings import home
from linguacodus_core.tables import DATASET

DATASETS = "datasets"
MANIFEST = "manifest.json"
TABLES = tuple(DATASET)
CARD, FIGURE = "card.md", "figure.png"


class Manifest(BaseModel):
    """What a version says of itself.

    inputs: source, fingerprint, options, prompts, extractor. rows, content (SHA-256 of the rows), schemas: by
    table. files: SHA-256 of each file.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    created: str
    code_version: str
    inputs: dict[str, Any]
    rows: dict[str, int]
    content: dict[str, str]
    files: dict[str, str]
    schemas: dict[str, str]


class Version:
    """One dataset version; its tables are read when asked for."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.name = manifest.version
        self.folder = f"{home()}/{DATASETS}/{manifest.version}"

    def __repr__(self) -> str:
        return f"Version({self.name!r})"

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One of the tables (`tables.DATASET`). Raises DatasetError when its file is gone or damaged."""
        path = self.path(name)
        try:
            fs, inner = fsspec.url_to_fs(path)
            with fs.open(inner, "rb") as stream:
                return pq.read_table(stream, columns=columns, use_threads=store.THREADS)
        except (OSError, pa.ArrowInvalid) as error:
            raise DatasetError(
                f"cannot read {path}: {error}", f"linguacodus dataset verify {self.name}; then rebuild"
            ) from error

    def path(self, name: str) -> str:
        """Where the Parquet file of a table lies. Raises DatasetError for an unknown name."""
        if name not in TABLES:
            raise DatasetError(f"a version has no table {name!r}", f"its tables: {', '.join(TABLES)}")
        return f"{self.folder}/{name}.parquet"

    def text(self, name: str) -> str:
        """A text file beside the tables, such as the card. Raises DatasetError when it is gone."""
        content = store.read_bytes(f"{self.folder}/{name}")
        if content is None:
            raise DatasetError(f"{self.folder}/{name} is missing", f"linguacodus dataset verify {self.name}")
        return content.decode()


def list_versions() -> list[Manifest]:
    """The manifests of all versions, newest first; a damaged one is left out with a warning."""
    fs, inner = fsspec.url_to_fs(f"{home()}/{DATASETS}")
    if not fs.exists(inner):
        return []
    names = [entry.rstrip("/").rsplit("/", 1)[-1] for entry in fs.ls(inner, detail=False)]
    found = []
    for name in names:
        try:
            if manifest := _manifest(name):
                found.append(manifest)
        except DatasetError as error:
            warn(str(error))
    return sorted(found, key=lambda manifest: (manifest.created, manifest.version), reverse=True)


def open_version(name: str) -> Version:
    """The version of that name, of a name that begins so, or `latest`.

    Raises DatasetError: unknown (with those that are known), several that begin so, a damaged manifest.
    """
    if name != "latest" and (exact := _manifest(name)):
        return Version(exact)
    known = list_versions()
    if not known:
        raise DatasetError(
            "there is no dataset version yet", "build one: linguacodus dataset rebuild --source sample"
        )
    if name == "latest":
        return Version(known[0])
    begun = [manifest for manifest in known if name and manifest.version.startswith(name)]
    if len(begun) == 1:
        return Version(begun[0])
    if begun:
        raise DatasetError(
            f"{name!r} begins the names of {len(begun)} versions",
            f"say more of it: {', '.join(manifest.version for manifest in begun)}",
        )
    names = [manifest.version for manifest in known]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise DatasetError(
        f"there is no dataset version {name!r}",
        f"{hint}known: {', '.join(names[:5])} (linguacodus dataset list)",
    )


def whole(name: str) -> bool:
    """Whether the version of exactly that name is there with all its files; their content is for `verify`."""
    try:
        manifest = _manifest(name)
    except DatasetError:
        return False
    if manifest is None:
        return False
    fs, inner = fsspec.url_to_fs(f"{home()}/{DATASETS}/{name}")
    return all(fs.exists(f"{inner}/{file}") for file in manifest.files)


def verify(version: Version) -> list[str]:
    """What is wrong with a version's files: missing, changed, other rows or schema; empty: all is well."""
    problems = []
    for name, sha256 in version.manifest.files.items():
        content = store.read_bytes(f"{version.folder}/{name}")
        if content is None:
            problems.append(f"{name} is missing")
        elif hashlib.sha256(content).hexdigest() != sha256:
            problems.append(f"{name} has changed: its SHA-256 is not the manifest's")
        elif name.endswith(".parquet"):
            problems += _table_problems(version, name.removesuffix(".parquet"), content)
    return problems


def _table_problems(version: Version, name: str, content: bytes) -> list[str]:
    found = pq.ParquetFile(pa.BufferReader(content))
    problems = []
    if found.metadata.num_rows != version.manifest.rows[name]:
        problems.append(
            f"{name}: {found.metadata.num_rows} rows, the manifest says {version.manifest.rows[name]}"
        )
    if written_schema(pa.BufferReader(content)) != version.manifest.schemas[name]:
        problems.append(f"{name}: its schema is not the manifest's")
    return problems


def written_schema(file: Any) -> str:
    """The schema of a Parquet file (a path or a reader) in words, as manifests have it."""
    return str(pq.read_schema(file).remove_metadata())


def _manifest(name: str) -> Manifest | None:
    if not name or "/" in name or name in (".", ".."):
        return None
    path = f"{home()}/{DATASETS}/{name}/{MANIFEST}"
    content = store.read_bytes(path)
    if content is None:
        return None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
    else:
        if manifest.version == name:
            return manifest
        problem = f"it speaks of {manifest.version!r}"
    raise DatasetError(
        f"the manifest {path} is damaged: {problem}",
        "remove that folder and run the rebuild again: what is done is kept",
    )
