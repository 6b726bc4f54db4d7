from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linguacodus_core.dataset.diff import differences
from linguacodus_core.dataset.version import TABLES, Version, list_versions, open_version, verify
from linguacodus_core.dataset.writer import VersionWriter
from linguacodus_core.errors import DatasetError, StoreError
from linguacodus_core.tables import DATASET, table


def kernels(*names: str) -> pa.Table:
    return table("kernels", [{"kernel": name, "competition": "c"} for name in names], DATASET)


def publish(*names: str, calls: int = 0, source: str = "test") -> tuple[Version, bool]:
    solutions = [
        {"kernel": name, "competition": "c", "place": place, "code_sha256": name}
        for place, name in enumerate(names, 1)
    ]
    made = {
        "kernels": [kernels(*names)],
        "solutions": [table("solutions", solutions, DATASET)],
        "llm_calls": [table("llm_calls", [{"key": str(n)} for n in range(calls)])],
    }
    with VersionWriter() as writer:
        for name in TABLES:
            writer.add(name, made.get(name, []))
        writer.add_file("card.md", b"# card\n")
        return writer.publish({"source": source, "extractor": "static"})


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    pass


def test_a_version_is_named_by_its_content() -> None:
    first, new = publish("a", "b")
    again, new_again = publish("a", "b")
    other, _ = publish("a", "c")
    assert first.name == again.name != other.name
    assert (new, new_again) == (True, False)


def test_when_and_how_fast_calls_were_made_is_no_content() -> None:
    assert publish("a")[0].name == publish("a", calls=2)[0].name


def test_tables_are_read_back_with_their_schemas() -> None:
    version, _ = publish("a", "b")
    assert version.table("kernels")["kernel"].to_pylist() == ["a", "b"]
    for name in TABLES:
        assert version.table(name).schema.equals(DATASET[name])
    assert version.text("card.md") == "# card\n"


def test_a_part_with_another_schema_is_refused_and_nothing_is_published() -> None:
    with pytest.raises(DatasetError, match="kernels has the columns"), VersionWriter() as writer:
        writer.add("kernels", [pa.table({"kernel": ["a"]})])
    wrong = kernels("a").set_column(6, "score", pa.array(["high"]))
    with pytest.raises(DatasetError, match="does not fit its schema"), VersionWriter() as writer:
        writer.add("kernels", [wrong])
    assert list_versions() == []


def test_what_has_no_manifest_does_not_exist() -> None:
    version, _ = publish("a")
    (Path(version.folder) / "manifest.json").unlink()
    assert list_versions() == []
    with pytest.raises(DatasetError, match="there is no dataset version yet"):
        open_version(version.name)
    assert publish("a")[1] is True


def test_a_killed_publication_is_not_there_and_is_made_whole_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("linguacodus_core.store.write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            publish("a")
    assert list_versions() == []
    version, new = publish("a")
    assert new
    assert verify(version) == []


def test_a_version_is_found_by_the_beginning_of_its_name_and_as_latest() -> None:
    version, _ = publish("a")
    assert open_version(version.name[:6]).name == open_version("latest").name == version.name
    with pytest.raises(DatasetError, match="there is no dataset version 'zzz'"):
        open_version("zzz")
    with pytest.raises(DatasetError):
        open_version("../escape")


def test_verify_finds_what_is_missing_or_changed() -> None:
    version, _ = publish("a")
    folder = Path(version.folder)
    (folder / "card.md").write_text("another card")
    (folder / "examples.parquet").unlink()
    pq.write_table(kernels("x"), folder / "kernels.parquet")
    assert [problem.split(":")[0] for problem in sorted(verify(version))] == [
        "card.md has changed",
        "examples.parquet is missing",
        "kernels.parquet has changed",
    ]


def test_a_damaged_manifest_says_what_to_do_and_hides_no_other_version() -> None:
    damaged, _ = publish("a")
    good, _ = publish("b")
    (Path(damaged.folder) / "manifest.json").write_text("{}")
    with pytest.raises(DatasetError, match="is damaged"):
        open_version(damaged.name)
    assert [manifest.version for manifest in list_versions()] == [good.name]


def test_a_manifest_that_speaks_of_another_folder_is_damaged() -> None:
    version, _ = publish("a")
    path = Path(version.folder) / "manifest.json"
    path.write_text(path.read_text().replace(version.name, "../../elsewhere"))
    with pytest.raises(DatasetError, match="it speaks of"):
        open_version(version.name)


def test_a_version_that_lost_a_file_is_published_anew() -> None:
    version, _ = publish("a")
    (Path(version.folder) / "kernels.parquet").unlink()
    again, new = publish("a")
    assert (again.name, new) == (version.name, True)
    assert verify(again) == []


def test_a_folder_whose_name_begins_alike_is_not_the_version() -> None:
    version, _ = publish("a")
    Path(version.folder).rename(f"{version.folder}.bak")
    assert publish("a")[1] is True


def test_a_store_that_cannot_be_written_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.put_file", full)
    with pytest.raises(StoreError, match="No space left"):
        publish("a")
    assert list_versions() == []


def test_the_difference_names_what_came_went_and_changed() -> None:
    old, _ = publish("a", "b")
    new, _ = publish("b", "c", "d", source="other")
    found = list(differences(old, new))
    assert "solutions: 2 -> 3 rows (+1)" in found
    assert "built with another source: test -> other" in found
    assert "solutions new: 2 (c, d)" in found
    assert "solutions gone: 1 (a)" in found
    assert "solutions changed: 1 (b)" in found
    assert list(differences(old, old)) == []
