"""What a fine-tune would do, counted without training anything: examples, rows, steps, tokens."""

import importlib.util
import math
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from linguacodus_core.dataset.examples import CountTokens
from linguacodus_core.dataset.tokens import counter
from linguacodus_core.errors import ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.training.base import EMBEDDED, kind_of
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job

AROUND = 5
"""Tokens that a chat template puts around a message, about."""

SMI_SECONDS = 10.0

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Projection:
    """Counts of a job. tokens, rows (of an epoch) and steps are estimates: no chat template is asked."""

    job: Job
    examples: int
    competitions: int
    heldout: int
    heldout_competitions: int
    left_out: int
    rows: int
    steps: int
    tokens: int
    pairs: int
    heldout_pairs: int

    def lines(self) -> Iterator[str]:
        """What it comes to, for a user."""
        config = self.job.config
        yield f"configuration {config.name}: {config.description}"
        yield f"base {self.job.base} ({self.job.base_identity}; {_where(self.job.base)})"
        yield f"datasets {', '.join(self.job.datasets)}, prompt set {config.prompt_set}"
        yield f"{self.examples:,} examples of {self.competitions} competitions to train on"
        yield f"{self.heldout:,} examples of {self.heldout_competitions} competitions held out"
        if self.left_out:
            yield f"about {self.left_out:,} of them are longer than training.max_length: they are left out"
        yield f"about {self.rows:,} rows an epoch ({config.training.batching})"
        yield f"about {self.steps:,} steps, {self.tokens:,} tokens"
        if self.job.preferences:
            yield f"then preferences: {self.pairs:,} pairs to learn from, {self.heldout_pairs:,} held out"
        yield from machine(config)
        yield f"the job's tables: {self.job.folder}"


def project(job: Job) -> Projection:
    """Count what the job's tables hold, and estimate what training on them would take.

    Tokens are counted by the base's own tokenizer where that is a model embedded here, else estimated.
    """
    with counter(_tokenizer(job.base)) as count:
        return _projected(job, count)


def _projected(job: Job, count: CountTokens) -> Projection:
    train, heldout, pairs = (job.table(name).to_pylist() for name in ("train", "heldout", "pairs"))
    lengths = _lengths(train, count)
    settings = job.config.training
    short = [
        (row, length) for row, length in zip(train, lengths, strict=True) if length <= settings.max_length
    ]
    packed = settings.batching == "shared_prefix"
    rows, tokens = _packed(settings.pack_length, short, count) if packed else _alone(short)
    a_step = settings.batch * settings.accumulation * job.config.hardware.processes
    steps = settings.max_steps or math.ceil(rows * settings.epochs / a_step)
    split = [row["split"] for row in pairs]
    return Projection(
        job=job,
        examples=len(train),
        competitions=len({row["competition"] for row in train}),
        heldout=len(heldout),
        heldout_competitions=len({row["competition"] for row in heldout}),
        left_out=len(train) - len(short),
        rows=rows,
        steps=steps,
        tokens=round(tokens * steps * a_step / rows) if rows else 0,
        pairs=split.count("train"),
        heldout_pairs=split.count("heldout"),
    )


def machine(config: FinetuneConfig) -> Iterator[str]:
    """What there is to train on, and what of the configuration does not fit it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory()
    cards = _cards()
    for card in cards:
        yield f"GPU: {card}"
    yield f"{cores} cores, {memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB of memory free"
    if config.hardware.device == "cuda" and not cards:
        yield "no GPU is seen here, and hardware.device asks for one"
    elif not cards and config.quantization.bits:
        yield "no GPU is seen here: 4-bit weights train slowly on a CPU (smollm2-135m-cpu is made for one)"
    if config.hardware.processes > max(len(cards), 1) and config.hardware.device != "cpu" and cards:
        yield f"{config.hardware.processes} processes, {len(cards)} GPU(s)"


def _alone(rows: Sequence[tuple[Mapping[str, Any], int]]) -> tuple[int, int]:
    return len(rows), sum(length for _, length in rows)


def _packed(
    pack_length: int, rows: Sequence[tuple[Mapping[str, Any], int]], count: CountTokens
) -> tuple[int, int]:
    """(packs, tokens): of each competition the beginning of its prompts once a pack, then the rest."""
    groups: dict[str, list[tuple[Mapping[str, Any], int]]] = defaultdict(list)
    for row, length in rows:
        groups[row["competition"]].append((row, length))
    packs = tokens = 0
    for group in groups.values():
        shared = count([_shared([_text(row["prompt"]) for row, _ in group])])[0]
        own = sum(length - shared for _, length in group)
        needed = min(len(group), math.ceil(own / max(1, pack_length - shared)))
        packs, tokens = packs + needed, tokens + own + needed * shared
    return packs, tokens


def _lengths(rows: Sequence[Mapping[str, Any]], count: CountTokens) -> list[int]:
    """Tokens of each example, prompt and completion."""
    asked = [[*row["prompt"], *row["completion"]] for row in rows]
    counts = iter(count([message["content"] for messages in asked for message in messages]))
    return [sum(next(counts) + AROUND for _ in messages) for messages in asked]


def _shared(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts), max(texts)
    length = next((at for at, letter in enumerate(first) if letter != last[at : at + 1]), len(first))
    return first[:length]


def _text(messages: Messages) -> str:
    return "\n".join(message["content"] for message in messages)


def _tokenizer(base: str) -> str:
    """The embedded model whose tokenizer can be asked here; "" for none."""
    if kind_of(base) != "embedded" or importlib.util.find_spec("xllamacpp") is None:
        return ""
    name = base.removeprefix(EMBEDDED)
    try:
        models.path(name)
    except ModelUnavailable:
        return ""
    return name


def _where(base: str) -> str:
    """How the base comes here."""
    kind = kind_of(base)
    if kind == "hub":
        return "from the hub, unless it is here"
    return "converted once" if kind == "embedded" else "a folder"


def _cards() -> list[str]:
    """The NVIDIA cards that the driver's tool sees, each with its memory; none where there is no tool."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    asked = [tool, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=SMI_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in said.splitlines() if line.strip()]
