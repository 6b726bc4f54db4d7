from pathlib import Path

import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.description import read_description, slug_of, title_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_description_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "description.md").write_bytes("Größe vorhersagen\r\nRMSE".encode(encoding))
    assert read_description(tmp_path) == "Größe vorhersagen\nRMSE"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no description.md"),
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (bytes(range(256)) * 10, "binary"),
    ],
)
def test_a_description_that_says_nothing_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "description.md").write_bytes(content)
    with pytest.raises(TaskError, match=said) as caught:
        read_description(tmp_path)
    assert "how it is evaluated" in caught.value.remedy


def test_the_title_is_the_first_heading_that_says_something() -> None:
    assert title_of("### Evaluation\n# Overview\n# House prices #\n", "x")[0] == "House prices"
    assert title_of("Just prose.", "house-prices")[0] == "House prices"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Task (2)", "my-task-2"),
        ("../x", "x"),
        ("a/b", "a-b"),
        ("Größe", "grosse"),
        ("Élan_vital", "elan-vital"),
        ("..", "task"),
        ("データ", "task"),
        ("x\x00\n;rm -rf", "x-rm-rf"),
        ("long " * 100, "-".join(["long"] * 16)),
    ],
)
def test_a_slug_is_safe_in_paths_and_shells(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_name_that_is_no_slug_stays_as_the_title() -> None:
    assert title_of("Just prose.", "Größe der Wale")[0] == "Größe der Wale"
