# ruff: noqa: E402
"""Likelihoods of several completions read together are those of one by one."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("transformers", reason="the training extra is not installed")

from transformers import AutoModelForCausalLM

from linguacodus_core.trainer import likelihood
from linguacodus_core.trainer.likelihood import likelihoods, shared
from tests.trainer.conftest import build

BEGINNING = [7, 8, 9, 10, 11, 12]
PAIRS = [
    ([*BEGINNING, 20, 21], [30, 31, 32]),
    ([*BEGINNING, 22], [33, 34, 35, 36, 37, 38, 39, 2]),
    ([*BEGINNING, 20, 21, 40, 41, 42], [2]),
    ([*BEGINNING, 20, 21], [30, 31, 99]),
]


def reader(folder: Path, attention: str = "sdpa") -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention).eval()


def alone(model: Any, prompt: list[int], completion: list[int]) -> float:
    """By the definition, the whole sequence by itself."""
    with torch.no_grad():
        chances = model(torch.tensor([prompt + completion])).logits[0].double().log_softmax(-1)
    return -sum(float(chances[len(prompt) - 1 + at, token]) for at, token in enumerate(completion))


@pytest.mark.parametrize("attention", ["sdpa", "eager", "shared_prefix"])
@pytest.mark.parametrize("length", [2048, 24, 8])
def test_they_are_those_of_one_by_one(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, attention: str, length: int
) -> None:
    """All in one sequence, a few in each, and each alone since it is longer than one may be."""
    monkeypatch.setattr(likelihood, "LENGTH", length)
    monkeypatch.setattr(likelihood, "AT_ONCE", 5)
    model = reader(tiny, attention)
    direct = [alone(model, *pair) for pair in PAIRS]
    assert likelihoods(model, PAIRS, 0) == pytest.approx(direct, abs=1e-3)
    assert likelihoods(model, PAIRS[::-1], 0) == pytest.approx(direct[::-1], abs=1e-3)
    assert len({round(value, 2) for value in direct}) == len(direct)


def test_a_model_that_looks_back_a_limited_way_reads_one_by_one(tmp_path: Path) -> None:
    """Its window would count the other completions that stand between."""
    folder = build(tmp_path / "sliding", "qwen2")
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        use_sliding_window=True,
        sliding_window=4,
        max_window_layers=0,
        layer_types=["sliding_attention"] * 2,
    ).eval()
    assert not likelihood.shares_prefixes(model)
    whole = reader(folder)
    assert likelihood.shares_prefixes(whole)
    direct = [alone(model, *pair) for pair in PAIRS]
    assert likelihoods(model, PAIRS, 0) == pytest.approx(direct, abs=1e-3)
    assert direct[0] != pytest.approx(alone(whole, *PAIRS[0]), abs=1e-2)


def test_prompts_that_share_nothing_and_single_ones(tiny_qwen: Path) -> None:
    model = reader(tiny_qwen)
    pairs = [([5], [6, 7]), ([9, 8, 7], [6, 7])]
    assert likelihoods(model, pairs, 0) == pytest.approx([alone(model, *pair) for pair in pairs], abs=1e-3)
    assert likelihoods(model, pairs[:1], 0) == pytest.approx([alone(model, *pairs[0])], abs=1e-3)
    assert likelihoods(model, [], 0) == []


def test_each_prompt_keeps_its_last_token_for_itself() -> None:
    assert shared([[1, 2, 3], [1, 2, 3]]) == 2
    assert shared([[1, 2, 3, 4], [1, 2]]) == 1
    assert shared([[1, 2, 3], [1, 5, 3]]) == 1
    assert shared([[4], [1, 5]]) == 0
