"""What a rendered program looks like: standalone, deterministic, tidy."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linguacodus_core.synthesis.plan import Feature, PipelinePlan
from linguacodus_core.synthesis.render import render
from linguacodus_core.synthesis.source import collect, import_lines, module_of
from linguacodus_core.synthesis.wording import constant, literal, prose
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

SPEC = TaskSpec(
    folder=Path("nowhere"),
    slug="tiny",
    title="Tiny",
    description="",
    data_types=(DataType.TABULAR,),
    metric="auc",
    metric_category="AUC",
    direction="max",
    id_column="id",
    targets=("target",),
    submission_columns=("id", "target"),
    prediction="probability",
    problem="binary",
    classes=("0", "1"),
    train_file="train.csv",
    test_file="test.csv",
    sample_file="sample_submission.csv",
    train_rows=300,
    test_rows=60,
    inferred={},
    data_sha256="0" * 64,
)
PLAN = PipelinePlan(idea="Ratios matter.", features=(Feature(op="ratio", a="a", b="b"),))


def test_a_program_imports_nothing_of_linguacodus_and_defines_all_it_uses() -> None:
    program = render(PLAN, SPEC, effort="normal")
    assert "linguacodus" not in program
    tree = ast.parse(program)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "lightgbm" in imported
    assert "catboost" not in imported
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(names) == len(set(names))
    assert names[-1] == "main"


def test_the_same_plan_gives_the_same_text() -> None:
    assert render(PLAN, SPEC, effort="small") == render(PLAN, SPEC, effort="small")
    assert render(PLAN, SPEC, effort="small") != render(PLAN, SPEC, effort="normal")


def test_the_docstring_says_task_plan_idea_and_note() -> None:
    words = (
        ast.get_docstring(ast.parse(render(PLAN, SPEC, instruction_note="first place", effort="small"))) or ""
    )
    for part in ("Tiny", "auc", "lightgbm", "Ratios matter.", "first place"):
        assert part in words


@pytest.mark.skipif(
    shutil.which("ruff") is None and not (Path(sys.executable).parent / "ruff").exists(), reason="no ruff"
)
@pytest.mark.parametrize("family", ["lightgbm", "xgboost", "catboost", "mlp", "extra_trees"])
def test_ruff_finds_no_error_in_a_program(family: str, tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or str(Path(sys.executable).parent / "ruff")
    program = render(PLAN.model_copy(update={"family": family}), SPEC, effort="small")
    (tmp_path / "solution.py").write_text(program)
    for arguments in (
        ["check", "--isolated", "--line-length=110", "--select=E,F", "--ignore=E731"],
        ["format", "--isolated", "--check", "--line-length=110"],
    ):
        done = subprocess.run(
            [ruff, *arguments, "solution.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_effort_and_seconds_set_the_time_budget() -> None:
    assert "TIME_BUDGET = 20.0" in render(PLAN, SPEC, effort="small")
    assert "TIME_BUDGET = 33.0" in render(PLAN, SPEC, effort="small", seconds=33)


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "it's",
        'say "x"',
        "both ' and \"",
        "line\nbreak",
        "\u202e",
        "\udcff",
        "\\",
        "",
        ["a", 1, None],
        {"k": ("t",)},
        0.5,
    ],
)
def test_a_literal_evaluates_to_its_value(value: object) -> None:
    text = literal(value)
    assert "\n" not in text
    text.encode("utf-8")
    assert ast.literal_eval(text) == value


def test_long_constants_take_a_line_an_item() -> None:
    names = [f"a rather long column name {n}" for n in range(20)]
    text = constant("NAMES", names)
    assert max(map(len, text.splitlines())) < 110
    assert ast.literal_eval(text.removeprefix("NAMES = ")) == names


def test_prose_cannot_end_a_docstring() -> None:
    text = prose('"""; import os \\ \x00\u202e' + "word " * 500)
    assert '"' not in text
    assert "\\" not in text
    assert len(text) < 650
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_blocks_come_after_what_they_use() -> None:
    found = collect([("features", "ratio"), ("training", "cross_validate")])
    names = [item.name for item in found.definitions]
    assert names.index("number") < names.index("ratio")
    assert names.index("fit_one") < names.index("fit_targets") < names.index("cross_validate")
    assert found.imports["np"] == ("numpy", None)
    assert import_lines(found.imports).index("import time") < import_lines(found.imports).index(
        "import numpy"
    )


def test_an_unknown_block_is_an_error() -> None:
    with pytest.raises(KeyError):
        collect([("features", "no_such_block")])


def test_no_two_block_modules_define_the_same_name() -> None:
    folder = Path(sys.modules["linguacodus_core.synthesis.source"].__file__ or "").parent / "blocks"
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.py")):
        for name in module_of(path.stem).definitions:
            assert name not in seen, f"{name} is in {seen.get(name)} and {path.stem}"
            seen[name] = path.stem
