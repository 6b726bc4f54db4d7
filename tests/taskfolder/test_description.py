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


def test_the_slug_comes_from_the_folder(tmp_path: Path) -> None:
    assert slug_of(tmp_path / "My Task (2)") == "my-task-2"
