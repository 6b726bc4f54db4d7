"""The block about the task that every prompt of a run begins with, trimmed to the model's context.

The same words come first in each prompt, so that a server keeps their computed prefix (llama.cpp's
prompt cache) and only the question at the end costs time.
"""

import re
from collections.abc import Sequence
from typing import Any, Protocol

from linguacodus_core.llm.prompts import Rendered, load
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

DEFAULT_CONTEXT = 8192
"""Tokens of context assumed for a model whose profile does not say."""

_RELEVANT = re.compile(
    r"evaluat|metric|scor|submission|predict|target|column|feature|field|data ?set|\bdata\b|train|test",
    re.IGNORECASE,
)
_CONTROL = re.compile(
    r"<\||\|>|\[(?=/?INST\])|<(?=</?SYS>>)|<(?=/?s>)|<(?=/?(?:task|description|data|instruction)\b)"
)
_PIECE = 500


class Profiled(Protocol):
    """What prompts show of a data profile."""

    def text(self, limit: int) -> str:
        """The profile in words, at most `limit` characters."""


def tokens(text: str) -> int:
    """Roughly how many tokens a text takes: 3.5 ASCII characters a token, one token any other character."""
    plain = sum(map(str.isascii, text))
    return int(plain / 3.5) + len(text) - plain + 1


def defused(text: str) -> str:
    """Untrusted text with chat-template markers and our own delimiters broken by a space.

    A description that holds `<|im_start|>` or `</task>` can then not end the block it stands in.
    """
    return _CONTROL.sub(lambda found: found.group()[0] + " " + found.group()[1:], text.replace("\x00", ""))


def cut(text: str, limit: int) -> str:
    """The beginning of a text, at most about `limit` tokens, ended at a word."""
    if tokens(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) < limit else (low, middle - 1)
    kept = text[:low]
    return (kept.rsplit(maxsplit=1)[0] if len(kept.split()) > 1 else kept) + " [...]"


def _pieces(text: str) -> list[str]:
    """Paragraphs, long ones in pieces of about 500 characters that end at a sentence or a word."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        paragraph = paragraph.strip()
        while len(paragraph) > _PIECE:
            end = max(paragraph.rfind(mark, 0, _PIECE) for mark in (". ", "\n", "。", "! ", "? "))
            end = end + 1 if end > _PIECE // 3 else max(paragraph.rfind(" ", 0, _PIECE), 0) or _PIECE
            found.append(paragraph[:end].strip())
            paragraph = paragraph[end:].strip()
        if paragraph:
            found.append(paragraph)
    return found


LONGEST_DESCRIPTION = 200_000
"""Characters of a description that are looked at; Kaggle's longest have a tenth of that."""


def trim_description(description: str, limit: int, names: tuple[str, ...] = ()) -> str:
    """The description in at most about `limit` tokens: its beginning, then what tells of data and metric.

    names: columns and the metric; a paragraph that holds one counts in any language.
    What is left out is marked by [...].
    """
    text = re.sub(
        r"!\[[^\]]{0,300}\]\([^)]{0,1000}\)|<img[^>]{0,1000}>|<!--.{0,2000}?-->",
        "",
        description[:LONGEST_DESCRIPTION],
        flags=re.DOTALL,
    )
    text = re.sub(r"\[([^\]]{1,200})\]\([^)]{1,500}\)", r"\1", text)
    text = (
        re.sub(r"</?[a-zA-Z][^>\n]{0,200}>", " ", text) if re.search(r"</(p|div|li|a|span)>", text) else text
    )
    text = re.sub(r"[ \t\u00a0]+", " ", text)
    if tokens(text) <= limit:
        return text.strip()
    pieces = list(dict.fromkeys(_pieces(text)))

    def worth(position: int) -> float:
        piece = pieces[position]
        heading = (
            position > 0 and pieces[position - 1].startswith("#") and _RELEVANT.search(pieces[position - 1])
        )
        named = sum(name in piece for name in names if len(name) > 2)
        return (
            2.0 * bool(heading)
            + min(named, 4)
            + 0.5 * min(len(_RELEVANT.findall(piece)), 4) / (1 + position / 50)
        )

    order = sorted(range(len(pieces)), key=lambda position: -worth(position))
    kept: dict[int, str] = {}
    left = limit
    for position, piece in enumerate(pieces):
        cost = tokens(piece)
        if limit - left + cost > 0.4 * limit:
            if not kept:
                kept[position] = cut(piece, int(0.4 * limit))
                left -= int(0.4 * limit)
            break
        kept[position] = piece
        left -= cost
    for position in order:
        cost = tokens(pieces[position]) + 3
        if position not in kept and cost <= left:
            kept[position] = pieces[position]
            left -= cost
    parts: list[str] = []
    last = -1
    for position in sorted(kept):
        if position != last + 1:
            parts.append("[...]")
        parts.append(kept[position])
        last = position
    if last != len(pieces) - 1 and not parts[-1].endswith("[...]"):
        parts.append("[...]")
    return "\n".join(parts)


def better(direction: str) -> str:
    """Whether more or less of a metric is better ("max" or "min"), in words."""
    return "higher is better" if direction == "max" else "lower is better"


def goal(spec: TaskSpec) -> str:
    """Whether more or less of the task's metric is better, in words."""
    return better(spec.direction)


def predicted(spec: TaskSpec) -> str:
    """What a submission holds, in words."""
    targets = ", ".join(spec.targets[:12]) + (", ..." if len(spec.targets) > 12 else "")
    classes = ", ".join(spec.classes[:12]) + (", ..." if len(spec.classes) > 12 else "")
    if spec.layout == "class_columns":
        return f"one probability column a class of {targets} ({classes})"
    if spec.prediction == "probability":
        return f"the probability of {targets}"
    if spec.prediction == "label":
        return f"{targets}, a label{f' out of {classes}' if classes else ''}"
    return f"{targets}, a number"


def context_length(client: Any) -> int:
    """Tokens of context of the client's profile, DEFAULT_CONTEXT when it does not say."""
    return int(getattr(getattr(client, "profile", None), "context", None) or DEFAULT_CONTEXT)


def block_tokens(context: int) -> int:
    """Tokens that the block about a task may take for a model of that context: a tenth, 300 to 6000.

    A small model on two cores reads some 30 tokens a second, so more would cost minutes.
    """
    return min(max(context // 10, 300), 6000)


def task_block(spec: TaskSpec, profile: Profiled, context: int = DEFAULT_CONTEXT) -> str:
    """The block <task>...</task>: title, metric, description, data profile, for a model of that context."""
    budget = block_tokens(context)
    names = (*spec.targets, spec.metric, *((spec.id_column,) if spec.id_column else ()))
    shown = cut(defused(profile.text(int(budget * 0.55 * 3.5))), int(budget * 0.6))
    description = trim_description(defused(spec.description), max(budget - tokens(shown) - 60, 120), names)
    return block(
        title=spec.title,
        data_types=[kind.value for kind in spec.data_types],
        metric=spec.metric,
        goal=goal(spec),
        predict=predicted(spec),
        description=description,
        profile=shown,
    )


def block(
    *,
    title: str,
    data_types: Sequence[str],
    metric: str,
    goal: str,
    description: str,
    predict: str = "",
    profile: str = "",
) -> str:
    """The block about a task from its parts; description and profile are cut and defused already.

    What is not known ("") has no line: a competition of the corpus comes without its data.
    """
    rendered = load("default", "task").render(
        title=cut(defused(title), 40),
        data_type=", ".join(data_types),
        metric=metric,
        goal=goal,
        predict=cut(defused(predict), 120),
        description=description,
        profile=profile,
    )
    return str(rendered.messages[-1]["content"]).strip()


def ask(prompt_set: str, name: str, **known: Any) -> Rendered:
    """A prompt of a set rendered with those of the known values that it declares.

    Raises PromptError for an unknown set or prompt, or when a declared variable is not among the known ones.
    """
    prompt = load(prompt_set, name)
    return prompt.render(**{variable: known[variable] for variable in prompt.variables if variable in known})


COMMON = ("task", "title", "description", "data_type", "metric", "goal", "files")
"""What every prompt about a task may ask for (see known_values)."""


def known_values(spec: TaskSpec, profile: Profiled, context: int) -> dict[str, Any]:
    """The values that prompts of any set may ask for about a task."""
    return {
        "task": task_block(spec, profile, context),
        "title": defused(spec.title),
        "description": trim_description(defused(spec.description), min(max(context // 6, 300), 6000)),
        "data_type": " and ".join(kind.value for kind in spec.data_types or (DataType.TABULAR,)),
        "metric": spec.metric,
        "goal": goal(spec),
        "files": ", ".join(f"./data/{name}" for name in (spec.train_file, spec.test_file, spec.sample_file)),
    }


def ordinal(place: int) -> str:
    """first, second, third, 4th, ..., as the prompts spell a place."""
    if 1 <= place <= 3:
        return ("first", "second", "third")[place - 1]
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"
