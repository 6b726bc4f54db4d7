"""Imports run one way: flows -> tasks -> linguacodus_core, and inside the core from top to bottom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    {"errors", "settings", "tables", "store", "candidate", "progress"},
    {"metrics", "llm", "sandbox"},
    {"taskfolder", "sources", "curation"},
    {"instructions", "scoring", "extraction"},
    {"dataset"},
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
