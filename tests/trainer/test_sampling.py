# ruff: noqa: E402
"""Texts drawn side by side: each as if drawn alone, by the probabilities that the model gives."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("transformers", reason="the training extra is not installed")

from transformers import AutoModelForCausalLM

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer import sampling
from linguacodus_core.trainer.sampling import Asked, Drawn, draw

BEGINNING = (7, 8, 9, 10, 11, 12)
PROMPTS = ((*BEGINNING, 20, 21), (*BEGINNING, 22), (*BEGINNING, 20, 21, 40, 41, 42))


@pytest.fixture(scope="module")
def model(tiny: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny).eval()


def drawn(model: Any, *asked: Asked, **changes: Any) -> list[Drawn]:
    settings: dict[str, Any] = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 12, "ends": ()}
    return draw(model, asked, **(settings | changes))


def test_without_chance_they_are_what_transformers_generates(model: Any, tiny: Path) -> None:
    """Of prompts of different lengths, two texts each, with either attention."""
    kinds = ("eager", "shared_prefix")
    others = [AutoModelForCausalLM.from_pretrained(tiny, attn_implementation=kind).eval() for kind in kinds]
    for reader in (model, *others):
        found = drawn(
            reader, *(Asked(prompt, str(at)) for at in range(2) for prompt in PROMPTS), temperature=1e-4
        )
        for prompt, text in zip(PROMPTS * 2, found, strict=True):
            ids = torch.tensor([prompt])
            greedy = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=12,
                eos_token_id=None,
            )
            assert list(text.tokens) == greedy[0, len(prompt) :].tolist()
            assert text.cut


def test_a_text_does_not_depend_on_what_is_drawn_beside_it(model: Any) -> None:
    asked = [Asked(prompt, f"{at}-{number}") for at, prompt in enumerate(PROMPTS) for number in range(3)]
    together = drawn(model, *asked)
    assert together == [drawn(model, item)[0] for item in asked]
    assert drawn(model, *asked[::-1]) == together[::-1]
    assert len({text.tokens for text in together}) == len(asked)


def test_the_seed_decides(model: Any) -> None:
    one, same, other = drawn(model, *(Asked(PROMPTS[0], seed) for seed in ("a", "a", "b")))
    assert one == same != other


@pytest.mark.parametrize("likeliest", [512, 4])
def test_tokens_come_as_often_as_they_are_likely_within_the_nucleus(
    model: Any, monkeypatch: pytest.MonkeyPatch, likeliest: int
) -> None:
    """Also where the nucleus is larger than what is looked at first."""
    monkeypatch.setattr(sampling, "LIKELIEST", likeliest)
    with torch.no_grad():
        chances = torch.softmax(model(torch.tensor([PROMPTS[0]])).logits[0, -1] / 0.5, -1)
    best, tokens = chances.sort(descending=True)
    size = int((best.cumsum(0) - best < 0.6).sum())
    assert size > 4
    expected = {
        int(token): float(chance) / float(best[:size].sum())
        for token, chance in zip(tokens[:size], best, strict=False)
    }
    count = 3000
    asked = [Asked(PROMPTS[0], str(number)) for number in range(count)]
    found = Counter(text.tokens[0] for text in drawn(model, *asked, temperature=0.5, top_p=0.6, max_tokens=1))
    assert set(found) <= set(expected)
    distance = sum(abs(found[token] / count - chance) for token, chance in expected.items()) / 2
    by_chance = (
        sum((2 * chance * (1 - chance) / (math.pi * count)) ** 0.5 for chance in expected.values()) / 2
    )
    assert distance < 1.3 * by_chance


def test_a_text_ends_at_an_end_token_or_is_cut(model: Any) -> None:
    whole = drawn(model, Asked(PROMPTS[0], "a"), Asked(PROMPTS[1], "b"), max_tokens=30)
    end = whole[0].tokens[7]
    place = whole[0].tokens.index(end)
    ended, other = drawn(model, Asked(PROMPTS[0], "a"), Asked(PROMPTS[1], "b"), max_tokens=30, ends={end})
    assert ended == Drawn(whole[0].tokens[:place], cut=False)
    before = whole[1].tokens.index(end) if end in whole[1].tokens else 30
    assert other.tokens == whole[1].tokens[:before]
    exact = drawn(model, Asked(PROMPTS[0], "a"), max_tokens=place + 1, ends={end})
    assert exact == [ended]
    short = drawn(model, Asked(PROMPTS[0], "a"), max_tokens=place, ends={end})
    assert short == [Drawn(whole[0].tokens[:place], cut=True)]


def test_a_model_that_shares_no_prefix_is_asked_prompt_by_prompt(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [Asked(prompt, f"{at}-{number}") for number in range(3) for at, prompt in enumerate(PROMPTS)]
    greedy = drawn(model, *asked, temperature=1e-4)
    monkeypatch.setattr(sampling, "shares_prefixes", lambda model: False)
    monkeypatch.setattr(sampling, "_Tree", None)
    assert drawn(model, *asked, temperature=1e-4) == greedy
    torch.manual_seed(1)
    first = drawn(model, *asked)
    torch.manual_seed(2)
    assert drawn(model, *asked) == first
    assert len({text.tokens for text in first}) == len(asked)
    end = first[4].tokens[5]
    ended = drawn(model, *asked, ends={end})[4]
    assert ended == Drawn(first[4].tokens[: first[4].tokens.index(end)], cut=False)


def test_outputs_that_are_no_numbers_are_told(tiny: Path) -> None:
    broken = AutoModelForCausalLM.from_pretrained(tiny).eval()
    with torch.no_grad():
        broken.model.norm.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="no numbers"):
        drawn(broken, Asked(PROMPTS[0], "a"))
