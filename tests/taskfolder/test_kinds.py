import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.groups import TimeColumn
from linguacodus_core.taskfolder.kinds import Media, find_media, find_text, is_natural_language, order_kinds
from linguacodus_core.taskfolder.spec import DataType

NAMES = [f"photo_{i:03d}.jpg" for i in range(40)]
SERIES = TimeColumn("day", "day: train ends", later=True, series=True)


def tables(column: str = "file", names: list[str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = NAMES if names is None else names
    train = pd.DataFrame({column: names[:30], "kind": [0, 1] * 15})
    return train, pd.DataFrame({column: names[30:]})


def place(data: Path, how: str) -> tuple[str, ...]:
    """The photographs, loose or packed; returns data/'s files."""
    if how == "folder":
        (data / "photos").mkdir(parents=True)
        for name in NAMES:
            (data / "photos" / name).write_bytes(b"x")
        return tuple(f"photos/{name}" for name in NAMES)
    if how == "zip":
        with zipfile.ZipFile(data / "photos.zip", "w") as archive:
            for name in NAMES:
                archive.writestr(f"photos/{name}", b"x")
        return ("photos.zip",)
    with tarfile.open(data / f"photos.{how}", "w:gz" if how.endswith("gz") else "w") as tar:
        for name in NAMES:
            info = tarfile.TarInfo(f"photos/{name}")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return (f"photos.{how}",)


@pytest.mark.parametrize("how", ["folder", "zip", "tar", "tar.gz", "tgz"])
def test_images_are_found_loose_and_packed(tmp_path: Path, how: str) -> None:
    (found,) = find_media(tmp_path, place(tmp_path, how), *tables(), ("kind",))
    assert (found.kind, found.column) == (DataType.IMAGE, "file")


@pytest.mark.parametrize("written", ["photo_001", "photos/photo_001.jpg"])
def test_names_may_lack_their_ending_or_carry_a_folder(tmp_path: Path, written: str) -> None:
    names = [written.replace("001", f"{i:03d}") for i in range(40)]
    (found,) = find_media(tmp_path, place(tmp_path, "folder"), *tables(names=names), ("kind",))
    assert found.column == "file"


@pytest.mark.parametrize(
    ("ending", "kind"), [("wav", DataType.AUDIO), ("mp4", DataType.VIDEO), ("PNG", DataType.IMAGE)]
)
def test_sounds_and_films_are_told_by_their_endings(tmp_path: Path, ending: str, kind: DataType) -> None:
    files = tuple(f"{i}.{ending}" for i in range(40))
    (found,) = find_media(tmp_path, files, *tables(names=[str(i) for i in range(40)]), ("kind",))
    assert (found.kind, found.column) == (kind, "file")


def test_images_that_no_column_names_have_no_column(tmp_path: Path) -> None:
    train = pd.DataFrame({"id": range(100, 130), "age": [1, 2, 3] * 10, "kind": [0, 1] * 15})
    (found,) = find_media(
        tmp_path, ("figures/1.png", "figures/2.png", "figures/3.png"), train, train, ("kind",)
    )
    assert found.column is None


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    for name in ("images.tar.gz", "images.zip"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(TaskError, match=f"{name} is damaged"):
            find_media(tmp_path, (name,), *tables(), ("kind",))


def sentences(rows: int = 50) -> list[str]:
    words = ["river", "rose", "over", "banks", "and", "many", "people", "had", "leave", "their", "houses"]
    random = np.random.default_rng(0)
    return [" ".join(random.choice(words, 9)) for _ in range(rows)]


def test_sentences_are_text_and_other_strings_are_not() -> None:
    table = pd.DataFrame(
        {
            "words": sentences(),
            "name": [f"Braund, Mr. Owen {chr(65 + i % 26)}{'abc'[i % 3]}rris" for i in range(50)],
            "product": [
                "Using a Long Name for One of Few Products",
                "Another Name That Is Long and Often Seen",
            ]
            * 25,
            "code": [f"A/5 {i}" for i in range(50)],
            "vector": ["0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8"] * 25 + ["1.1 0.2 0.3 0.4 0.5 0.6 0.7 0.9"] * 25,
            "number": range(50),
        }
    )
    assert find_text(table) == ("words",)
    assert find_text(table, skip=("words",)) == ()


def test_text_without_spaces_between_words_is_text() -> None:
    assert is_natural_language(pd.Series([f"今天的天气非常好我们一起去公园散步吧{i}" for i in range(50)]))


def test_short_texts_need_a_telling_name() -> None:
    short = [f"{a} {b} phone" for a in ("great", "poor", "nice", "bad") for b in "abcdefgh"]
    words = [s.replace(" a ", " aa ").replace(" b ", " very ") for s in short]
    texts = [f"{w} really" for w in words]
    assert is_natural_language(pd.Series(texts, name="review_title"))
    assert not is_natural_language(pd.Series(texts, name="model"))


T = DataType


@pytest.mark.parametrize(
    ("media", "text", "time", "features", "numeric", "expected"),
    [
        (False, (), None, 8, True, (T.TABULAR,)),
        (True, (), None, 0, False, (T.IMAGE,)),
        (True, (), None, 12, False, (T.IMAGE, T.TABULAR)),
        (True, (), None, 190, False, (T.TABULAR, T.IMAGE)),
        (False, ("text",), None, 2, False, (T.TEXT, T.TABULAR)),
        (False, ("text",), None, 60, True, (T.TABULAR, T.TEXT)),
        (False, (), SERIES, 4, True, (T.TIME_SERIES, T.TABULAR)),
        (False, (), SERIES, 4, False, (T.TABULAR, T.TIME_SERIES)),
        (False, (), None, 0, True, ()),
    ],
)
def test_the_leading_kind_comes_first(
    media: bool,
    text: tuple[str, ...],
    time: TimeColumn | None,
    features: int,
    numeric: bool,
    expected: tuple[DataType, ...],
) -> None:
    found = (Media(T.IMAGE, "photos.zip", "file"),) if media else ()
    kinds, how = order_kinds(found, text, time, features, numeric)
    assert kinds == expected
    assert bool(how) == bool(expected)
