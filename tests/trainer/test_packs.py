# ruff: noqa: E402
"""Rows with a shared prefix give the loss and the gradients of their examples one by one; the order is settled."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

import numpy as np

from linguacodus_core.trainer.attention import NAME as SHARED_PREFIX
from linguacodus_core.trainer.collate import IGNORED, Collator, tokens_in
from linguacodus_core.trainer.encode import Encoded, encode_all
from linguacodus_core.trainer.load import new_adapter, sketch, tokenizer_of
from linguacodus_core.trainer.packs import alone, arrange, lay_out, packs
from linguacodus_core.trainer.replacements import SHARES_PREFIXES
from tests.trainer.conftest import EXAMPLES, configuration


@pytest.fixture(scope="module")
def encoded(tiny: Path) -> list[Encoded]:
    return encode_all(tokenizer_of(tiny), EXAMPLES, 256)[0]


def adapted(folder: Path, attention: str = "sdpa") -> Any:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    tuned = new_adapter(model, configuration(folder), sketch(folder))
    with torch.no_grad():  # a fresh B is zero, and half of the gradients with it
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    return tuned.train()


def loss_and_gradients(model: Any, batches: list[dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    """The mean over all tokens that are learnt."""
    model.zero_grad()
    learnt = sum(int((batch["labels"] != IGNORED).sum()) for batch in batches)
    total = 0.0
    for batch in batches:
        labels = batch.pop("labels")
        logits = model(**batch).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            labels[:, 1:].reshape(-1),
            ignore_index=IGNORED,
            reduction="sum",
        )
        (loss / learnt).backward()
        total += loss.item() / learnt
    return total, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("architecture", SHARES_PREFIXES)
@pytest.mark.parametrize("attention", ["sdpa", "eager", SHARED_PREFIX])
def test_a_shared_prefix_changes_neither_loss_nor_gradients(
    architecture: str, tiny: Path, tiny_qwen: Path, encoded: list[Encoded], attention: str
) -> None:
    model = adapted({"llama": tiny, "qwen2": tiny_qwen}[architecture], attention)
    collate = Collator((), 0, additive=attention == "eager")
    rows = packs(encoded, 192, np.random.default_rng(3))
    assert len(rows) < len(encoded)
    assert all(len(row.prefix) > 10 for row in rows)
    apart, apart_gradients = loss_and_gradients(model, [collate.batch([alone(e)]) for e in encoded])
    together, gradients = loss_and_gradients(model, [collate.batch(rows)])

    assert together == pytest.approx(apart, rel=1e-5)
    assert gradients.keys() == apart_gradients.keys()
    assert len(gradients) == 2 * 7 * 2
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, apart_gradients[name], rtol=1e-5, atol=1e-5, msg=name)


def test_members_do_not_see_each_other(tiny: Path, encoded: list[Encoded]) -> None:
    """Without the mask the same rows give another loss: the test above would see it."""
    model = adapted(tiny)
    rows = packs(encoded, 192, np.random.default_rng(3))
    right, _ = loss_and_gradients(model, [Collator((), 0).batch(rows)])
    batch = Collator((), 0).batch(rows)
    open_to_all = {**batch, "attention_mask": (batch["input_ids"] >= 0).long()}
    wrong, _ = loss_and_gradients(model, [open_to_all])
    assert abs(wrong - right) > 1e-2 * right


def test_rows_of_one_example_are_read_as_they_are_alone(tiny: Path, encoded: list[Encoded]) -> None:
    model = adapted(tiny)
    collate = Collator((), 0)
    apart, _ = loss_and_gradients(model, [collate.batch([alone(e)]) for e in encoded[:5]])
    padded, _ = loss_and_gradients(model, [collate.batch([alone(e) for e in encoded[:5]])])
    assert padded == pytest.approx(apart, rel=1e-5)


def test_every_example_stands_in_one_pack_and_packs_are_even(encoded: list[Encoded]) -> None:
    rows = packs(encoded, 110, np.random.default_rng(0))
    wholes = sorted(
        (*row.prefix.tolist(), *asked.tolist(), *answer.tolist())
        for row in rows
        for asked, answer in row.members
    )
    assert wholes == sorted((*e.prompt.tolist(), *e.completion.tolist()) for e in encoded)
    assert all(len(row) <= 110 for row in rows)
    by_prefix: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        by_prefix.setdefault(tuple(row.prefix.tolist()), []).append(len(row))
    longest_member = max(len(a) + len(b) for row in rows for a, b in row.members)
    assert any(len(lengths) > 1 for lengths in by_prefix.values())
    assert all(max(lengths) - min(lengths) <= longest_member for lengths in by_prefix.values())


def test_an_example_longer_than_a_pack_stands_alone_and_whole() -> None:
    long = Encoded("long", "c", np.arange(300, dtype=np.int32), np.arange(50, dtype=np.int32))
    short = Encoded("short", "c", np.arange(20, dtype=np.int32), np.arange(5, dtype=np.int32))
    rows = packs([long, short], 64, np.random.default_rng(0))
    assert sorted(len(row) for row in rows) == [25, 350]


def test_the_last_prompt_token_is_each_examples_own() -> None:
    """Two examples with the very same prompt: what comes first in a completion is learnt from its own last token."""
    same = [Encoded(str(n), "c", np.arange(9, dtype=np.int32), np.array([n, 1], np.int32)) for n in range(2)]
    (row,) = packs(same, 64, np.random.default_rng(0))
    assert len(row.prefix) == 8
    assert all(len(asked) == 1 for asked, _ in row.members)


def test_tokens_are_counted_without_padding(encoded: list[Encoded]) -> None:
    rows = packs(encoded, 192, np.random.default_rng(0))
    for additive in (False, True):
        mask = Collator((), 0, additive=additive).batch(rows)["attention_mask"]
        assert mask.dim() == 4
        assert int(tokens_in(mask)) == sum(map(len, rows))
    flat = [alone(e) for e in encoded]
    assert int(tokens_in(Collator((), 0).batch(flat)["attention_mask"])) == sum(map(len, flat))


def test_a_plan_lays_out_all_epochs_and_is_the_same_again(encoded: list[Encoded]) -> None:
    def plan(epochs: float, max_steps: int = 0, batching: Any = "shared_prefix") -> Any:
        return lay_out(
            encoded,
            batching=batching,
            pack_length=192,
            batch=2,
            rows_a_step=4,
            epochs=epochs,
            max_steps=max_steps,
            seed=1,
        )

    assert plan(3).order == plan(3).order
    assert plan(3).tokens == plan(3).tokens
    whole, half = plan(1, batching="plain"), plan(0.5, batching="plain")
    assert sorted(whole.order) == list(range(len(encoded)))
    assert half.order == whole.order[: len(encoded) // 2]
    twice = plan(2, batching="plain").order
    assert twice[: len(encoded)] == whole.order
    assert twice[len(encoded) :] != whole.order
    assert len(plan(1, max_steps=30).order) == 30 * 4


def test_rows_of_a_batch_are_of_like_length() -> None:
    lengths = list(np.random.default_rng(0).integers(10, 1000, 400))
    order = arrange(lengths, "by_length", 4, 4, np.random.default_rng(1))
    assert sorted(order) == list(range(400))
    batches = [[lengths[i] for i in order[at : at + 4]] for at in range(0, 400, 4)]
    padding = sum(max(batch) * 4 - sum(batch) for batch in batches) / sum(lengths)
    plain = arrange(lengths, "plain", 4, 4, np.random.default_rng(1))
    batches = [[lengths[i] for i in plain[at : at + 4]] for at in range(0, 400, 4)]
    assert padding < 0.15 < sum(max(batch) * 4 - sum(batch) for batch in batches) / sum(lengths)
    assert lengths[order[0]] == max(lengths)


def test_examples_with_the_same_prompt_share_all_of_it_where_that_is_shorter() -> None:
    """Two long prompts that differ early, many examples each: apart they are fewer tokens than together."""

    def asked(number: int) -> np.ndarray:
        return np.array([7, number, *range(100, 160)], np.int32)

    def answered(number: int, prompt: int) -> Encoded:
        return Encoded(str(number), "c", asked(prompt), np.array([number, 1], np.int32))

    many = [answered(number, number % 2) for number in range(20)]
    apart = packs(many, 200, np.random.default_rng(0))
    assert sorted(len(row.prefix) for row in apart) == [61, 61]
    few = [answered(number, number) for number in range(20)]
    together = packs(few, 2000, np.random.default_rng(0))
    assert [len(row.prefix) for row in together] == [1]
    for rows, examples in ((apart, many), (together, few)):
        wholes = sorted((*r.prefix.tolist(), *a.tolist(), *b.tolist()) for r in rows for a, b in r.members)
        assert wholes == sorted((*e.prompt.tolist(), *e.completion.tolist()) for e in examples)
