# ruff: noqa: E402
"""What stands in for options that the hardware has no counterpart of, and what memory they need."""

import errno
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from linguacodus_core.errors import StoreError, TrainingError
from linguacodus_core.trainer import memory, replacements
from linguacodus_core.trainer.hardware import Hardware
from linguacodus_core.trainer.load import Outline, sketch
from linguacodus_core.trainer.replacements import batching_for, settle
from linguacodus_core.training.config import FinetuneConfig, load_config
from tests.trainer.conftest import MakeJob, configuration

CPU = Hardware("cpu", "CPU, 2 cores", 8 * 10**9, bfloat16=False, cores=2)
AMPERE = Hardware("cuda:0", "a card", 24 * 10**9, bfloat16=True, cores=8)
TURING = Hardware("cuda:0", "an older card", 16 * 10**9, bfloat16=False, cores=8)


def test_the_papers_configuration_on_a_cpu_says_what_it_does_otherwise() -> None:
    settings = settle(load_config("llama2-7b-paper"), CPU)
    assert settings.dtype == torch.float32
    assert settings.optimizer == "adamw_torch"
    assert settings.schedule == "constant"
    assert settings.attention == "sdpa"
    assert not settings.liger
    said = "\n".join(settings.replacements)
    assert "paged_adamw_32bit" in said
    assert "adamw_torch instead" in said
    assert "computing in float16 needs a card: float32 instead" in said
    assert "warmup = 0.03 is without effect" in said


def test_the_papers_configuration_on_a_card_is_as_it_stands() -> None:
    settings = settle(load_config("llama2-7b-paper"), AMPERE)
    assert settings.dtype == torch.float16
    assert settings.optimizer == "paged_adamw_32bit"
    assert settings.mixed == {"bf16": False, "fp16": True}
    assert len(settings.replacements) == 1
    assert "warm-up" in settings.replacements[0]


@pytest.mark.parametrize(
    ("hardware", "wanted", "got"),
    [
        (CPU, "auto", "float32"),
        (CPU, "bfloat16", "float32"),
        (AMPERE, "auto", "bfloat16"),
        (AMPERE, "float32", "float32"),
        (TURING, "auto", "float16"),
        (TURING, "bfloat16", "float16"),
    ],
)
def test_precision_follows_the_hardware(hardware: Hardware, wanted: str, got: str) -> None:
    settings = settle(changed(training={"precision": wanted}), hardware)
    assert settings.dtype == getattr(torch, got)
    assert bool(settings.replacements) == (wanted not in ("auto", got))


def changed(**changes: Any) -> FinetuneConfig:
    return configuration("/some/folder", **changes)


def test_cards_fused_kernels_and_flash_attention_are_replaced_where_they_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = changed(
        training={"kernels": "liger", "attention": "flash_attention_2", "batching": "plain"},
        hardware={"device": "cuda"},
    )
    said = settle(config, CPU).replacements
    assert [text.split(":")[0] for text in said] == [
        "no CUDA card is to be had",
        "flash_attention_2 needs a card",
        "fused kernels (liger) need a card",
    ]
    monkeypatch.setattr(replacements, "find_spec", lambda name: object())
    there = settle(config, AMPERE)
    assert there.replacements == ()
    assert there.liger
    assert there.attention == "flash_attention_2"
    packed = settle(changed(training={"attention": "flash_attention_2"}), AMPERE)
    assert packed.attention == "sdpa"
    assert "shared prefix" in packed.replacements[0]
    monkeypatch.setattr(replacements, "find_spec", lambda name: None)
    assert "need the package liger-kernel" in settle(config, AMPERE).replacements[-1]
    assert "needs the package flash-attn" in settle(config, AMPERE).replacements[0]


def test_prefixes_are_shared_where_that_is_known_to_be_exact() -> None:
    config = changed()
    assert batching_for(config, "llama", None) == ("shared_prefix", [])
    assert batching_for(config, "qwen2", None) == ("shared_prefix", [])
    for architecture, window in (("mamba", None), ("qwen2", 4096)):
        batching, said = batching_for(config, architecture, window)
        assert batching == "by_length"
        assert len(said) == 1
        assert "not known to be exact" in said[0]
    assert batching_for(changed(training={"batching": "plain"}), "mamba", None) == ("plain", [])


@pytest.fixture
def outline(tiny: Path) -> Outline:
    return sketch(tiny)


LLAMA_7B = Outline(
    architecture="llama",
    parameters=6_738_415_616,
    linear={
        f"model.layers.{layer}.{name}": shape
        for layer in range(32)
        for name, shape in {
            **{f"self_attn.{p}_proj": (4096, 4096) for p in "qkvo"},
            "mlp.gate_proj": (4096, 11008),
            "mlp.up_proj": (4096, 11008),
            "mlp.down_proj": (11008, 4096),
        }.items()
    },
    layers=32,
    hidden=4096,
    heads=32,
    vocabulary=32000,
)


def test_the_estimate_counts_bits_adapter_and_activations() -> None:
    paper = load_config("llama2-7b-paper")
    needed = memory.estimate(paper, LLAMA_7B, settle(paper, AMPERE), sequences=4, longest=1024)
    assert 3.8e9 < needed.weights < 4.4e9  # 6.5 billion of 4 bits and a scale, the rest of 16
    assert needed.adapter == 64 * 2 * 32 * 8192 * 16  # q_proj, v_proj: weight, gradient, two moments
    whole = paper.model_copy(update={"quantization": paper.quantization.model_copy(update={"bits": 0})})
    assert memory.estimate(whole, LLAMA_7B, settle(whole, AMPERE), sequences=4, longest=1024).weights == (
        LLAMA_7B.parameters * 2
    )
    kept = paper.model_copy(
        update={"training": paper.training.model_copy(update={"gradient_checkpointing": False})}
    )
    without = memory.estimate(kept, LLAMA_7B, settle(kept, AMPERE), sequences=4, longest=1024)
    assert without.activations > 5 * needed.activations


def test_too_little_memory_is_said_with_numbers_and_what_to_lower(
    outline: Outline, make_job: MakeJob, tiny: Path
) -> None:
    job = make_job(tiny)
    settings = settle(job.config, CPU)
    fitting = memory.require(job, "sft", outline, settings, CPU, sequences=2, longest=192)
    assert fitting.total < 1e9
    little = Hardware("cpu", "CPU", 300 * 10**6, bfloat16=False, cores=2)
    with pytest.raises(TrainingError) as refused:
        memory.require(job, "sft", outline, settings, little, sequences=2, longest=192)
    assert "needs at least 0.6 GB of memory" in refused.value.problem
    assert "0.3 GB are free" in refused.value.problem
    assert "training.batch (2)" in refused.value.remedy
    assert "gradient_checkpointing = true" in refused.value.remedy


def test_too_little_disk_is_said(
    outline: Outline, make_job: MakeJob, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(tiny)
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda place: usage)
    with pytest.raises(
        TrainingError, match=r"the checkpoints and the adapter need 2\d MB in .*, and 1 MB are free"
    ):
        memory.require(job, "sft", outline, settle(job.config, CPU), CPU, sequences=2, longest=192)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("nothing left"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"
        ),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_memory_that_ran_out_is_said_with_what_to_lower(error: Exception) -> None:
    told = memory.translated(error, changed(), "sft")
    assert isinstance(told, TrainingError)
    assert "ran out" in told.problem
    assert "training.batch (2)" in told.remedy
    assert "lora.r (4)" in told.remedy


def test_a_full_disk_is_said_and_other_errors_stay() -> None:
    for error in (
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed"),
    ):
        told = memory.translated(error, changed(), "sft")
        assert isinstance(told, StoreError)
        assert "goes on at the last checkpoint" in told.remedy
    assert memory.translated(RuntimeError("shapes do not match"), changed(), "sft") is None
    assert memory.translated(FileNotFoundError(2, "nothing"), changed(), "sft") is None
