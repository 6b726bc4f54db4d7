"""Pairs of completions as tokens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linguacodus_core.trainer.encode import encode


@dataclass(frozen=True)
class Pair:
    """Two completions of one prompt; the last token of each is the end token."""

    name: str
    prompt: list[int]
    chosen: list[int]
    rejected: list[int]

    @property
    def longest(self) -> int:
        """Tokens of its longer sequence."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))

    @property
    def tokens(self) -> int:
        """Tokens of both its sequences."""
        return 2 * len(self.prompt) + len(self.chosen) + len(self.rejected)

    @property
    def both(self) -> list[tuple[list[int], list[int]]]:
        """(prompt, completion), of what is preferred and of what is not."""
        return [(self.prompt, self.chosen), (self.prompt, self.rejected)]


def encode_pairs(
    tokenizer: Any, rows: Sequence[Mapping[str, Any]], limit: int, note: Callable[[str], None]
) -> list[Pair]:
    """Rows of table `pairs` as tokens; those longer than `limit` tokens are left out, with a note."""
    pairs = []
    for row in rows:
        prompt, chosen = encode(tokenizer, row["prompt"], row["chosen"])
        _, rejected = encode(tokenizer, row["prompt"], row["rejected"])
        pairs.append(Pair(row["pair"], prompt, chosen, rejected))
    kept = [pair for pair in pairs if pair.longest <= limit]
    if len(kept) < len(pairs):
        note(
            f"{len(pairs) - len(kept):,} of {len(pairs):,} pairs are longer than preferences.max_length = "
            f"{limit:,} tokens and left out"
        )
    return kept
