# ruff: noqa: E402
"""The real thing, small: 4-bit weights, LoRA, three steps, saved, read back, merged, three places sampled, served."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

import httpx

from linguacodus_core.errors import ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.trainer import base, gguf, merge, sft
from linguacodus_core.trainer.encode import encode_prompt
from linguacodus_core.trainer.load import load_base, tokenizer_of, with_adapter
from linguacodus_core.trainer.sampling import Asked, draw
from linguacodus_core.training import history
from linguacodus_core.training.job import Job
from tests.trainer.conftest import EXAMPLES, MakeJob

MODEL = "smollm2-135m-instruct-q4_1"
pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def smollm2() -> str:
    try:
        models.path(MODEL)
    except ModelUnavailable as missing:
        pytest.skip(f"{missing.problem}; {missing.remedy}")
    return f"embedded:{MODEL}"


def first_token(model: Any, prompt: Sequence[int]) -> Any:
    """Log-probabilities of what comes after a prompt."""
    with torch.no_grad():
        return model(input_ids=torch.tensor([prompt])).logits[0, -1].float().log_softmax(-1)


def first_token_served(prompt: Sequence[int], lora: Path | None) -> dict[int, float]:
    """The likeliest tokens after a prompt, and how likely they are, as llama.cpp has it."""
    from linguacodus_core.llm.server import serve

    with serve(MODEL, context=512, lora=lora) as url:
        asked = {"prompt": list(prompt), "n_predict": 1, "n_probs": 2000, "temperature": 1.0}
        reply = httpx.post(url.removesuffix("/v1") + "/completion", json=asked, timeout=60).json()
    return {found["id"]: found["logprob"] for found in reply["completion_probabilities"][0]["top_logprobs"]}


def agree(before: Any, after: Any, plain: dict[int, float], tuned: dict[int, float]) -> None:
    """The adapter moves probabilities in llama.cpp as it moves them in transformers.

    The values themselves differ: llama.cpp computes with the 4-bit weights' own kernels.
    """
    both = sorted(plain.keys() & tuned.keys(), key=lambda token: -float(after[token]))[:200]
    moved = torch.tensor([float(after[token] - before[token]) for token in both])
    served = torch.tensor([tuned[token] - plain[token] for token in both])
    assert len(both) > 50
    assert moved.abs().max() > 2, "the adapter must change something to compare"
    assert torch.corrcoef(torch.stack([moved, served]))[0, 1] > 0.95
    assert (moved - served).abs().mean() < 0.25 * moved.abs().mean()


def only_queries_and_keys(adapter: Path, folder: Path, out: Path) -> Path:
    """An adapter that changes who attends to whom, strongly: the rows that llama.cpp keeps in another order."""
    from safetensors.torch import load_file, save_file

    out.mkdir()
    kept = {
        name: weight * 6 if "lora_B" in name else weight
        for name, weight in load_file(adapter / "adapter_model.safetensors").items()
        if "q_proj" in name or "k_proj" in name
    }
    save_file(kept, out / "adapter_model.safetensors", metadata={"format": "pt"})
    config = json.loads((adapter / "adapter_config.json").read_text())
    (out / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["k_proj", "q_proj"]}))
    assert gguf.convert(out, folder, "queries") == out / "adapter.gguf"
    return out


def test_smollm2_is_tuned_saved_merged_sampled_and_served(
    smollm2: str, make_job: MakeJob, tmp_path: Path
) -> None:
    job: Job = make_job(
        smollm2,
        EXAMPLES[:6],
        quantization={"bits": 4},
        lora={"r": 8, "alpha": 16},
        training={
            "max_steps": 3,
            "batch": 1,
            "accumulation": 1,
            "learning_rate": 5e-3,
            "schedule": "constant",
        },
    )
    base.run(job)
    sft.run(job)
    folder = base.folder_of(job)
    adapter = job.stage("sft") / "adapter"
    losses = [event["loss"] for event in history.events(job.stage("sft")) if event["event"] == "step"]
    assert len(losses) == 3
    assert losses[2] < 0.8 * losses[0]

    quantized = with_adapter(load_base(job, folder, for_training=False), adapter, trainable=False)
    assert "Linear4bit" in {type(module).__name__ for module in quantized.modules()}
    del quantized

    from transformers import AutoModelForCausalLM

    tokenizer = tokenizer_of(folder)
    prompt = encode_prompt(tokenizer, EXAMPLES[7]["prompt"])
    before = first_token(AutoModelForCausalLM.from_pretrained(folder), prompt)
    merged = AutoModelForCausalLM.from_pretrained(merge.run(adapter, folder, tmp_path / "merged"))
    after = first_token(merged, prompt)
    assert not any("lora" in name for name, _ in merged.named_parameters())

    asked = []
    for place in ("first", "second", "third"):
        told = f"Write the instruction of the {place} place for predicting houses."
        tokens = encode_prompt(tokenizer, [{"role": "user", "content": told}])
        asked.append(Asked(tuple(tokens), place))
    drawn = draw(merged, asked, temperature=0.7, top_p=0.95, max_tokens=12, ends={tokenizer.eos_token_id})
    assert len(drawn) == 3
    assert all(0 < len(text.tokens) <= 12 for text in drawn)
    assert all(tokenizer.decode(text.tokens).strip() for text in drawn)

    pytest.importorskip("xllamacpp", reason="llama.cpp is not installed")
    plain, tuned = first_token_served(prompt, None), first_token_served(prompt, adapter / "adapter.gguf")
    agree(before, after, plain, tuned)

    whole = AutoModelForCausalLM.from_pretrained(folder)
    queries = only_queries_and_keys(adapter, folder, tmp_path / "queries")
    turned = first_token(with_adapter(whole, queries, trainable=False), prompt)
    agree(before, turned, plain, first_token_served(prompt, queries / "adapter.gguf"))
