import pytest

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.narrowed import Narrowed
from tests.sources.memory import MemorySource, script

SOURCE = MemorySource(
    {"a": "AUC", "b": "RMSE", "c": "MAE"}, {(name, f"{name}-1"): (0.5, script(ord(name))) for name in "abc"}
)


def test_only_the_named_competitions_are_read() -> None:
    narrow = Narrowed(SOURCE, ["c", "a", "a"])
    assert narrow.competitions()["competition"].to_pylist() == ["a", "c"]
    assert narrow.kernels()["kernel"].to_pylist() == ["a-1", "c-1"]
    assert {row["kernel"] for batch in narrow.blocks() for row in batch.to_pylist()} == {"a-1", "c-1"}
    assert narrow.unreadable().num_rows == 1


def test_another_choice_is_another_fingerprint() -> None:
    prints = {Narrowed(SOURCE, names).fingerprint() for names in (["a"], ["b"], ["a", "b"], ["b", "a"])}
    assert len(prints) == 3


def test_a_name_that_the_source_does_not_have_is_said() -> None:
    with pytest.raises(CorpusError, match="no competition zzz") as caught:
        Narrowed(SOURCE, ["a", "zzz"]).competitions()
    assert "it has 3, among them a, b, c" in caught.value.remedy
