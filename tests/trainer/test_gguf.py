# ruff: noqa: E402
"""LoRA weights in llama.cpp's names and order; test_real.py shows that they act."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")
gguf_package = pytest.importorskip("gguf", reason="the training extra is not installed")

import numpy as np
from safetensors.numpy import save_file

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer import gguf
from linguacodus_core.trainer.load import sketch

PREFIX = "base_model.model."


def adapter(folder: Path, base: Path, rank: int = 4) -> dict[str, np.ndarray]:
    """A LoRA of random numbers on all projections of a base."""
    randomness = np.random.default_rng(0)
    weights = {}
    for name, (inputs, outputs) in sketch(base).linear.items():
        weights[f"{PREFIX}{name}.lora_A.weight"] = randomness.normal(size=(rank, inputs)).astype(np.float32)
        weights[f"{PREFIX}{name}.lora_B.weight"] = randomness.normal(size=(outputs, rank)).astype(np.float32)
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": rank, "lora_alpha": 8}))
    return weights


def read(file: Path) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    reader = gguf_package.GGUFReader(file)
    return (
        {tensor.name: tensor.data for tensor in reader.tensors},
        {name: field.contents() for name, field in reader.fields.items()},
    )


def test_queries_and_keys_of_a_llama_are_in_llama_cpps_order(tiny: Path, tmp_path: Path) -> None:
    """transformers' own reader of GGUF files turns them back into what they were."""
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    weights = adapter(tmp_path / "a", tiny)
    found, fields = read(gguf.convert(tmp_path / "a", tiny, "tiny"))  # type: ignore[arg-type]
    assert fields["general.architecture"] == "llama"
    assert fields["general.type"] == "adapter"
    assert fields["adapter.type"] == "lora"
    assert fields["adapter.lora.alpha"] == 8.0
    assert len(found) == len(weights) == 2 * 2 * 7

    back = LlamaTensorProcessor({})._reverse_permute_weights
    for projection, theirs, heads in (("q_proj", "attn_q", 4), ("k_proj", "attn_k", 2)):
        ours = weights[f"{PREFIX}model.layers.1.self_attn.{projection}.lora_B.weight"]
        stored = found[f"blk.1.{theirs}.weight.lora_b"]
        assert not np.array_equal(stored, ours)
        np.testing.assert_array_equal(back(stored, 4, heads), ours)
    for projection, theirs in (
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.down_proj", "ffn_down"),
    ):
        for half in "AB":
            np.testing.assert_array_equal(
                found[f"blk.0.{theirs}.weight.lora_{half.lower()}"],
                weights[f"{PREFIX}model.layers.0.{projection}.lora_{half}.weight"],
            )


def test_a_qwen_keeps_its_order(tiny_qwen: Path, tmp_path: Path) -> None:
    weights = adapter(tmp_path / "a", tiny_qwen)
    found, fields = read(gguf.convert(tmp_path / "a", tiny_qwen, "tiny"))  # type: ignore[arg-type]
    assert fields["general.architecture"] == "qwen2"
    np.testing.assert_array_equal(
        found["blk.1.attn_q.weight.lora_b"], weights[f"{PREFIX}model.layers.1.self_attn.q_proj.lora_B.weight"]
    )


def test_an_architecture_that_is_not_converted_gives_none(tiny: Path, tmp_path: Path) -> None:
    adapter(tmp_path / "a", tiny)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "phi3"}))
    assert gguf.convert(tmp_path / "a", tmp_path, "x") is None
    assert not (tmp_path / "a" / "adapter.gguf").exists()


def test_a_weight_without_counterpart_is_refused(tiny: Path, tmp_path: Path) -> None:
    adapter(tmp_path / "a", tiny)
    save_file(
        {f"{PREFIX}model.embed_tokens.lora_A.weight": np.zeros((4, 4), np.float32)},
        tmp_path / "a" / "adapter_model.safetensors",
    )
    with pytest.raises(TrainingError, match=r"embed_tokens\.lora_A\.weight has no counterpart"):
        gguf.convert(tmp_path / "a", tiny, "x")
