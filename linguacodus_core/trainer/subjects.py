"""The models that a measurement compares, and how they are loaded for it.

They are measured as they are served: with the base's weights as they are, not quantized for training.
llama.cpp and vLLM put the adapter on those; 4-bit weights are also several times slower on a CPU. Only where
whole weights do not fit into memory are the quantized ones measured, all subjects alike.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer.hardware import Hardware
from linguacodus_core.trainer.load import load_base, sketch, with_adapter
from linguacodus_core.trainer.replacements import settle
from linguacodus_core.trainer.save import FOLDER
from linguacodus_core.training.config import QuantizationConfig
from linguacodus_core.training.job import Job

WEIGHTS = "adapter_model.safetensors"
ROOM = 1.3
"""What reading and sampling take, as a multiple of the weights."""


@dataclass(frozen=True)
class Subject:
    """One model. adapter: its folder, None for the bare base; identity: changes with the weights."""

    name: str
    adapter: Path | None
    identity: str


def subjects(job: Job) -> list[Subject]:
    """The base, then what each finished stage made of it. Raises TrainingError when no stage is finished."""
    tuned = [
        Subject(stage, job.stage(stage) / FOLDER, fingerprint(job.stage(stage) / FOLDER))
        for stage in ("sft", "dpo")
        if job.done(stage) is not None
    ]
    if not tuned:
        raise TrainingError(f"{job.name} has no adapter to measure yet", "run the stage `sft` first")
    return [Subject("base", None, job.base_identity), *tuned]


def fingerprint(adapter: Path) -> str:
    """The beginning of the SHA-256 of an adapter's weights. Raises TrainingError when they are gone."""
    try:
        with (adapter / WEIGHTS).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as error:
        raise TrainingError(
            f"the adapter in {adapter} cannot be read: {error.strerror or error}",
            f"delete {adapter.parent} and run the fine-tune again",
        ) from error


def for_reading(job: Job, folder: Path, device: Hardware) -> Job:
    """The job as its models are loaded for measuring. folder: of the base.

    Not quantized where that fits, and without flash attention: it cannot show one prompt to several texts.
    """
    config = job.config
    training = config.training
    if training.attention == "flash_attention_2":
        training = training.model_copy(update={"attention": "sdpa"})
    quantization = config.quantization
    if quantization.bits:
        needed = ROOM * sketch(folder).parameters * settle(config, device).dtype.itemsize
        quantization = QuantizationConfig(bits=0) if needed < device.free else quantization
    changed = config.model_copy(update={"training": training, "quantization": quantization})
    return job.model_copy(update={"config": changed})


def load(job: Job, folder: Path, subject: Subject) -> Any:
    """The subject in memory, for reading. job: from for_reading(); folder: of the base.

    Each is loaded anew, so that what it says does not depend on what was measured before it. In float32 the
    adapter is merged, which is the same and faster; other weights would be rounded by that.
    """
    model = load_base(job, folder, for_training=False)
    if subject.adapter is not None:
        model = with_adapter(model, subject.adapter, trainable=False)
        if not job.config.quantization.bits and model.dtype == torch.float32:
            model = model.merge_and_unload()
    model.config.use_cache = True
    return model
