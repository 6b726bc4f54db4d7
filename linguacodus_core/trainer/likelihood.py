"""How likely a model holds completions to be, in nats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from linguacodus_core.trainer.collate import Collator
from linguacodus_core.trainer.packs import Row
from linguacodus_core.trainer.replacements import SHARES_PREFIXES

LENGTH = 2048
"""Tokens of a sequence that several completions are read in."""
AT_ONCE = 256
"""Positions whose probabilities over the vocabulary are in memory at a time."""

Tokens = Sequence[int]


def shared(prompts: Sequence[Tokens]) -> int:
    """How many tokens all prompts begin with; each keeps its last one: what follows is read from it."""
    first, longest = prompts[0], min(map(len, prompts)) - 1
    return next((at for at in range(longest) if any(prompt[at] != first[at] for prompt in prompts)), longest)


def shares_prefixes(model: Any) -> bool:
    """Whether several texts can be read after one prompt, each as if alone (see replacements.batching_for).

    Flash attention knows no such mask.
    """
    config = model.config
    slides = getattr(config, "use_sliding_window", True) and getattr(config, "sliding_window", None)
    known = config.model_type in SHARES_PREFIXES and "flash" not in config._attn_implementation
    return bool(known and not slides)


@torch.no_grad()
def likelihoods(model: Any, pairs: Sequence[tuple[Tokens, Tokens]], padding: int) -> list[float]:
    """The negative log-likelihood of each completion after its prompt, summed over its tokens.

    pairs: (prompt, completion) as tokens. What all prompts begin with is read once for as many completions as
    a sequence holds; each completion sees its own prompt alone, so that the values are those of one by one
    (as which they are read where the model cannot do that).
    """
    if not pairs:
        return []
    if not shares_prefixes(model):
        return [_read(model, [pair], 0, padding)[0] for pair in pairs]
    beginning = shared([prompt for prompt, _ in pairs])
    found: list[float] = []
    for members in _sequences(pairs, beginning):
        found += _read(model, members, beginning, padding)
    return found


def _sequences(pairs: Sequence[tuple[Tokens, Tokens]], beginning: int) -> list[list[tuple[Tokens, Tokens]]]:
    """The pairs in order, as many together as LENGTH holds; a longer one alone."""
    sequences: list[list[tuple[Tokens, Tokens]]] = []
    used = 0
    for prompt, completion in pairs:
        cost = len(prompt) - beginning + len(completion)
        if not sequences or used + cost > LENGTH:
            sequences.append([])
            used = beginning
        sequences[-1].append((prompt, completion))
        used += cost
    return sequences


def _read(model: Any, members: Sequence[tuple[Tokens, Tokens]], beginning: int, padding: int) -> list[float]:
    prefix = np.asarray(members[0][0][:beginning], np.int32)
    own = tuple((_array(prompt[beginning:]), _array(completion)) for prompt, completion in members)
    eager = model.config._attn_implementation == "eager"
    batch = Collator((), padding, additive=eager).batch([Row(prefix, own)])
    labels = batch.pop("labels")[0]
    learnt = (labels >= 0).nonzero()[:, 0]
    batch = {name: values.to(model.device) if name != "parts" else values for name, values in batch.items()}
    kept = (learnt - 1).to(model.device)
    logits = model(**batch, use_cache=False, logits_to_keep=kept).logits[0]
    nll = torch.cat(
        [
            cross_entropy(some.float(), wanted, reduction="none")
            for some, wanted in zip(
                torch.split(logits, AT_ONCE),
                torch.split(labels[learnt].to(logits.device), AT_ONCE),
                strict=True,
            )
        ]
    )
    lengths = [len(completion) for _, completion in members]
    return [float(part.double().sum()) for part in torch.split(nll.cpu(), lengths)]


def _array(tokens: Tokens) -> Any:
    return np.asarray(tokens, np.int32)
