import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from linguacodus_core.curation.competitions import unknown_metrics
from linguacodus_core.curation.corpus import Corpus, take_in
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.shard import CuratedShard, curate_shard
from tests.sources.memory import MemorySource, script

OPTIONS = CurationOptions(top=2)


def kernels(competition: str, first: int, count: int = 4):
    return {(competition, f"{competition}-{n}"): (n / 10, script(first + n)) for n in range(count)}


SOURCE = MemorySource(
    {"high": "AUC", "low": "RMSE", "odd": "Blorp", "fun": "points", "idle": "AUC"},
    kernels("high", 0) | kernels("low", 10) | kernels("odd", 20, 2) | kernels("fun", 30, 1),
)


def curated(source: MemorySource, folder: Path, options: CurationOptions = OPTIONS):
    corpus = take_in(source, source.fingerprint(), options, folder / "corpus", lambda _: None)
    shards = [curate_shard(corpus, n, options, folder / f"shard-{n}") for n in range(corpus.shards)]
    return corpus, shards


def rows(shards: list[CuratedShard], name: str):
    return [row for shard in shards for row in shard.read(name).to_pylist()]


def test_the_best_of_each_competition_become_solutions_whatever_the_order_of_blocks(tmp_path: Path) -> None:
    corpus, shards = curated(SOURCE, tmp_path)
    found = {(row["competition"], row["place"]): row["kernel"] for row in rows(shards, "solutions")}
    assert found == {
        ("high", 1): "high-3",
        ("high", 2): "high-2",
        ("low", 1): "low-0",
        ("low", 2): "low-1",
    }
    code = {row["kernel"]: row["code"] for row in rows(shards, "solutions")}
    assert code["low-1"] == "\n".join(script(11))
    assert (corpus.competitions, corpus.kernels, corpus.blocks) == (5, 11, 33)


def test_every_row_that_is_left_out_has_its_reason(tmp_path: Path) -> None:
    corpus, shards = curated(SOURCE, tmp_path)
    dropped = pq.read_table(corpus.folder / "dropped.parquet").to_pylist() + rows(shards, "dropped")
    assert {(row["table"], row["row"]): row["reason"] for row in dropped} == {
        ("competitions", "odd"): "metric unknown",
        ("competitions", "fun"): "metric dropped",
        ("competitions", "idle"): "no kernel that can be selected",
        ("kernels", "odd-0"): "competition unknown or dropped",
        ("kernels", "odd-1"): "competition unknown or dropped",
        ("kernels", "fun-0"): "competition unknown or dropped",
        ("kernels", "high-0"): "beyond the top 2",
        ("kernels", "high-1"): "beyond the top 2",
        ("kernels", "low-2"): "beyond the top 2",
        ("kernels", "low-3"): "beyond the top 2",
        ("code_blocks", "9"): "torn",
    }
    selected = len(rows(shards, "solutions"))
    assert selected + sum(row["table"] == "kernels" for row in dropped) == corpus.kernels


def test_a_competition_of_which_nothing_is_usable_is_dropped_too(tmp_path: Path) -> None:
    source = MemorySource({"sad": "AUC"}, {("sad", "a"): (0.5, ["print 'x'"] * 9 + ["model.fit(x)"])})
    _, shards = curated(source, tmp_path)
    assert [(row["table"], row["reason"]) for row in rows(shards, "dropped")] == [
        ("kernels", "python 2"),
        ("competitions", "no usable kernel"),
    ]
    assert rows(shards, "competitions") == []


def test_data_types_that_nothing_else_tells_are_told_by_the_code(tmp_path: Path) -> None:
    _, shards = curated(SOURCE, tmp_path)
    about = {row["competition"]: row for row in rows(shards, "competitions")}
    assert (about["low"]["data_types"], about["low"]["data_types_from"]) == (["tabular"], "code")


def test_only_the_blocks_of_solutions_are_kept_with_them(tmp_path: Path) -> None:
    _, shards = curated(SOURCE, tmp_path)
    blocks = rows(shards, "code_blocks")
    assert {row["kernel"] for row in blocks} == {"high-3", "high-2", "low-0", "low-1"}
    assert len(blocks) == 12


def test_a_corpus_that_was_taken_in_is_found_again_and_a_torn_one_is_made_anew(tmp_path: Path) -> None:
    first, _ = curated(SOURCE, tmp_path)
    read: list[int] = []
    assert take_in(SOURCE, "f", OPTIONS, first.folder, read.append) == first
    assert read == []
    (first.folder / "corpus.json").unlink()
    assert take_in(SOURCE, SOURCE.fingerprint(), OPTIONS, first.folder, read.append) == first
    assert sum(read) == 33


def test_one_kernel_more_changes_one_shard_alone(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(20)]
    many = {key: value for n, name in enumerate(names) for key, value in kernels(name, 100 * n, 60).items()}
    options = CurationOptions(top=3)
    before = curated(MemorySource(dict.fromkeys(names, "AUC"), many), tmp_path / "a", options)[1]
    more = many | {("c7", "new"): (99.0, script(9999))}
    after = curated(MemorySource(dict.fromkeys(names, "AUC"), more), tmp_path / "b", options)[1]
    assert len(before) == len(after) > 4
    changed = [
        old.number
        for old, new in zip(before, after, strict=True)
        if old.solutions_sha256 != new.solutions_sha256
    ]
    assert len(changed) == 1
    assert "new" in after[changed[0]].read("solutions")["kernel"].to_pylist()


def test_no_kernels_at_all_is_an_empty_corpus(tmp_path: Path) -> None:
    corpus, shards = curated(MemorySource({}, {}), tmp_path)
    assert corpus.shards == 1
    assert shards[0].solutions == 0


def test_a_full_disk_is_one_clear_error_and_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    with pytest.raises(Exception, match="No space left") as caught:
        curated(SOURCE, tmp_path)
    assert type(caught.value).__name__ == "StoreError"
    assert not (tmp_path / "corpus" / "corpus.json").exists()


def test_the_record_of_a_corpus_names_no_folder(tmp_path: Path) -> None:
    corpus, _ = curated(SOURCE, tmp_path)
    assert "folder" not in json.loads((corpus.folder / "corpus.json").read_text())
    assert isinstance(corpus, Corpus)


def test_two_processes_that_take_in_the_same_corpus_leave_a_whole_one(tmp_path: Path) -> None:
    first = take_in(SOURCE, "f", OPTIONS, tmp_path / "corpus", lambda _: None)

    places: list[int] = []

    def meanwhile(_: int) -> None:
        made = take_in(SOURCE, "f", OPTIONS, tmp_path / "other", lambda _: None)
        places.append(made.folder.stat().st_ino)

    second = take_in(SOURCE, "f", OPTIONS, tmp_path / "other", meanwhile)
    assert second.folder.stat().st_ino == places[0], "what the other finished, and may be reading, stays"
    assert first.model_copy(update={"folder": second.folder}) == second
    assert all(path.exists() for path in second.files)
    assert not list(tmp_path.glob("*.part"))


def test_unknown_metrics_of_kept_competitions_are_reported_too(tmp_path: Path) -> None:
    corpus, _ = curated(SOURCE, tmp_path, CurationOptions(unranked="keep"))
    dropped = pq.read_table(corpus.folder / "dropped.parquet")
    assert unknown_metrics(dropped) == {"Blorp": 1}
