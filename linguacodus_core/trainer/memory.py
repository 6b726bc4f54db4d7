"""Whether memory and disk will do, before a model is loaded; and what to lower when they did not."""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from linguacodus_core.errors import LinguacodusError, StoreError, TrainingError
from linguacodus_core.trainer.checkpoints import KEPT
from linguacodus_core.trainer.hardware import Hardware
from linguacodus_core.trainer.load import Outline, check_targets
from linguacodus_core.trainer.replacements import Settings
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job
from linguacodus_core.training.memory import advice

ABSMAX = 4 / 64
"""Bytes a 4-bit weight adds for its block's scale (one float32 for 64 weights)."""

STATE_BYTES = {"adamw_8bit": 2, "paged_adamw_8bit": 2}
"""Bytes of optimizer state a trained weight; 8 for those of 32 bits."""

KEEPS = 1.2
"""What a layer keeps for the way back at least, as a multiple of what its projections read and write.

A training of smollm2 with a LoRA on all of them was seen to keep 1.3 times as much.
"""

LIBRARIES = 0.6e9
"""Bytes that the libraries themselves take."""

FULL = ("can't allocate memory", "DefaultCPUAllocator", "CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
UNWRITTEN = ("No space left", "PytorchStreamWriter failed writing")


@dataclass(frozen=True)
class Estimate:
    """Bytes of memory a training takes at least, by what takes them."""

    weights: float
    adapter: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.adapter + self.activations + LIBRARIES

    def __str__(self) -> str:
        return (
            f"weights {_gb(self.weights)}, adapter and optimizer {_gb(self.adapter)}, "
            f"activations {_gb(self.activations)}"
        )


def estimate(
    config: FinetuneConfig, outline: Outline, settings: Settings, *, sequences: int, longest: int
) -> Estimate:
    """The least that a training takes on one device.

    sequences: how many stand in memory at once; longest: tokens of the longest.
    """
    width = settings.dtype.itemsize
    in_linear = sum(inputs * outputs for inputs, outputs in outline.linear.values())
    per_weight = 0.5 + (ABSMAX / 4 if config.quantization.double else ABSMAX)
    linear = in_linear * (per_weight if config.quantization.bits else width)
    weights = linear + (outline.parameters - in_linear) * width
    shared = config.hardware.processes if config.hardware.strategy == "fsdp" else 1
    trained = _trained(config, outline)
    adapter = trained * (4 + 4 + STATE_BYTES.get(settings.optimizer, 8))
    tokens = sequences * longest
    layer = sum(i + o for i, o in outline.linear.values()) / outline.layers * width * KEEPS
    if config.training.gradient_checkpointing:
        activations = tokens * (outline.layers * outline.hidden * width + layer)
    else:
        activations = tokens * outline.layers * layer
    if settings.attention == "eager":
        activations += outline.layers * outline.heads * sequences * longest**2 * width
    return Estimate(weights / shared, adapter / shared, activations)


def require(
    job: Job,
    stage: str,
    outline: Outline,
    settings: Settings,
    hardware: Hardware,
    *,
    sequences: int,
    longest: int,
    weights: int = 1,
) -> Estimate:
    """Raise TrainingError when a training clearly cannot fit: into memory, or its checkpoints onto the disk.

    weights: how many times the base's weights are held. Returns the estimate.
    """
    config, folder = job.config, job.stage(stage)
    needed = estimate(config, outline, settings, sequences=sequences, longest=longest)
    local = 1 if hardware.cuda else config.hardware.processes  # processes on one CPU share its memory
    total = (needed.total + (weights - 1) * needed.weights) * local
    if total > hardware.free:
        where = "GPU memory" if hardware.cuda else "memory"
        raise TrainingError(
            f"this training needs at least {_gb(total)} of {where} ({needed}"
            f"{f', times {local} processes' if local > 1 else ''}), and {_gb(hardware.free)} are free",
            advice(config, stage),
        )
    on_disk = _trained(config, outline) * (4 + STATE_BYTES.get(settings.optimizer, 8)) * (KEPT + 1) + 2e7
    on_disk += 2 * 4 * _trained(config, outline)
    free = shutil.disk_usage(_existing(folder)).free
    if on_disk > free:
        raise TrainingError(
            f"the checkpoints and the adapter need {_gb(on_disk)} in {folder}, and {_gb(free)} are free",
            "free some disk space, point LINGUACODUS_HOME at another disk, or lower lora.r "
            f"(now {config.lora.r})",
        )
    return needed


def translated(error: BaseException, config: FinetuneConfig, stage: str) -> LinguacodusError | None:
    """An error of memory or disk that ran out while training, in words; None for any other."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in FULL)
    ):
        where = "the card's memory" if "CUDA" in str(error) else "memory"
        return TrainingError(f"{where} ran out: {_first_line(error)}", advice(config, stage))
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or any(words in str(error) for words in UNWRITTEN):
        return StoreError(
            f"the disk is full: {_first_line(error)}",
            "free some space and run it again: it goes on at the last checkpoint",
        )
    return None


def _trained(config: FinetuneConfig, outline: Outline) -> int:
    """How many weights the adapter has."""
    targets = check_targets(config.lora.targets, outline)
    return sum(config.lora.r * (inputs + outputs) for inputs, outputs in targets.values())


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.0f} MB"
