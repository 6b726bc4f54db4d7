from pathlib import Path

import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.settings_file import TaskSettings, read_settings
from linguacodus_core.taskfolder.spec import DataType


def settings(tmp_path: Path, text: str) -> TaskSettings:
    (tmp_path / "task.toml").write_text(text, encoding="utf-8")
    return read_settings(tmp_path)


def test_no_file_means_no_settings(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == TaskSettings()


def test_one_value_or_a_list_is_accepted(tmp_path: Path) -> None:
    read = settings(tmp_path, 'data_type = "image"\ntargets = "price"\n')
    assert (read.data_type, read.targets) == ((DataType.IMAGE,), ("price",))
    read = settings(tmp_path, 'data_type = ["text", "tabular"]\ntargets = ["a", "b"]\n')
    assert (read.data_type, read.targets) == ((DataType.TEXT, DataType.TABULAR), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ('metrik = "rmse"', "unknown key: metrik", "did you mean metric?"),
        ('target = "x"', "unknown key: target", "targets"),
        ("metric = rmse", "no valid TOML", 'metric = "rmse"'),
        ('direction = "up"', "direction = 'up' does not fit", "min"),
        ("targets = 3", "targets = 3 does not fit", "targets"),
        ('data_type = "pictures"', "does not fit", "image"),
        ("slug = 3", "slug = 3 does not fit", "string"),
    ],
)
def test_a_wrong_setting_says_which_and_what_fits(
    tmp_path: Path, text: str, problem: str, remedy: str
) -> None:
    with pytest.raises(TaskError) as caught:
        settings(tmp_path, text)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_binary_settings_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(TaskError, match="no valid TOML"):
        read_settings(tmp_path)
