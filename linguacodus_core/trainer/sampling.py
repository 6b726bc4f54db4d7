"""Texts drawn from a model: several prompts with one beginning, several texts a prompt, all at once.

The texts of a batch are branches of one tree: the common beginning of the prompts stands once in the model's
memory (KV cache), then what each prompt has of its own, then each text. Who sees whom is a mask. Copies of
the prompt for each text would cost a small model more time than its weights do.
"""

import hashlib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer.likelihood import shared, shares_prefixes

Tokens = Sequence[int]
LIKELIEST = 512
"""Tokens among which the nucleus is looked for first."""


@dataclass(frozen=True)
class Asked:
    """One text to draw. prompt: tokens; seed: words that decide its draws, whatever is drawn beside it."""

    prompt: tuple[int, ...]
    seed: str


@dataclass(frozen=True)
class Drawn:
    """The tokens of a text, the end token left out. cut: no end token came within the limit."""

    tokens: tuple[int, ...]
    cut: bool


@dataclass
class _Branch:
    """A text in the making. chance: its own source of uniform numbers."""

    part: int
    position: int
    chance: random.Random
    tokens: list[int] = field(default_factory=list)
    ended: bool = False


@torch.no_grad()
def draw(
    model: Any,
    asked: Sequence[Asked],
    *,
    temperature: float,
    top_p: float,
    max_tokens: int,
    ends: Collection[int],
) -> list[Drawn]:
    """Draw all these texts side by side.

    temperature, top_p: as chat endpoints have them. max_tokens: of a text, its end token counted. ends:
    tokens that end a text. The same arguments give the same texts, in any process on the same machine.
    """
    if not shares_prefixes(model):
        return _by_prompt(model, asked, temperature, top_p, max_tokens, ends)
    tree = _Tree(model, asked)
    logits = tree.read_prompts()
    while True:
        for branch, token in zip(tree.live, _choose(logits, tree.live, temperature, top_p), strict=True):
            branch.ended = token in ends
            if not branch.ended:
                branch.tokens.append(token)
        tree.live = [item for item in tree.live if not item.ended and len(item.tokens) < max_tokens]
        if not tree.live:
            return [Drawn(tuple(branch.tokens), not branch.ended) for branch in tree.branches]
        logits = tree.read_last()


def _by_prompt(
    model: Any,
    asked: Sequence[Asked],
    temperature: float,
    top_p: float,
    max_tokens: int,
    ends: Collection[int],
) -> list[Drawn]:
    """The same with transformers' own loop, a prompt at a time, for models that share no prefix.

    The seeds of a prompt's texts decide them together.
    """
    found: dict[int, Drawn] = {}
    for prompt in dict.fromkeys(item.prompt for item in asked):
        own = [number for number, item in enumerate(asked) if item.prompt == prompt]
        seed = _chance("\0".join(asked[number].seed for number in own)).getrandbits(60)
        ids = torch.tensor([prompt], device=model.device)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            texts = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                temperature=temperature,
                top_p=top_p,
                top_k=0,
                repetition_penalty=1.0,
                max_new_tokens=max_tokens,
                num_return_sequences=len(own),
                eos_token_id=sorted(ends) or None,
                pad_token_id=min(ends, default=0),
            )
        for number, text in zip(own, texts[:, len(prompt) :].tolist(), strict=True):
            end = next((at for at, token in enumerate(text) if token in ends), None)
            found[number] = Drawn(tuple(text[:end]), cut=end is None)
    return [found[number] for number in range(len(asked))]


class _Tree:
    """The model's memory of all branches. Parts: 0 the common beginning, then the prompts, then the texts."""

    def __init__(self, model: Any, asked: Sequence[Asked]) -> None:
        self._model = model
        self._device = model.device
        self._prompts = list(dict.fromkeys(item.prompt for item in asked))
        self._beginning = shared(self._prompts)
        self._memory = DynamicCache(config=model.config)
        self.branches = [
            _Branch(self._prompts.index(item.prompt) + 1, len(item.prompt), _chance(item.seed))
            for item in asked
        ]
        self.live = list(self.branches)
        first_text = len(self._prompts) + 1
        self._texts = {id(branch): first_text + number for number, branch in enumerate(self.branches)}
        self._parts: list[int] = []

    def read_prompts(self) -> torch.Tensor:
        """Read what all texts go on from; the logits (branches, vocabulary) of their first tokens."""
        tokens = list(self._prompts[0][: self._beginning])
        positions = list(range(self._beginning))
        self._parts = [0] * self._beginning
        lasts = []
        for number, prompt in enumerate(self._prompts, 1):
            tokens += prompt[self._beginning :]
            positions += range(self._beginning, len(prompt))
            self._parts += [number] * (len(prompt) - self._beginning)
            lasts.append(len(tokens) - 1)
        parts = torch.tensor(self._parts)
        sees = ((parts[:, None] == parts[None, :]) | (parts[None, :] == 0)).tril()
        logits = self._forward(tokens, positions, sees, torch.tensor(lasts))
        return logits[[branch.part - 1 for branch in self.branches]]

    def read_last(self) -> torch.Tensor:
        """Read the newest token of every live text; the logits (live, vocabulary) of the next ones."""
        self._parts += [self._texts[id(branch)] for branch in self.live]
        parts = torch.tensor(self._parts)
        prompt = torch.tensor([branch.part for branch in self.live])
        text = torch.tensor([self._texts[id(branch)] for branch in self.live])
        sees = (parts == 0) | (parts == prompt[:, None]) | (parts == text[:, None])
        positions = [branch.position + len(branch.tokens) - 1 for branch in self.live]
        every = torch.arange(len(self.live))
        return self._forward([branch.tokens[-1] for branch in self.live], positions, sees, every)

    def _forward(
        self, tokens: Tokens, positions: Sequence[int], sees: torch.Tensor, kept: torch.Tensor
    ) -> torch.Tensor:
        mask = sees[None, None]
        if self._model.config._attn_implementation == "eager":
            mask = torch.where(mask, 0.0, torch.finfo(self._model.dtype).min).to(self._model.dtype)
        found = self._model(
            input_ids=torch.tensor([tokens], device=self._device),
            position_ids=torch.tensor([positions], device=self._device),
            attention_mask=mask.to(self._device),
            past_key_values=self._memory,
            use_cache=True,
            logits_to_keep=kept.to(self._device),
        )
        return torch.as_tensor(found.logits[0])


def _chance(seed: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))


def _choose(logits: torch.Tensor, live: Sequence[_Branch], temperature: float, top_p: float) -> list[int]:
    """A token for each row: of the likeliest that have top_p together, one by its probability."""
    chances = torch.softmax(logits.float() / temperature, dim=-1)
    count = min(LIKELIEST, chances.shape[-1])
    best, tokens = chances.topk(count, dim=-1)
    if bool((best.sum(-1) < top_p).any()):
        best, tokens = chances.sort(dim=-1, descending=True)
    reached = best.cumsum(-1)
    kept = best.masked_fill(reached - best >= top_p, 0.0).cumsum(-1)  # the first one is always kept
    if not bool(torch.isfinite(kept[:, -1]).all()):
        raise TrainingError(
            "the model's outputs are no numbers",
            "set training.precision to bfloat16 or float32 and train anew",
        )
    drawn = torch.tensor([branch.chance.random() for branch in live], device=kept.device)
    picked = torch.searchsorted(kept, (drawn * kept[:, -1])[:, None], right=True)
    return [int(token) for token in tokens.gather(1, picked.clamp(max=tokens.shape[-1] - 1))[:, 0]]
