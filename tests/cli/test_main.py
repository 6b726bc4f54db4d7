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


@pytest.mark.parametrize("command", ["", "generate", "models", "score", "doctor", "example"])
def test_help_teaches_without_heavy_imports(command: str, monkeypatch) -> None:
    result = runner.invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_imports_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys; sys.argv = ['linguacodus', 'generate', '--help'];"
        "from linguacodus_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'prefect', 'pandas', 'sklearn', 'openai', 'matplotlib', 'lightgbm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_examples_are_listed_and_written(tmp_path: Path) -> None:
    listed = runner.invoke(app, ["example", "list"])
    assert "breast-cancer" in listed.output
    made = runner.invoke(app, ["example", "wine", str(tmp_path / "wine")])
    assert made.exit_code == 0
    assert (tmp_path / "wine" / "description.md").exists()
