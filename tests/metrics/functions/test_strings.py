"""Edit distance against the plain table."""

from hypothesis import given
from hypothesis import strategies as st

from linguacodus_core.metrics.functions.strings import edit_distance


def plain(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(st.text(alphabet="abc", max_size=80), st.text(alphabet="abc", max_size=80))
def test_the_bit_parallel_distance_is_the_plain_one(a, b):
    assert edit_distance(a, b) == plain(a, b) == edit_distance(b, a)


@given(
    st.lists(st.sampled_from(["the", "cat"]), max_size=10),
    st.lists(st.sampled_from(["the", "dog"]), max_size=10),
)
def test_words_are_symbols_too(a, b):
    assert edit_distance(a, b) == plain(a, b)
