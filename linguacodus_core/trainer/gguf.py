"""A LoRA as llama.cpp reads it."""

import json
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from linguacodus_core.errors import TrainingError

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
ARCHITECTURES = {"llama": True, "qwen2": False}
"""What can be converted: whether llama.cpp keeps the rows of a head's queries and keys in another order."""

FILE = "adapter.gguf"


def convert(adapter: Path, base: Path, name: str) -> Path | None:
    """Write adapter.gguf beside a PEFT adapter; None for an architecture that cannot be converted.

    base: the folder with the base's config.json. Raises TrainingError for a weight that has no counterpart.
    """
    config = json.loads((base / "config.json").read_text("utf-8"))
    architecture = config["model_type"]
    if architecture not in ARCHITECTURES:
        return None
    lora = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    heads = config["num_attention_heads"]
    orders = {"self_attn.q_proj": heads, "self_attn.k_proj": config.get("num_key_value_heads", heads)}
    writer = gguf.GGUFWriter(adapter / FILE, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(lora["lora_alpha"]))
    writer.add_string(gguf.Keys.General.NAME, name)
    for key, weight in sorted(load_file(adapter / "adapter_model.safetensors").items()):
        layer, projection, half = _parts(key)
        if half == "b" and projection in orders and ARCHITECTURES[architecture]:
            weight = _reordered(weight, orders[projection])
        tensor = f"blk.{layer}.{NAMES[projection]}.weight.lora_{half}"
        writer.add_tensor(tensor, np.ascontiguousarray(weight, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return adapter / FILE


def _parts(key: str) -> tuple[int, str, str]:
    """Layer, projection and half (a: inwards, b: outwards) of a weight by PEFT's name."""
    _, _, inner = key.partition(".layers.")
    layer, _, rest = inner.partition(".")
    projection, _, half = rest.partition(".lora_")
    if not layer.isdecimal() or projection not in NAMES or not half.startswith(("A.", "B.")):
        raise TrainingError(
            f"the adapter's weight {key} has no counterpart in llama.cpp",
            "tune projections of the layers only",
        )
    return int(layer), projection, half[0].lower()


def _reordered(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows (outputs) of queries or keys in llama.cpp's order: the halves of each head interleaved."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
