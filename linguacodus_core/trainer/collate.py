"""Rows as tensors: token ids, labels, positions, and who may see whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from linguacodus_core.trainer.packs import Row

IGNORED = -100
"""The label of what is read and not learnt."""


class Collator:
    """Makes a batch of rows named by their numbers ({"row": 3}), the shorter ones padded on the right.

    A batch of rows with one example each has a flat attention mask (rows, tokens), any other one of (rows,
    1, tokens, tokens): True where the first token sees the second. additive: as numbers to add, which eager
    attention asks for. Rows of several examples come with `parts`, the same in short: what
    `attention.shared_prefix_attention` goes by.
    """

    def __init__(self, rows: Sequence[Row], padding: int, *, additive: bool = False) -> None:
        self._rows = rows
        self._padding = padding
        self._additive = additive

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """input_ids, labels, position_ids (rows, tokens) and attention_mask."""
        return self.batch([self._rows[feature["row"]] for feature in features])

    def batch(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The same for rows themselves."""
        shape = (len(rows), max(len(row) for row in rows))
        ids = torch.full(shape, self._padding, dtype=torch.long)
        labels = torch.full(shape, IGNORED, dtype=torch.long)
        positions = torch.zeros(shape, dtype=torch.long)
        part = torch.full(shape, -1, dtype=torch.long)  # 0: the prefix; 1, 2, ...: a member; -1: padding
        for number, row in enumerate(rows):
            _fill(row, ids[number], labels[number], positions[number], part[number])
        batch = {"input_ids": ids, "labels": labels, "position_ids": positions}
        if all(len(row.members) == 1 for row in rows):
            return {**batch, "attention_mask": (part >= 0).long()}
        parts = [
            [len(row.prefix), *(len(asked) + len(answer) for asked, answer in row.members)] for row in rows
        ]
        return {**batch, "attention_mask": self._visible(part), "parts": parts}

    def _visible(self, part: torch.Tensor) -> torch.Tensor:
        length = part.shape[1]
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        allowed = (part[:, :, None] == part[:, None, :]) | (part[:, None, :] == 0)
        visible = earlier & allowed
        padding = part < 0
        visible[padding] = False
        visible[:, :, 0] |= (
            padding  # a token that sees nothing has no softmax; nothing is learnt from padding
        )
        if self._additive:
            return torch.where(visible, 0.0, torch.finfo(torch.float32).min)[:, None]
        return visible[:, None]


def tokens_in(attention_mask: torch.Tensor) -> torch.Tensor:
    """How many tokens a batch has, padding not counted (a scalar tensor)."""
    if attention_mask.dim() == 2:
        return attention_mask.sum()
    sees_itself = attention_mask[:, 0].diagonal(dim1=-2, dim2=-1)
    return (sees_itself if sees_itself.dtype == torch.bool else sees_itself == 0).sum()


def _fill(
    row: Row, ids: torch.Tensor, labels: torch.Tensor, positions: torch.Tensor, part: torch.Tensor
) -> None:
    shared = len(row.prefix)
    ids[:shared] = torch.from_numpy(row.prefix)
    positions[:shared] = torch.arange(shared)
    part[:shared] = 0
    at = shared
    for number, (asked, answer) in enumerate(row.members, 1):
        learnt, end = at + len(asked), at + len(asked) + len(answer)
        ids[at:learnt] = torch.from_numpy(asked)
        ids[learnt:end] = labels[learnt:end] = torch.from_numpy(answer)
        positions[at:end] = torch.arange(shared, shared + end - at)
        part[at:end] = number
        at = end
