import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linguacodus_core.cli import main
from linguacodus_core.cli.app import app

runner = CliRunner()


def test_a_bug_is_one_message_with_the_traceback_in_a_file(home: Path, monkeypatch, capsys) -> None:
    import linguacodus_core.cli.app as module

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(module, "app", broken)
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said
    (log,) = (home / "logs").iterdir()
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    "command",
    [
        "",
        "generate",
        "models",
        "score",
        "doctor",
        "example",
        "dataset",
        "dataset rebuild",
        "dataset diff",
        "adapters",
        "adapters serve",
    ],
)
def test_help_teaches_without_heavy_imports(command: str, monkeypatch) -> None:
    result = runner.invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize("command", [["generate"], ["adapters", "serve"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    import subprocess

    code = (
        f"import sys; sys.argv = ['linguacodus', *{command}, '--help'];"
        "from linguacodus_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'prefect', 'pandas', 'sklearn', 'openai', 'matplotlib', 'lightgbm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def stop() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("generate", "stopped before the first submission; the same command goes on where it was"),
        ("doctor", "stopped"),
    ],
)
@pytest.mark.parametrize("by_typer", [True, False])
def test_an_early_stop_is_one_line(command: str, words: str, by_typer: bool, monkeypatch, capsys) -> None:
    import typer

    import linguacodus_core.cli.app as module

    stopping = typer.Typer()
    stopping.command()(stop)
    monkeypatch.setattr(module, "app", (lambda: stopping([])) if by_typer else stop)
    monkeypatch.setattr("sys.argv", ["linguacodus", command])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    assert capsys.readouterr().err.strip() == words


@pytest.mark.parametrize("there", [True, False])
def test_a_stop_that_the_flow_did_not_handle_is_told(
    there: bool, tmp_path: Path, monkeypatch, capsys
) -> None:
    if there:
        (tmp_path / "submission.csv").touch()
    monkeypatch.setattr("linguacodus_core.generation.preflight.preflight", lambda request: stop())
    monkeypatch.setattr("sys.argv", ["linguacodus", "generate", "task", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    words = "stopped;" if there else "stopped before the first submission;"
    assert capsys.readouterr().err.strip() == f"{words} the same command goes on where it was"


def test_help_is_whole_on_eighty_columns(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = runner.invoke(app, ["generate", "--help"]).output
    assert "prior,plan,staged,whole" in said
    assert "embedded:NAME" in said
    assert "adapter:NAME" in said
    assert "…" not in said


def test_examples_are_listed_and_written(tmp_path: Path) -> None:
    listed = runner.invoke(app, ["example", "list"])
    assert "breast-cancer" in listed.output
    made = runner.invoke(app, ["example", "wine", str(tmp_path / "wine")])
    assert made.exit_code == 0
    assert (tmp_path / "wine" / "description.md").exists()
