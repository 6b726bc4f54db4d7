"""What a fine-tune is done with: base, quantization, LoRA, optimizer, evaluation; a TOML file each.

A configuration is one of those that ship, LINGUACODUS_HOME/configs/NAME.toml, or the path of a .toml
file. What a file does not say has the default that stands here.
"""

import difflib
import json
import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from linguacodus_core.errors import TrainingError
from linguacodus_core.settings import local_home

PromptSet = Literal["default", "paper"]
Schedule = Literal["constant", "cosine", "linear"]
Optimizer = Literal["paged_adamw_32bit", "paged_adamw_8bit", "adamw_torch", "adamw_torch_fused", "adamw_8bit"]
ALL_LINEAR: Literal["all-linear"] = "all-linear"
REAL_MAX = 1e6


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class QuantizationConfig(_Section):
    """How the base's weights lie in memory. bits: 4 or 0 (none); double: the scales quantized, too."""

    bits: Literal[0, 4] = 4
    type: Literal["nf4", "fp4"] = "nf4"
    double: bool = False


class LoraSettings(_Section):
    """The adapter. targets: the projections that get one, by name, or "all-linear"."""

    r: int = Field(default=16, ge=1, le=1024)
    alpha: int = Field(default=32, ge=1, le=4096)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | tuple[str, ...] = ALL_LINEAR

    @field_validator("targets", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str) and value != ALL_LINEAR:
            raise ValueError(f'write "{ALL_LINEAR}" or a list of names, such as ["q_proj", "v_proj"]')
        if isinstance(value, list | tuple):
            if not value or not all(isinstance(name, str) and name for name in value):
                raise ValueError('write the names of projections, such as ["q_proj", "v_proj"]')
            return tuple(value)
        return value


class TrainingSettings(_Section):
    """Supervised fine-tuning.

    max_steps: 0 for as many as the epochs take. batch: rows (packs with shared_prefix) a device and step;
    accumulation: steps of those before the weights change. warmup: share of the steps. max_length: tokens of
    prompt and completion; a longer example is left out and said, never cut. pack_length: tokens of one pack;
    an example that is longer is a pack of its own. precision: what is computed in; auto takes bfloat16 where
    the card has it, float32 on a CPU.
    """

    epochs: float = Field(default=1.0, gt=0, le=1000)
    max_steps: int = Field(default=0, ge=0)
    batch: int = Field(default=4, ge=1, le=4096)
    accumulation: int = Field(default=1, ge=1, le=4096)
    learning_rate: float = Field(default=2e-4, gt=0, le=1)
    schedule: Schedule = "constant"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.001, ge=0, le=1)
    max_grad_norm: float = Field(default=0.3, gt=0, le=REAL_MAX)
    optimizer: Optimizer = "paged_adamw_32bit"
    gradient_checkpointing: bool = True
    max_length: int = Field(default=2048, ge=64, le=1_000_000)
    batching: Literal["plain", "by_length", "shared_prefix"] = "by_length"
    pack_length: int = Field(default=2048, ge=64, le=1_000_000)
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    save_steps: int = Field(default=500, ge=1)
    log_steps: int = Field(default=25, ge=1)
    seed: int = Field(default=17, ge=0, lt=2**31)
    kernels: Literal["none", "liger"] = "none"
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2"] = "auto"


class PreferenceSettings(_Section):
    """The second stage (DPO), where it differs from the first. beta: the higher, the nearer it stays to
    that."""

    beta: float = Field(default=0.1, gt=0, le=10)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    epochs: float = Field(default=1.0, gt=0, le=1000)
    max_steps: int = Field(default=0, ge=0)
    batch: int = Field(default=2, ge=1, le=4096)
    accumulation: int = Field(default=4, ge=1, le=4096)
    max_length: int = Field(default=2048, ge=64, le=1_000_000)


class EvaluationSettings(_Section):
    """What is measured on held-out competitions.

    examples_per_competition: completions whose loss is measured. samples: instructions sampled a competition
    and place, of at most max_tokens tokens. batch: sequences sampled at a time.
    """

    examples_per_competition: int = Field(default=20, ge=1)
    samples: int = Field(default=4, ge=1, le=1000)
    temperature: float = Field(default=0.7, gt=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=300, ge=8, le=32_768)
    batch: int = Field(default=12, ge=1, le=4096)


class HardwareSettings(_Section):
    """Where it runs. processes: more than one are started by accelerate, by the strategy ddp or fsdp."""

    processes: int = Field(default=1, ge=1, le=1024)
    strategy: Literal["ddp", "fsdp"] = "ddp"
    device: Literal["auto", "cpu", "cuda"] = "auto"


class FinetuneConfig(_Section):
    """One configuration.

    base: `embedded:NAME` (or `embedded:PATH` of a .gguf file), a local folder of safetensors, or a hub id
    (owner/name). prompt_set: whose examples it is tuned on.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    description: str = ""
    base: str = Field(min_length=1)
    prompt_set: PromptSet = "default"
    quantization: QuantizationConfig = QuantizationConfig()
    lora: LoraSettings = LoraSettings()
    training: TrainingSettings = TrainingSettings()
    preferences: PreferenceSettings = PreferenceSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    hardware: HardwareSettings = HardwareSettings()

    def changed(self, *, max_steps: int | None = None, seed: int | None = None) -> "FinetuneConfig":
        """The same with another number of steps (of both stages) or another seed; None leaves it as it is.

        Raises TrainingError when one is out of range.
        """
        changes: dict[str, dict[str, int]] = {"training": {}, "preferences": {}}
        if max_steps is not None:
            changes["training"]["max_steps"] = changes["preferences"]["max_steps"] = max_steps
        if seed is not None:
            changes["training"]["seed"] = seed
        fields = self.model_dump()
        for section, values in changes.items():
            fields[section] |= values
        return _validated(fields, f"the configuration {self.name}, changed", "give another number")

    def as_toml(self) -> str:
        """The configuration as a TOML file that load_config reads back, every key with its value."""
        fields = self.model_dump(mode="json")
        tables = {key: value for key, value in fields.items() if isinstance(value, dict)}
        lines = [f"{key} = {_toml(value)}" for key, value in fields.items() if key not in tables]
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
        return "\n".join(lines) + "\n"


def load_config(name_or_path: str) -> FinetuneConfig:
    """The configuration of that name, or of that .toml file.

    Raises TrainingError: unknown (with those that are known), no TOML, a key that does not exist (with the
    nearest that does), a value of a wrong type or out of range; each by file and dotted key.
    """
    if name_or_path.endswith(".toml") or os.sep in name_or_path:
        path = Path(name_or_path).expanduser()
        return _parse(_text(path), str(path))
    own = _own_folder() / f"{name_or_path}.toml"
    if own.is_file():
        return _parse(_text(own), str(own))
    known = list_configs()
    if name_or_path not in known:
        close = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]}? " if close else ""
        raise TrainingError(
            f"there is no configuration {name_or_path!r}",
            f"{hint}Known: {', '.join(known)}; or give the path of a .toml file, "
            f"or put one into {_own_folder()}",
        )
    text = _shipped().joinpath(f"{name_or_path}.toml").read_text("utf-8")
    return _parse(text, f"the configuration {name_or_path}")


def list_configs() -> list[str]:
    """The names that load_config knows: those that ship, then the user's own."""
    shipped = {entry.name[:-5] for entry in _shipped().iterdir() if entry.name.endswith(".toml")}
    return sorted(shipped) + sorted({path.stem for path in _own_folder().glob("*.toml")} - shipped)


def _shipped() -> Any:
    return resources.files("linguacodus_core.training").joinpath("configs")


def _own_folder() -> Path:
    return local_home() / "configs"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"the configuration {path} cannot be read: {error}",
            f"check the path, or name one that ships: {', '.join(list_configs())}",
        ) from error


def _parse(text: str, where: str) -> FinetuneConfig:
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{where} is not valid TOML: {error}", "mend that line") from error
    return _validated(fields, where)


def _validated(fields: dict[str, Any], where: str, remedy: str = "mend that file") -> FinetuneConfig:
    try:
        return FinetuneConfig.model_validate(fields)
    except ValidationError as error:
        found = [_told(dict(item)) for item in error.errors(include_url=False)]
        problems = list(dict.fromkeys(found))  # a union's members may say the same
        raise TrainingError(f"{where}: " + "; ".join(problems), remedy) from error


def _told(item: dict[str, Any]) -> str:
    """One problem in words, by dotted key."""
    keys = [str(part) for part in item["loc"]]
    path = keys[:2]  # deeper parts name members of a union
    dotted = ".".join(path)
    if item["type"] == "extra_forbidden":
        known = _keys(path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        elsewhere = [full for full in _everywhere() if full.rsplit(".", 1)[-1] == path[-1]]
        if close:
            return f"{dotted}: no such key; did you mean {close[0]}?"
        if elsewhere:
            return f"{dotted}: no such key; did you mean {elsewhere[0]}?"
        return f"{dotted}: no such key; there are: {', '.join(known)}"
    if item["type"] == "missing":
        return f"{dotted}: it must be given"
    if item["type"] == "model_type":
        return f"{dotted}: it is a table: write [{dotted}]"
    message = item["msg"].removeprefix("Value error, ")
    return f"{dotted} = {item['input']!r}: {message[:1].lower()}{message[1:]}"


def _keys(path: list[str]) -> list[str]:
    """The keys at that place: the configuration's own, or those of a section."""
    if not path:
        return list(FinetuneConfig.model_fields)
    section = FinetuneConfig.model_fields[path[0]].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, _Section) else []


def _everywhere() -> list[str]:
    """Every key of every section, dotted."""
    return [
        f"{section}.{key}" if key else section
        for section in FinetuneConfig.model_fields
        for key in (_keys([section]) or [""])
    ]


def _toml(value: object) -> str:
    """A value of a configuration as TOML writes it; JSON's notation is TOML's for all that occur."""
    return json.dumps(value, ensure_ascii=False)
