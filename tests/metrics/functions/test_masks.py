"""Masks agree with sets of pixels."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linguacodus_core.metrics.functions.masks import runs
from linguacodus_core.metrics.scoring import score
from linguacodus_core.metrics.table import get

PIXELS = st.sets(st.integers(1, 40), max_size=25)


def encode(pixels):
    found, before = [], None
    for pixel in sorted(pixels):
        if before is not None and pixel == before + 1:
            found[-1][1] += 1
        else:
            found.append([pixel, 1])
        before = pixel
    return " ".join(f"{start} {length}" for start, length in found)


@given(PIXELS, PIXELS)
def test_dice_and_iou_are_those_of_the_pixels(a, b):
    truth, predicted = pd.DataFrame({"rle": [encode(a)]}), pd.DataFrame({"rle": [encode(b)]})
    both, union = len(a & b), len(a | b)
    assert score(get("dice"), truth, predicted) == pytest.approx(
        2 * both / (len(a) + len(b)) if union else 1.0
    )
    assert score(get("iou"), truth, predicted) == pytest.approx(both / union if union else 1.0)


@pytest.mark.parametrize("empty", ["", " ", "-1", "1 0"])
def test_an_empty_mask_may_be_written_in_several_ways(empty):
    assert runs(empty) == []


def test_a_missing_cell_is_an_empty_mask():
    frame = pd.DataFrame({"rle": [None, float("nan")]})
    assert score(get("dice"), frame, frame) == 1.0
