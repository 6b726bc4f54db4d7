"""The finished adapter as a folder that is whole or not there."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig
from safetensors.torch import save_file

from linguacodus_core import store
from linguacodus_core.trainer import gguf
from linguacodus_core.trainer.events import Events
from linguacodus_core.training.base import kind_of
from linguacodus_core.training.job import Job

FOLDER = "adapter"


def save_adapter(
    config: PeftConfig,
    weights: Mapping[str, torch.Tensor],
    tokenizer: Any,
    job: Job,
    stage: str,
    base: Path,
    events: Events,
) -> Path:
    """Write <stage>/adapter: PEFT's weights (float32) and configuration, the tokenizer, adapter.gguf.

    base: the folder of the base. Returns the adapter's folder. Raises StoreError when it cannot be written.
    """
    folder = job.stage(stage) / FOLDER
    part = folder.with_name(f".{FOLDER}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with store.described(part):
            part.mkdir(parents=True)
            floats = {name: weight.detach().float().cpu().contiguous() for name, weight in weights.items()}
            save_file(floats, part / "adapter_model.safetensors", metadata={"format": "pt"})
            _write_config(config, part, job.base if kind_of(job.base) == "hub" else str(base))
            tokenizer.save_pretrained(part)
        if gguf.convert(part, base, job.adapter_name(stage)) is None:
            events.note(
                "llama.cpp's form of the adapter is written for llama and qwen2 only: no adapter.gguf"
            )
        with store.described(folder):
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _write_config(config: PeftConfig, folder: Path, base: str) -> None:
    """adapter_config.json as PEFT writes it, for use, with the base's name."""
    config.save_pretrained(str(folder))
    file = folder / "adapter_config.json"
    fields = json.loads(file.read_text("utf-8"))
    targets = sorted(fields["target_modules"])  # a set, in no order
    store.write_json(
        file,
        {**fields, "target_modules": targets, "inference_mode": True, "base_model_name_or_path": base},
    )
