"""Prompts and completions by chat templates of several kinds."""

from typing import Any

import pytest

pytest.importorskip("transformers", reason="the training extra is not installed")

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer.encode import encode, encode_all, encode_prompt, render
from tests.trainer.conftest import CHATML, EXAMPLES, example, train_tokenizer

LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
"""Llama-2-chat's own."""

NO_SYSTEM = CHATML.replace(
    "{% for message in messages %}",
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}",
)
DEAF = CHATML.replace(
    "{% for message in messages %}", "{% for message in messages if message['role'] != 'system' %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer()


def test_the_completion_ends_with_the_end_token_and_nothing_after_it(tokenizer: Any) -> None:
    row = example(3)
    prompt, completion = encode(tokenizer, row["prompt"], row["completion"])
    assert tokenizer.decode(prompt) == render(tokenizer, row["prompt"], ask=True)
    assert tokenizer.decode(prompt).endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(completion) == row["completion"][0]["content"] + "<|im_end|>"
    assert completion[-1] == tokenizer.eos_token_id
    assert completion.count(tokenizer.eos_token_id) == 1
    assert encode_prompt(tokenizer, row["prompt"]) == prompt


def test_a_template_that_writes_no_end_token_gets_one(tokenizer: Any) -> None:
    bare = train_tokenizer(
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    _, completion = encode(bare, example(1)["prompt"], example(1)["completion"])
    assert completion[-1] == bare.eos_token_id


def test_the_papers_pair_is_what_llama_2s_template_writes() -> None:
    """`<s> [INST] {prompt} [/INST] {completion} </s>`; a blank after <s> is sentencepiece's own."""
    llama = train_tokenizer(LLAMA2)
    llama.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>"})
    asked = "Get the main information about data preprocessing for this problem. Data type: tabular."
    prompt, completion = encode(
        llama, [{"role": "user", "content": asked}], [{"role": "assistant", "content": "Fill the gaps."}]
    )
    text = llama.decode([*prompt, *completion])
    assert text.replace("<s>[", "<s> [") == f"<s> [INST] {asked} [/INST] Fill the gaps. </s>"
    assert llama.decode(prompt).endswith("[/INST]")
    assert llama.decode(completion) == " Fill the gaps. </s>"


@pytest.mark.parametrize("template", [NO_SYSTEM, DEAF], ids=["refuses", "drops"])
def test_a_system_text_without_a_place_goes_before_the_first_user_message(template: str) -> None:
    row = example(2)
    system, user = (message["content"] for message in row["prompt"])
    prompt, _ = encode(tokenizer := train_tokenizer(template), row["prompt"], row["completion"])
    assert f"<|im_start|>user\n{system}\n\n{user}<|im_end|>" in tokenizer.decode(prompt)
    assert tokenizer.decode(prompt).count("<|im_start|>") == 2


def test_a_template_that_hears_the_system_gets_it_as_it_is(tokenizer: Any) -> None:
    prompt, _ = encode(tokenizer, example(2)["prompt"], example(2)["completion"])
    assert tokenizer.decode(prompt).startswith("<|im_start|>system\nYou write")


def test_a_token_over_the_border_does_not_move_it() -> None:
    """Without a break before the answer, the two would melt into one token; generation starts from the prompt's."""
    melting = train_tokenizer(
        "{% for m in messages %}{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}{% endif %}"
    )
    prompt = [{"role": "user", "content": "fill the ga"}]
    asked, completion = encode(melting, prompt, [{"role": "assistant", "content": "ps with the median"}])
    assert asked == melting("fill the ga")["input_ids"]
    assert melting.decode(completion) == "ps with the median<|im_end|>"
    assert melting("fill the gaps with the median")["input_ids"][: len(asked)] != asked


def test_a_template_that_rewrites_the_prompt_is_refused() -> None:
    turning = train_tokenizer(
        "{% if messages[-1]['role'] == 'assistant' %}{{ 'closed ' }}{% endif %}"
        "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    )
    with pytest.raises(TrainingError, match="otherwise once an answer follows"):
        encode(turning, example(0)["prompt"], example(0)["completion"])


def test_a_model_without_template_is_refused() -> None:
    with pytest.raises(TrainingError, match="has no chat template"):
        encode(train_tokenizer(None), example(0)["prompt"], example(0)["completion"])


def test_too_long_examples_are_left_out_and_none_is_cut(tokenizer: Any) -> None:
    whole, none = encode_all(tokenizer, EXAMPLES, 10_000)
    assert not none
    assert len(whole) == len(EXAMPLES)
    limit = sorted(len(e) for e in whole)[len(whole) // 2]
    kept, left_out = encode_all(tokenizer, EXAMPLES, limit)
    assert left_out
    assert {e.example for e in kept} | set(left_out) == {row["example"] for row in EXAMPLES}
    lengths = {e.example: len(e) for e in whole}
    assert all(len(e) == lengths[e.example] <= limit for e in kept)
    assert all(lengths[name] > limit for name in left_out)
