from pathlib import Path

import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.files import data_files, data_sha256


def folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "train.csv").write_text("id\n1\n")
    (tmp_path / "data" / "images" / "1.png").write_bytes(b"x")
    (tmp_path / "description.md").write_text("words")
    return tmp_path


def test_files_are_listed_sorted_with_their_folders(tmp_path: Path) -> None:
    assert data_files(folder(tmp_path)) == ("images/1.png", "train.csv")


@pytest.mark.parametrize("change", ["content", "name", "description", "settings", "new file"])
def test_the_hash_changes_with_whatever_the_task_consists_of(tmp_path: Path, change: str) -> None:
    task = folder(tmp_path)
    before = data_sha256(task, data_files(task))
    assert before == data_sha256(task, data_files(task))
    match change:
        case "content":
            (task / "data" / "train.csv").write_text("id\n2\n")
        case "name":
            (task / "data" / "train.csv").rename(task / "data" / "Train.csv")
        case "description":
            (task / "description.md").write_text("other words")
        case "settings":
            (task / "task.toml").write_text('metric = "rmse"')
        case "new file":
            (task / "data" / "more.csv").write_text("id\n1\n")
    assert data_sha256(task, data_files(task)) != before


def test_answers_in_private_do_not_count(tmp_path: Path) -> None:
    task = folder(tmp_path)
    before = data_sha256(task, data_files(task))
    (task / "private").mkdir()
    (task / "private" / "answers.csv").write_text("id,price\n1,2\n")
    assert data_sha256(task, data_files(task)) == before


def test_a_link_from_data_into_private_is_refused(tmp_path: Path) -> None:
    task = folder(tmp_path)
    (task / "private").mkdir()
    (task / "private" / "answers.csv").write_text("id,price\n1,2\n")
    (task / "data" / "extra.csv").symlink_to(task / "private" / "answers.csv")
    with pytest.raises(TaskError, match="link into private"):
        data_files(task)


def test_data_that_is_a_link_to_private_is_refused(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "private")
    with pytest.raises(TaskError, match="link into private"):
        data_files(tmp_path)


def test_links_to_data_elsewhere_are_followed_and_circles_end(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "big.csv").write_text("id\n1\n")
    (tmp_path / "task").mkdir()
    task = folder(tmp_path / "task")
    (task / "data" / "linked").symlink_to(elsewhere)
    (task / "data" / "images" / "up").symlink_to(task / "data")
    assert data_files(task) == ("images/1.png", "linked/big.csv", "train.csv")


@pytest.mark.parametrize("state", ["missing", "file", "empty"])
def test_data_that_cannot_be_used_is_said(tmp_path: Path, state: str) -> None:
    if state == "file":
        (tmp_path / "data").write_text("x")
    elif state == "empty":
        (tmp_path / "data").mkdir()
    with pytest.raises(TaskError) as caught:
        data_files(tmp_path)
    assert {"missing": "no folder data/", "file": "is a file", "empty": "is empty"}[
        state
    ] in caught.value.problem
