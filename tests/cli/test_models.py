import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linguacodus_core.cli.models import app
from linguacodus_core.errors import ModelUnavailable
from linguacodus_core.llm import models

runner = CliRunner()


def test_the_list_shows_every_model_with_size_and_whether_it_is_here(home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = runner.invoke(app, ["list"])
    assert shown.exit_code == 0
    assert all(model.name in shown.output for model in models.list_models())
    assert "491 MB" in shown.output


def test_the_list_is_readable_on_eighty_columns(home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = runner.invoke(app, ["list"]).output.splitlines()
    assert len(lines) == 1 + 2 * len(models.list_models())
    assert max(map(len, lines)) <= 80


def test_pull_prints_the_path_and_shows_progress(home, monkeypatch):
    def pull(model, progress):
        progress(model.bytes // 2, model.bytes)
        progress(model.bytes, model.bytes)
        return model.file

    monkeypatch.setattr(models, "pull", pull)
    shown = runner.invoke(app, ["pull", "smollm2"])
    assert shown.exit_code == 0, shown.output
    assert "smollm2-135m-instruct-q4_1.gguf" in shown.output


def test_the_path_of_a_model_that_is_not_here_is_an_error_with_a_remedy(home):
    shown = runner.invoke(app, ["path", "smollm2"])
    assert shown.exit_code != 0
    assert isinstance(shown.exception, ModelUnavailable)
    with pytest.raises(ModelUnavailable, match="did you mean"):
        runner.invoke(app, ["pull", "smolm2"], catch_exceptions=False)


def test_help_teaches_without_importing_what_is_heavy():
    code = (
        "import sys; from linguacodus_core.cli.models import app\n"
        "try: app(['pull', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'openai', 'pandas', 'jsonschema', 'prefect'} & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    assert "none of their code is run" in " ".join(done.stdout.split())
