"""Imports run one way: flows -> tasks -> linguacodus_core, and inside the core from top to bottom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    {"errors", "settings", "tables", "store", "candidate", "progress"},
    {"metrics", "llm", "sandbox", "adapters"},
    {"taskfolder", "sources", "curation"},
    {"instructions", "scoring", "extraction"},
    {"dataset"},
    {"training"},
    {"trainer"},
    {"synthesis"},
    {"generation"},
    {"cli"},
]
"""Rooms of the core, the lowest first; a room may use those below it and those on its own floor."""


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("file", sorted((ROOT / "linguacodus_core").rglob("*.py")), ids=str)
def test_the_core_knows_nothing_of_prefect_tasks_and_flows(file: Path) -> None:
    tops = {name.split(".")[0] for name in imports(file)}
    assert not tops & {"prefect", "tasks", "flows"}


def test_tasks_do_not_know_flows() -> None:
    assert not [
        file for file in (ROOT / "tasks").rglob("*.py") if any(n.startswith("flows") for n in imports(file))
    ]


def test_rooms_of_the_core_import_downwards_only() -> None:
    level = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    core = ROOT / "linguacodus_core"
    wrong = []
    for file in core.rglob("*.py"):
        own = file.relative_to(core).parts[0].removesuffix(".py")
        for name in imports(file):
            parts = name.split(".")
            if parts[0] != "linguacodus_core" or len(parts) < 2 or parts[1] not in level or own not in level:
                continue
            if level[parts[1]] > level[own]:
                wrong.append(f"{file.relative_to(ROOT)} -> {name}")
    assert wrong == []


TRAINING_STACK = {"torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "datasets"}


def test_the_training_stack_is_imported_by_the_trainer_alone() -> None:
    """The trainer is a child process; what generated programs import is theirs (synthesis/blocks)."""
    files = [
        file for folder in ("linguacodus_core", "tasks", "flows") for file in (ROOT / folder).rglob("*.py")
    ]
    outside = [
        str(file.relative_to(ROOT))
        for file in files
        if not file.is_relative_to(ROOT / "linguacodus_core/trainer")
        and not file.is_relative_to(ROOT / "linguacodus_core/synthesis/blocks")
        and {name.split(".")[0] for name in imports(file)} & TRAINING_STACK
    ]
    assert outside == []


def test_nobody_imports_the_trainer() -> None:
    files = [
        file for folder in ("linguacodus_core", "tasks", "flows") for file in (ROOT / folder).rglob("*.py")
    ]
    assert not [
        file
        for file in files
        if not file.is_relative_to(ROOT / "linguacodus_core/trainer")
        and any(name.startswith("linguacodus_core.trainer") for name in imports(file))
    ]
