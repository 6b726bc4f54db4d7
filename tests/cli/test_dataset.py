import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linguacodus_core.cli.dataset import app
from linguacodus_core.errors import CorpusError, LinguacodusError, ProfileError
from tests.dataset.test_version import publish

runner = CliRunner()


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def said(*words: str) -> str:
    result = runner.invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> LinguacodusError:
    result = runner.invoke(app, list(words))
    assert isinstance(result.exception, LinguacodusError), result.output
    return result.exception


def test_the_list_says_how_to_get_a_first_version() -> None:
    assert "linguacodus dataset rebuild --source sample" in said("list")


def test_versions_are_listed_shown_compared_and_verified() -> None:
    old, _ = publish("a", "b")
    new, _ = publish("a", "c")
    assert {old.name, new.name} <= set(re.findall(r"[0-9a-f]{16}", said("list")))
    assert "2  solutions.parquet" in said("show", new.name)
    assert f"{old.name} -> {new.name}" in said("diff", old.name, new.name)
    assert "solutions new: 1 (c)" in said("diff", old.name, new.name)
    assert "no difference" in said("diff", new.name, new.name)
    assert "is whole" in said("verify", new.name)
    assert said("card", new.name) == "# card\n\n"


def test_a_damaged_version_fails_verification_with_exit_status_one() -> None:
    version, _ = publish("a")
    (Path(version.folder) / "card.md").unlink()
    result = runner.invoke(app, ["verify"])
    assert result.exit_code == 1
    assert "card.md is missing" in result.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--source", "nowhere"], "--source: Input should be 'sample', 'code4ml', 'kernels' or 'kaggle'"),
        (["--source", "kernels"], "path: the source kernels needs a folder"),
        (["--source", "kaggle"], "competitions: name the Kaggle competitions"),
        (["--unranked", "perhaps"], "--unranked: Input should be 'drop' or 'keep'"),
        (["--top", "0"], "--top: Input should be greater than or equal to 1"),
        (["--grounding", "2"], "--grounding: Input should be less than or equal to 1"),
        (["--batch"], "batch: the static extractor makes no calls"),
        (["--prompt-sets", "mine"], "--prompt-sets: Input should be 'default' or 'paper'"),
        (["--held-out", "0.9"], "--held-out: Input should be less than 0.5"),
    ],
)
def test_a_wrong_option_is_one_message_before_anything_starts(words: list[str], problem: str) -> None:
    assert refused("rebuild", *words).problem.startswith(problem)


def test_a_missing_folder_key_or_profile_is_said_before_a_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert isinstance(refused("rebuild", "--source", "code4ml", "--path", str(tmp_path / "no")), CorpusError)
    assert "OPENAI_API_KEY is not set" in refused("rebuild", "--profile", "openai").problem
    assert isinstance(refused("rebuild", "--profile", "nobody"), ProfileError)
