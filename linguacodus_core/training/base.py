"""Which model a fine-tune starts from: `embedded:NAME`, a local folder of safetensors, or a hub id."""

import hashlib
import os
import re
from pathlib import Path
from typing import Literal

from linguacodus_core.errors import TrainingError
from linguacodus_core.llm import models

EMBEDDED = "embedded:"
BLOCK = 1 << 16
BLOCKS = 16
"""How much of each weights file its fingerprint covers: so many blocks, spread over it."""

Kind = Literal["embedded", "folder", "hub"]


def kind_of(spec: str) -> Kind:
    """What a spec names. Raises TrainingError when it is none of the three, or the folder is not there."""
    if spec.startswith(EMBEDDED):
        return "embedded"
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return "folder"
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", spec):
        return "hub"
    if os.sep in spec or spec.startswith((".", "~")):
        raise TrainingError(f"there is no folder {folder} with a base model", "check the path")
    known = {name for model in models.list_models() for name in (model.name, *model.aliases)}
    hint = f"write {EMBEDDED}{spec}" if spec in known else "write embedded:NAME, a folder, or owner/name"
    raise TrainingError(f"{spec!r} names no base model", hint)


def absolute(spec: str) -> str:
    """The same base with its path, if it has one, made absolute. Raises TrainingError as kind_of does."""
    if kind_of(spec) == "folder":
        return str(Path(spec).expanduser().resolve())
    name = spec.removeprefix(EMBEDDED)
    if spec.startswith(EMBEDDED) and (name.endswith(".gguf") or os.sep in name):
        return EMBEDDED + str(Path(name).expanduser().resolve())
    return spec


def identity(spec: str) -> str:
    """The base's name in records: the same weights, the same name, wherever they lie; a hub id as it is.

    A folder's is its name @ a fingerprint of config.json and of the weights (size, and blocks spread over
    each file). Raises TrainingError as kind_of does, and for a folder without config.json or weights;
    ModelUnavailable for an embedded model that is not known or, given by path, not there.
    """
    kind = kind_of(spec)
    if kind == "hub":
        return spec
    if kind == "embedded":
        return models.identity(spec.removeprefix(EMBEDDED))
    folder = Path(spec).expanduser().resolve()
    config, weights = folder / "config.json", sorted(folder.glob("*.safetensors"))
    if not config.is_file() or not weights:
        missing = "*.safetensors" if config.is_file() else "config.json"
        raise TrainingError(
            f"{folder} holds no base model: it has no {missing}",
            "give the folder that save_pretrained wrote, with safetensors",
        )
    try:
        digest = hashlib.sha256(config.read_bytes())
        for file in weights:
            _feed(digest, file)
    except OSError as error:
        raise TrainingError(
            f"{folder} cannot be read: {error.strerror or error}", "check the disk"
        ) from error
    return f"{folder.name}@{digest.hexdigest()[:12]}"


def _feed(digest: "hashlib._Hash", file: Path) -> None:
    size = file.stat().st_size
    digest.update(f"{file.name}\0{size}\0".encode())
    with file.open("rb") as stream:
        for step in range(BLOCKS):
            stream.seek(max(0, size - BLOCK) * step // (BLOCKS - 1))
            digest.update(stream.read(BLOCK))
