"""Where a rebuild keeps what it has done, so that a killed one goes on and an unchanged one does nothing.

Everything is named by the content that it was made from; nothing here is needed once a version is published.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.llm.prompts import load
from linguacodus_core.settings import home, local_home

UNCHANGING = {"path", "competitions_file", "budget_usd", "batch", "dry_run", "kernels_per_competition"}
"""Fields of the request that say where and how, not what."""

KEPT_DAYS = 14.0
PROMPTS = (
    ("default", "task"),
    ("default", "instruction"),
    ("paper", "pair"),
    ("default", "extraction"),
    ("default", "extraction_again"),
    ("paper", "extraction"),
)


def digest(*parts: object) -> str:
    """A short name (16 hex digits) for what was made from these parts by this version of the code."""
    text = json.dumps([linguacodus_core.__version__, *map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place(kind: str, *parts: object) -> Path:
    """The folder of one piece of work: corpus, curated, studied or instructed."""
    return root() / kind / digest(*parts)


def root() -> Path:
    """Where all pieces of work lie."""
    return local_home() / "rebuild"


def whole_key(request: RebuildRequest, fingerprint: str, profile_sha256: str) -> str:
    """What makes two rebuilds the same: the source's content, the options, the prompts, the profile."""
    return digest(fingerprint, request.model_dump_json(exclude=UNCHANGING), profile_sha256, *prompt_hashes())


def prompt_hashes() -> list[str]:
    """The SHA-256 of the prompts that a version is built with."""
    return [load(set_, name).sha256 for set_, name in PROMPTS]


def prompt_labels() -> list[str]:
    """The prompts that a version is built with, as set/name@version."""
    return [load(set_, name).label for set_, name in PROMPTS]


def finished(key: str) -> str | None:
    """The version that a rebuild of that key ended with, None when there was none or it is gone."""
    found = store.read_json(_note(key))
    version = found["version"] if found else None
    if version and store.read_bytes(f"{home()}/datasets/{version}/manifest.json") is None:
        return None
    return version


def finish(key: str, version: str) -> None:
    """Remember the version that a rebuild of that key ended with."""
    store.write_json(_note(key), {"version": version})


def _note(key: str) -> str:
    return f"{home()}/datasets/.finished/{key}.json"


def tidy(days: float = KEPT_DAYS) -> int:
    """Remove pieces of work that no rebuild has touched for so many days; returns how many."""
    old = [folder for folder in _pieces() if time.time() - folder.stat().st_mtime > days * 86400]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _pieces() -> Iterator[Path]:
    for kind in ("corpus", "curated", "studied", "instructed"):
        folder = root() / kind
        if folder.is_dir():
            yield from (piece for piece in folder.iterdir() if piece.is_dir())
