"""Attention over rows that share a prefix, without a mask of the whole row.

A dense mask makes the work grow with the square of the row, although no example sees another. Here the
prefix attends to itself once, and each example to the prefix and itself: the same values, for a fraction of
the work. It is registered with transformers under `NAME` and does as `sdpa` for any other batch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention as attend
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "shared_prefix"


def shared_prefix_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    parts: Sequence[Sequence[int]] | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """The attention of each part of each row; (rows, tokens, heads, width).

    query, key, value: (rows, heads, tokens, width). parts: for each row the lengths of its prefix and of its
    examples; what is beyond them is padding, and 0. None: `sdpa` with the mask.
    """
    if parts is None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
        return output, None
    groups = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    rows = [
        _row(query[row, None], key[row, None], value[row, None], lengths, dropout, scaling)
        for row, lengths in enumerate(parts)
    ]
    return torch.cat(rows).transpose(1, 2).contiguous(), None


def _row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: Sequence[int],
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    shared, *members = lengths
    found = [
        attend(
            query[:, :, :shared],
            key[:, :, :shared],
            value[:, :, :shared],
            dropout_p=dropout,
            scale=scaling,
            is_causal=True,
        )
    ]
    at = shared
    for length in members:
        own = slice(at, at + length)
        found.append(
            attend(
                query[:, :, own],
                torch.cat([key[:, :, :shared], key[:, :, own]], dim=2),
                torch.cat([value[:, :, :shared], value[:, :, own]], dim=2),
                attn_mask=_visible(length, shared, query.device),
                dropout_p=dropout,
                scale=scaling,
            )
        )
        at += length
    found.append(torch.zeros_like(query[:, :, at:]))
    return torch.cat(found, dim=2)


def _visible(length: int, shared: int, device: torch.device) -> torch.Tensor:
    """(length, shared + length): True for the whole prefix, and for what is not later."""
    return torch.ones(length, shared + length, dtype=torch.bool, device=device).tril(shared)


AttentionInterface.register(NAME, shared_prefix_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
