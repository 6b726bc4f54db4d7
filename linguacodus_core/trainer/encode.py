"""Prompts and completions as tokens, by the model's own chat template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jinja2.exceptions import TemplateError
from numpy.typing import NDArray

from linguacodus_core.errors import TrainingError

Message = Mapping[str, str]
Tokens = NDArray[np.int32]


@dataclass(frozen=True)
class Encoded:
    """One example as tokens: what is read, and what is learnt (the end token is its last)."""

    example: str
    competition: str
    prompt: Tokens
    completion: Tokens

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def encode(
    tokenizer: Any, prompt: Sequence[Message], completion: Sequence[Message]
) -> tuple[list[int], list[int]]:
    """The tokens of a prompt as generation sends it, and those of the completion up to the end token.

    Raises TrainingError when the model has no chat template, or one whose prompt does not stand at the
    beginning of the whole conversation.
    """
    asked = _settled(tokenizer, prompt)
    prefix = _tokens(tokenizer, asked, ask=True)
    whole = _tokens(tokenizer, [*asked, *completion], ask=False)
    if whole[: len(prefix)] != prefix:
        return prefix, _ended(tokenizer, _rest_by_text(tokenizer, asked, completion))
    return prefix, _ended(tokenizer, whole[len(prefix) :])


def encode_prompt(tokenizer: Any, prompt: Sequence[Message]) -> list[int]:
    """The tokens of a prompt, as in encode()."""
    return _tokens(tokenizer, _settled(tokenizer, prompt), ask=True)


def encode_all(
    tokenizer: Any, rows: Iterable[Mapping[str, Any]], max_length: int
) -> tuple[list[Encoded], list[str]]:
    """Rows of an examples table as tokens, and the names of those left out, longer than max_length."""
    kept: list[Encoded] = []
    left_out: list[str] = []
    for row in rows:
        prompt, completion = encode(tokenizer, row["prompt"], row["completion"])
        if len(prompt) + len(completion) > max_length:
            left_out.append(row["example"])
            continue
        kept.append(
            Encoded(
                row["example"],
                row["competition"],
                np.asarray(prompt, np.int32),
                np.asarray(completion, np.int32),
            )
        )
    return kept, left_out


def render(tokenizer: Any, messages: Sequence[Message], *, ask: bool) -> str:
    """The text of a conversation; with ask, up to where the model is to go on."""
    return str(
        tokenizer.apply_chat_template(
            list(_settled(tokenizer, messages)), tokenize=False, add_generation_prompt=ask
        )
    )


def _settled(tokenizer: Any, messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages; the system's text goes before the first user message where the template has no room."""
    if tokenizer.chat_template is None:
        raise TrainingError(
            f"{tokenizer.name_or_path} has no chat template",
            "give the instruct (chat) version of the model, or put a chat_template.jinja into its folder",
        )
    plain = [dict(message) for message in messages]
    if not plain or plain[0]["role"] != "system" or _hears_system(tokenizer, tokenizer.chat_template):
        return plain
    system, *others = plain
    if not others or others[0]["role"] != "user":
        return [{"role": "user", "content": system["content"]}, *others]
    first = {"role": "user", "content": f"{system['content']}\n\n{others[0]['content']}"}
    return [first, *others[1:]]


@lru_cache
def _hears_system(tokenizer: Any, template: str) -> bool:
    """Whether the template shows a system message to the model; some refuse it, some drop it."""
    said = "what the system says"
    try:
        text = tokenizer.apply_chat_template(
            [{"role": "system", "content": said}, {"role": "user", "content": "x"}], tokenize=False
        )
    except TemplateError:
        return False
    return said in text


def _tokens(tokenizer: Any, messages: Sequence[Message], *, ask: bool) -> list[int]:
    return list(
        tokenizer.apply_chat_template(
            list(messages), tokenize=True, add_generation_prompt=ask, return_dict=False
        )
    )


def _rest_by_text(tokenizer: Any, prompt: Sequence[Message], completion: Sequence[Message]) -> list[int]:
    """The completion's tokens where a token would reach over the prompt's end: its text, read by itself."""
    asked = render(tokenizer, prompt, ask=True)
    whole = render(tokenizer, [*prompt, *completion], ask=False)
    if not whole.startswith(asked):
        raise TrainingError(
            f"the chat template of {tokenizer.name_or_path} writes a prompt otherwise once an answer follows",
            "put a chat_template.jinja into the model's folder that leaves the prompt as it was",
        )
    return list(tokenizer(whole[len(asked) :], add_special_tokens=False)["input_ids"])


def _ended(tokenizer: Any, completion: list[int]) -> list[int]:
    """Up to the last end token; what a template writes after it is nothing the model has to learn."""
    end = tokenizer.eos_token_id
    if end is None:
        raise TrainingError(
            f"{tokenizer.name_or_path} has no end token", "name one as eos_token in its tokenizer_config.json"
        )
    for position in range(len(completion) - 1, -1, -1):
        if completion[position] == end:
            return completion[: position + 1]
    return [*completion, end]
