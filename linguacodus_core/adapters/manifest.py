"""What an adapter says of itself; it stands in its folder as manifest.json, written last."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from linguacodus_core.settings import local_home

MANIFEST = "manifest.json"
WEIGHTS, LORA_CONFIG = "adapter_model.safetensors", "adapter_config.json"
GGUF = "adapter.gguf"
"""The same weights as llama.cpp reads them; not every architecture has it."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
WORDS = ("latest", "promoted")
"""Names that stand for an adapter, and so are none's own."""

EMBEDDED = "embedded:"


class Manifest(BaseModel):
    """What was trained, on what, and how it was judged.

    base: as the configuration names it (embedded:NAME, a folder, a hub id); base_identity: the same weights,
    the same words (training.base); base_folder: where they lay as safetensors. datasets: version names.
    config: the configuration's name. parent: the adapter that training went on from. passed: the gate's
    verdict. summary: one line about it. files: SHA-256 of each file but this one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["sft", "dpo"]
    created: str
    code_version: str
    base: str = Field(min_length=1)
    base_identity: str = Field(min_length=1)
    architecture: str
    base_folder: str | None = None
    datasets: tuple[str, ...]
    config: str
    prompt_set: str
    parent: str | None = None
    passed: bool
    summary: str = ""
    files: dict[str, str]

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not NAME.fullmatch(value) or value in WORDS:
            raise ValueError("a name has letters, digits, '.', '_' and '-', and is not latest or promoted")
        return value

    @property
    def embedded_base(self) -> str | None:
        """The name or path of the base as a GGUF file; None for a base of safetensors."""
        if self.base.startswith(EMBEDDED):
            return self.base.removeprefix(EMBEDDED)
        return self.base if self.base.endswith(".gguf") else None


class Adapter:
    """One adapter of the registry."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self.folder = root() / manifest.name

    def __repr__(self) -> str:
        return f"Adapter({self.name!r})"

    @property
    def gguf(self) -> Path | None:
        """The adapter as llama.cpp reads it; None where it was not converted."""
        return self.folder / GGUF if GGUF in self.manifest.files else None


def root() -> Path:
    """The folder of all adapters."""
    return local_home() / "adapters"
