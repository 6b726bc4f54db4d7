"""Where a rebuild keeps what it has done, so that a killed one goes on and an unchanged one does nothing.

Everything is named by the content that it was made from; nothing here is needed once a version is published.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.version import DATASETS, whole
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.prompts import Prompt, load
from linguacodus_core.settings import home, local_home

UNCHANGING = {"path", "competitions_file", "budget_usd", "batch", "dry_run", "kernels_per_competition"}
"""Fields of the request that say where and how, not what."""

KEPT_DAYS = 14.0
CODE = ("curation", "dataset", "extraction", "instructions", "llm", "metrics", "sources", "tables.py")
"""What the pieces of work depend on beside their inputs: these rooms' files."""

WRITTEN_WITH = (("default", "task"), ("default", "instruction"), ("paper", "pair"))
"""The prompts that examples are made of."""

ASKED_WITH = ("extraction", "extraction_again")
"""The prompts that a model is asked with, in the profile's set."""


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """The SHA-256 of the code that makes the pieces, so that none outlives a change of it."""
    whole_code = hashlib.sha256(linguacodus_core.__version__.encode())
    top = Path(linguacodus_core.__file__).parent
    for name in CODE:
        for path in sorted([top / name] if name.endswith(".py") else (top / name).rglob("*")):
            if path.suffix in (".py", ".toml", ".csv") and "sample_corpus" not in path.parts:
                whole_code.update(f"{path.relative_to(top)}\0".encode() + path.read_bytes())
    return whole_code.hexdigest()


def digest(*parts: object) -> str:
    """A short name (16 hex digits) for what was made from these parts by this code."""
    text = json.dumps([code_sha256(), *map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place(kind: str, *parts: object) -> Path:
    """The folder of one piece of work: corpus, curated, studied, instructed; marked as in use."""
    folder = root() / kind / digest(*parts)
    with suppress(FileNotFoundError):
        os.utime(folder)
    return folder


def root() -> Path:
    """Where all pieces of work lie."""
    return local_home() / "rebuild"


def prompts(profile: Profile | None) -> list[Prompt]:
    """The prompts that a version is built with."""
    asked = [load(profile.prompt_set, name) for name in ASKED_WITH] if profile else []
    return [*(load(set_, name) for set_, name in WRITTEN_WITH), *asked]


def whole_key(request: RebuildRequest, fingerprint: str, profile: Profile | None) -> str:
    """What makes two rebuilds the same: source, options, prompts, profile, code."""
    hashes = [prompt.sha256 for prompt in prompts(profile)]
    said = profile.model_dump_json() if profile else ""
    return digest(fingerprint, request.model_dump_json(exclude=UNCHANGING), said, *hashes)


def finished(key: str) -> str | None:
    """The version that a rebuild of that key ended with; None when there was none, or it is not whole."""
    found = store.read_json(_note(key))
    return found["version"] if found and whole(found["version"]) else None


def finish(key: str, version: str) -> None:
    """Remember the version that a rebuild of that key ended with."""
    store.write_json(_note(key), {"version": version})


def announced(version: str) -> bool:
    """Whether the version's event was sent."""
    return store.read_json(_note(f"announced-{version}")) is not None


def announce(version: str) -> None:
    """Remember that the version's event was sent."""
    store.write_json(_note(f"announced-{version}"), {"version": version})


def _note(key: str) -> str:
    return f"{home()}/{DATASETS}/.finished/{key}.json"


def tidy(days: float = KEPT_DAYS) -> int:
    """Remove pieces of work that no rebuild has used for so many days; returns how many."""
    old = [folder for folder in _pieces() if time.time() - folder.stat().st_mtime > days * 86400]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _pieces() -> Iterator[Path]:
    kinds = [root() / kind for kind in ("corpus", "curated", "studied", "instructed")]
    for folder in [*kinds, local_home() / "scratch"]:
        if folder.is_dir():
            yield from (piece for piece in folder.iterdir() if piece.is_dir())
