"""Small adapters for the registry, and a random one that llama.cpp can load on smollm2."""

import json
from pathlib import Path
from typing import Any

from linguacodus_core.adapters.manifest import GGUF, LORA_CONFIG, WEIGHTS
from linguacodus_core.adapters.registry import Adapter, register

SMOLLM2 = "smollm2-135m-instruct-q4_1"
FIELDS: dict[str, Any] = {
    "kind": "sft",
    "base": f"embedded:{SMOLLM2}",
    "base_identity": SMOLLM2,
    "architecture": "llama",
    "datasets": ("d7914ef92758e6a0",),
    "config": "smollm2-135m-cpu",
    "prompt_set": "default",
    "passed": True,
    "summary": "completion loss -21 %",
}


def write_files(folder: Path, weights: bytes = b"weights", gguf: bytes | None = b"GGUF adapter") -> Path:
    """A folder with PEFT's files, their content made up."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LORA_CONFIG).write_text(json.dumps({"r": 12, "lora_alpha": 32}))
    (folder / WEIGHTS).write_bytes(weights)
    (folder / "tokenizer.json").write_text("{}")
    if gguf is not None:
        (folder / GGUF).write_bytes(gguf)
    return folder


def registered(tmp_path: Path, name: str, *, gguf: bytes | None = b"GGUF adapter", **changes: Any) -> Adapter:
    """An adapter of that name in the registry."""
    source = write_files(tmp_path / f"source-{name}", name.encode(), gguf)
    return register(source, {**FIELDS, "name": name, **changes}, {"metrics.json": metrics(changes)})


def metrics(changes: dict[str, Any]) -> bytes:
    """metrics.json of an adapter whose gate passed, or failed by its form."""
    passed = changes.get("passed", True)
    row = {
        "metric": "completion loss",
        "base": 2.0,
        "tuned": 1.5,
        "difference": -0.5,
        "low": -0.6,
        "high": -0.4,
    }
    checks = [
        {"name": "completion loss", "passed": True, "words": "25.0 % below the base"},
        {"name": "form", "passed": passed, "words": "3 of 60 samples more" if passed else "0.10 worse"},
    ]
    found = {
        "comparison": {
            "base": "base",
            "tuned": "sft",
            "competitions": 11,
            "rows": [{**row, "better": "less", "note": ""}],
        },
        "verdict": {"passed": passed, "checks": checks},
    }
    return json.dumps(found).encode()


def random_lora(path: Path, seed: int = 0, size: float = 0.05) -> Path:
    """A LoRA of rank 4 on every query projection of smollm2, its numbers random."""
    import gguf
    import numpy as np

    layers, hidden, rank = 30, 576, 4
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    for layer in range(layers):
        for end, shape in (("a", (rank, hidden)), ("b", (hidden, rank))):
            tensor = random.normal(0, size, shape).astype(np.float32)
            writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_{end}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
