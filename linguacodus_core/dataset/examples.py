"""Prompt and completion pairs out of solutions and instructions, in both prompt sets.

The set `default` asks exactly as generation asks (one format for training and inference; the competition's
data are not at hand, so their lines are left out); the set `paper` is the paper's fine-tuning pair, which
names a place and so takes no solution without one.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from linguacodus_core.dataset.split import Split
from linguacodus_core.instructions.context import (
    ask,
    better,
    block,
    block_tokens,
    defused,
    ordinal,
    tokens,
    trim_description,
)
from linguacodus_core.tables import DATASET, table

CountTokens = Callable[[Sequence[str]], Sequence[int]]
"""How many tokens each of some texts has."""

OPENS, CLOSES = "[INST] ", " [/INST] "
"""Llama-2's marks around what the user says, as the paper's pair writes them."""

WHOLE = 10**9
"""A limit that cuts no description: what is left is its text without pictures and markup."""

ACROSS, NO_PLACE, NO_METRIC = "near-duplicate across the split", "no place", "no metric"
NO_DATA_TYPE, TOO_LONG = "no data type", "longer than the context"


def estimated(texts: Sequence[str]) -> list[int]:
    """About how many tokens each text has, whatever the tokenizer (3.5 characters of ASCII a token)."""
    return [tokens(text) for text in texts]


def examples(
    competition: Mapping[str, Any],
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    split: Split,
    leaks: Mapping[str, str],
    prompt_sets: Sequence[str],
    context: int,
    count: CountTokens,
) -> tuple[pa.Table, pa.Table]:
    """Tables `examples` and `dropped` for one competition.

    competition: a row of `competitions`. pairs: (solution, instruction) rows. leaks: solutions that stand
    in a split further out -> which. context: tokens of the model to be tuned; a description is cut to what
    generation would show it, and how many tokens that cost stands in every row.
    """
    rows: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    description = defused(competition["description"] or "")
    whole = tokens(trim_description(description, WHOLE))
    shown = {name: trim_description(description, _room(name, context)) for name in prompt_sets}
    for solution, instruction in pairs:
        if near := leaks.get(solution["solution"]):
            dropped.append(_drop(competition, instruction, ACROSS, f"of {near}"))
            continue
        for prompt_set in prompt_sets:
            made = _example(
                prompt_set, competition, solution["place"], instruction["text"], shown[prompt_set]
            )
            if isinstance(made, str):
                dropped.append(_drop(competition, instruction, made, f"prompt set {prompt_set}"))
                continue
            label, prompt, text = made
            rows.append(
                {
                    "example": _id(prompt_set, prompt, instruction["text"], solution["solution"]),
                    "split": split,
                    "prompt_set": prompt_set,
                    "prompt_label": label,
                    "competition": competition["competition"],
                    "solution": solution["solution"],
                    "instruction": instruction["instruction"],
                    "place": solution["place"],
                    "prompt": prompt,
                    "completion": [{"role": "assistant", "content": instruction["text"]}],
                    "text": text,
                    "description_tokens_cut": max(0, whole - tokens(shown[prompt_set])),
                }
            )
    _count(rows, count)
    fitting = [row for row in rows if row["prompt_tokens"] + row["completion_tokens"] <= context]
    dropped += [
        _drop(competition, row, TOO_LONG, f"{row['prompt_tokens'] + row['completion_tokens']:,} tokens")
        for row in rows
        if row["prompt_tokens"] + row["completion_tokens"] > context
    ]
    return table("examples", fitting, DATASET), table("dropped", dropped, DATASET)


def asked(
    prompt_set: str, competition: Mapping[str, Any], place: int | None, context: int
) -> list[dict[str, str]] | str:
    """What a prompt set asks for the solution in that place (None: for any good one), or why it cannot ask.

    Word for word the prompt that an example of that place has. competition: a row of `competitions`. context:
    tokens of the model that is asked.
    """
    description = trim_description(defused(competition["description"] or ""), _room(prompt_set, context))
    made = _example(prompt_set, competition, place, "", description)
    return made if isinstance(made, str) else made[1]


def _example(
    prompt_set: str, competition: Mapping[str, Any], place: int | None, instruction: str, description: str
) -> tuple[str, list[dict[str, str]], str | None] | str:
    """(label, messages, the pair as one text), or why there is none."""
    spelled = ordinal(place) if place else ""
    if prompt_set == "default":
        about = block(
            title=competition["title"] or competition["competition"],
            data_types=competition["data_types"] or (),
            metric=competition["metric"] or "",
            goal=better(competition["direction"] or ""),
            description=description,
        )
        rendered = ask("default", "instruction", task=about, place=spelled)
        return rendered.prompt, [dict(message) for message in rendered.messages], None
    if not spelled:
        return NO_PLACE
    if not competition["metric"]:
        return NO_METRIC
    if not competition["data_types"]:
        return NO_DATA_TYPE
    rendered = ask(
        "paper",
        "pair",
        place=spelled,
        data_type=" and ".join(competition["data_types"]),
        metric=competition["metric"],
        description=description,
        instruction=defused(instruction),
    )
    text = str(rendered.messages[-1]["content"])
    said = text[text.index(OPENS) + len(OPENS) : text.rindex(CLOSES)]
    return rendered.prompt, [{"role": "user", "content": said}], text


def _room(prompt_set: str, context: int) -> int:
    """Tokens that a prompt of a set has for the description: as generation gives it."""
    return block_tokens(context) if prompt_set == "default" else min(max(context // 6, 300), 6000)


def _count(rows: list[dict[str, Any]], count: CountTokens) -> None:
    prompts = count(["\n".join(message["content"] for message in row["prompt"]) for row in rows])
    completions = count([row["completion"][0]["content"] for row in rows])
    for row, prompt, completion in zip(rows, prompts, completions, strict=True):
        row |= {"prompt_tokens": prompt, "completion_tokens": completion}


def _id(prompt_set: str, prompt: Sequence[Mapping[str, str]], completion: str, solution: str) -> str:
    parts = [prompt_set, solution, *(message["content"] for message in prompt), completion]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _drop(
    competition: Mapping[str, Any], instruction: Mapping[str, Any], reason: str, detail: str
) -> dict[str, Any]:
    return {
        "table": "examples",
        "row": instruction["instruction"],
        "competition": competition["competition"],
        "reason": reason,
        "detail": detail,
    }


def truncation(made: pa.Table) -> Iterator[tuple[str, int, int]]:
    """(prompt set, examples whose description was cut, tokens left out in all)."""
    found: dict[str, tuple[int, int]] = {}
    for row in made.select(["prompt_set", "description_tokens_cut"]).to_pylist():
        cut, left_out = found.get(row["prompt_set"], (0, 0))
        found[row["prompt_set"]] = (
            cut + bool(row["description_tokens_cut"]),
            left_out + row["description_tokens_cut"],
        )
    yield from ((name, cut, left_out) for name, (cut, left_out) in sorted(found.items()))
