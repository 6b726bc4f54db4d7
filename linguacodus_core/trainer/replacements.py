"""What of a configuration the hardware at hand can do, and what stands in for the rest.

Each replacement is a sentence; it is said when the stage begins and stands in its finished.json.
"""

from dataclasses import dataclass
from importlib.util import find_spec

import torch

from linguacodus_core.trainer.attention import NAME as SHARED_PREFIX
from linguacodus_core.trainer.hardware import Hardware
from linguacodus_core.trainer.packs import Batching
from linguacodus_core.training.config import FinetuneConfig

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
NO_CPU_COUNTERPART = {
    "paged_adamw_32bit": ("adamw_torch", "the same rule, its state in plain memory"),
    "paged_adamw_8bit": ("adamw_8bit", "the same state of 8 bits, in plain memory"),
}
SHARES_PREFIXES = ("llama", "qwen2")
FUSED = "fused kernels (liger)"


@dataclass(frozen=True)
class Settings:
    """What is done in fact.

    dtype: what is computed in, and what the weights have that are not quantized.
    """

    dtype: torch.dtype
    optimizer: str
    schedule: str
    attention: str
    liger: bool
    replacements: tuple[str, ...]

    @property
    def mixed(self) -> dict[str, bool]:
        """The trainers' arguments for mixed precision: LoRA stays float32 beside a base of 16 bits."""
        return {"bf16": self.dtype == torch.bfloat16, "fp16": self.dtype == torch.float16}


def settle(config: FinetuneConfig, hardware: Hardware) -> Settings:
    """Hold a configuration against the hardware."""
    said: list[str] = []
    if config.hardware.device == "cuda" and not hardware.cuda:
        said.append("no CUDA card is to be had: trained on the CPU")
    dtype = _dtype(config.training.precision, hardware, said)
    return Settings(
        dtype=dtype,
        optimizer=_optimizer(config.training.optimizer, hardware, said),
        schedule=_schedule(config, said),
        attention=_attention(config, hardware, dtype, said),
        liger=_liger(config.training.kernels, hardware, said),
        replacements=tuple(said),
    )


def batching_for(config: FinetuneConfig, architecture: str, window: int | None) -> tuple[Batching, list[str]]:
    """How examples are put into rows, and what is to be said of it.

    That a shared prefix changes neither loss nor gradients is tested for some architectures, and does not
    hold where attention reaches back a limited way or a state is handed on from token to token.
    """
    wanted = config.training.batching
    if wanted != "shared_prefix" or (architecture in SHARES_PREFIXES and window is None):
        return wanted, []
    why = "attention that reaches back a limited way" if window else f"the architecture {architecture}"
    return "by_length", [f"shared_prefix is not known to be exact with {why}: by_length instead"]


def _dtype(wanted: str, hardware: Hardware, said: list[str]) -> torch.dtype:
    if wanted == "auto":
        if not hardware.cuda:
            return torch.float32
        return torch.bfloat16 if hardware.bfloat16 else torch.float16
    if wanted == "float16" and not hardware.cuda:
        said.append("computing in float16 needs a card: float32 instead")
        return torch.float32
    if wanted == "bfloat16" and not hardware.bfloat16:
        instead = "float16" if hardware.cuda else "float32"
        said.append(f"this {'card' if hardware.cuda else 'CPU'} has no bfloat16: {instead} instead")
        return DTYPES[instead]
    return DTYPES[wanted]


def _optimizer(wanted: str, hardware: Hardware, said: list[str]) -> str:
    if hardware.cuda or wanted not in NO_CPU_COUNTERPART:
        return wanted
    instead, why = NO_CPU_COUNTERPART[wanted]
    said.append(f"the optimizer {wanted} pages a card's memory, and there is none: {instead} instead ({why})")
    return instead


def _schedule(config: FinetuneConfig, said: list[str]) -> str:
    training = config.training
    if training.schedule == "constant" and training.warmup:
        said.append(
            f"transformers' schedule 'constant' has no warm-up: warmup = {training.warmup:g} is without "
            "effect, as it was in the paper's run"
        )
    return training.schedule


def _attention(config: FinetuneConfig, hardware: Hardware, dtype: torch.dtype, said: list[str]) -> str:
    wanted = config.training.attention
    if wanted == "auto":
        return SHARED_PREFIX if config.training.batching == "shared_prefix" else "sdpa"
    if wanted != "flash_attention_2":
        return wanted
    if config.training.batching == "shared_prefix":
        why = "cannot show a shared prefix to several examples"
    elif not hardware.cuda:
        why = "needs a card"
    elif find_spec("flash_attn") is None:
        why = "needs the package flash-attn"
    elif dtype == torch.float32:
        why = "does not compute in float32"
    else:
        return wanted
    said.append(f"flash_attention_2 {why}: sdpa instead")
    return "sdpa"


def _liger(kernels: str, hardware: Hardware, said: list[str]) -> bool:
    if kernels == "none":
        return False
    if not hardware.cuda:
        said.append(f"{FUSED} need a card: the model's own layers instead")
        return False
    if find_spec("liger_kernel") is None:
        said.append(f"{FUSED} need the package liger-kernel: the model's own layers instead")
        return False
    return True
