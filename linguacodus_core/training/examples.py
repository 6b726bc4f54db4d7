"""From dataset versions to a job: the tables that training and measurement read, in a folder named by
content."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.adapters.registry import open_adapter
from linguacodus_core.dataset.version import Version
from linguacodus_core.errors import TrainingError
from linguacodus_core.progress import say
from linguacodus_core.tables import table
from linguacodus_core.training import base
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.control import shuffled
from linguacodus_core.training.heldout import prior, questions, references
from linguacodus_core.training.job import RECORD, Job, alone, folder_of, open_job
from linguacodus_core.training.material import Material, opened, read
from linguacodus_core.training.preferences import pairs
from linguacodus_core.training.request import PLACES, FinetuneRequest
from linguacodus_core.training.tables import TRAINING
from linguacodus_core.training.unranked import in_turn

TABLES = ("train", "heldout", "asked", "references", "prior", "pairs")
STACK = ("torch", "transformers", "trl", "peft", "bitsandbytes")
"""What a tuned model depends on beside our own code."""
AFTERWARDS = ("heldout", "measure", "merge", "sampling", "subjects")
"""Modules of the trainer that change no weights: a change of them makes no other job."""


def prepare(request: FinetuneRequest, config: FinetuneConfig) -> Job:
    """The job that the request asks for: found, when one with just this content is there, else written.

    Raises TrainingError for examples, a base or an adapter that do not do (see `material.read`), DatasetError
    for a version that is unknown, AdapterError for such an adapter, StoreError on a full disk.
    """
    config = config.changed(max_steps=request.max_steps, seed=request.seed)
    if request.preferences and config.hardware.processes > 1 and config.hardware.strategy == "fsdp":
        raise TrainingError(
            "preferences are trained by one process or by ddp, and hardware.strategy is fsdp",
            'set hardware.strategy = "ddp", or tune without --preferences',
        )
    identity = base.identity(config.base)
    parent = _parent(request.from_adapter, identity)
    versions = opened(request.datasets)
    found = read(versions, config.prompt_set)
    tables = _tables(request, config, versions, found)
    key = _key(config, found, request, parent, identity, tables)
    job = Job(
        folder=folder_of(key),
        key=key,
        name=f"{config.name}-{key[:8]}",
        config=config,
        datasets=found.versions,
        base=base.absolute(config.base),
        base_identity=identity,
        shuffled=request.shuffle_completions,
        preferences=tuple(
            source if source == PLACES else str(Path(source).expanduser().resolve())
            for source in request.preferences
        ),
        from_adapter=parent,
        code_version=linguacodus_core.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if _whole(job.folder):
        return open_job(job.folder)
    with alone(job.folder):
        for name, content in tables.items():
            store.write_table(job.folder / f"{name}.parquet", content)
        job.write()
    return job


def _whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (RECORD, *(f"{name}.parquet" for name in TABLES)))


def _parent(name: str | None, identity: str) -> str | None:
    """The full name of the adapter to go on from."""
    if name is None:
        return None
    adapter = open_adapter(name)
    if adapter.manifest.base_identity != identity:
        raise TrainingError(
            f"the adapter {adapter.name} was made for {adapter.manifest.base_identity}; this configuration "
            f"tunes {identity}",
            "name an adapter of that base (linguacodus adapters list), or the configuration that made it",
        )
    return adapter.name


def _tables(
    request: FinetuneRequest, config: FinetuneConfig, versions: Sequence[Version], found: Material
) -> dict[str, pa.Table]:
    train, heldout = found.about(found.train), found.about(found.heldout)
    learnt = {row["instruction"] for row in found.train}
    done = [row for row in found.instructions if row["instruction"] in learnt]
    unseen = [row for row in found.instructions if row["competition"] in heldout]
    examples: Sequence[Mapping[str, Any]] = list(
        in_turn(found.train, found.competitions, found.contexts, config.prompt_set)
    )
    if request.shuffle_completions:
        examples = shuffled(examples, config.training.seed)
        say("the control: every completion is one of another competition")
    rows: dict[str, Iterable[Mapping[str, Any]]] = {
        "train": _columns(examples),
        "heldout": _columns(found.heldout),
        "asked": questions(heldout, found.contexts, config.prompt_set),
        "references": references(unseen, found.places),
        "prior": prior(heldout, train, done),
    }
    made = {name: table(name, [dict(row) for row in part], TRAINING) for name, part in rows.items()}
    return made | {"pairs": pairs(versions, request.preferences, config.prompt_set)}


def _columns(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for row in rows:
        yield {name: row[name] for name in TRAINING["train"].names}


def _key(
    config: FinetuneConfig,
    found: Material,
    request: FinetuneRequest,
    parent: str | None,
    identity: str,
    tables: Mapping[str, pa.Table],
) -> str:
    """What makes two fine-tunes the same: settings, examples, base, code."""
    parts = [
        config.model_dump_json(exclude={"name", "description"}),
        *found.versions,
        request.shuffle_completions,
        parent,
        identity,
        *(store.content_sha256(tables[name]) for name in TABLES),
        *_code(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _code() -> tuple[str, ...]:
    """Versions of the libraries that train, and a hash of our own code that does."""
    versions = []
    for name in STACK:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    digest = hashlib.sha256(linguacodus_core.__version__.encode())
    for path in sorted((Path(linguacodus_core.__file__).parent / "trainer").glob("*.py")):
        if path.stem not in AFTERWARDS:
            digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return (*versions, digest.hexdigest())
