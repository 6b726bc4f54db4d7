"""The source of verified blocks: takes functions and all that they need, as one text and its imports."""

import ast
import builtins
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BLOCKS = "linguacodus_core.synthesis.blocks"


@dataclass(frozen=True)
class Definition:
    """One top-level function, class or constant of a block module, and the names it uses."""

    name: str
    module: str
    line: int
    text: str
    uses: frozenset[str]


@dataclass(frozen=True)
class Module:
    """A block module taken apart: imports by the name they bind (module, attribute), definitions by name."""

    imports: dict[str, tuple[str, str | None]]
    definitions: dict[str, Definition]


@dataclass
class Collected:
    """Definitions in an order that runs, and what has to be imported for them."""

    definitions: list[Definition] = field(default_factory=list)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The definitions as source: constants one beneath the other, two blank lines around the rest."""
        parts: list[str] = []
        for place, item in enumerate(self.definitions):
            constant = not item.text.startswith(("def ", "class ", "@"))
            after = place and not self.definitions[place - 1].text.startswith(("def ", "class ", "@"))
            parts.append(("\n" if constant and after else "\n\n\n" if place else "") + item.text)
        return "".join(parts)


@cache
def module_of(name: str) -> Module:
    """A block module by its short name, taken apart; read, not imported: its packages may be missing."""
    text = (Path(__file__).parent / "blocks" / f"{name}.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    imports: dict[str, tuple[str, str | None]] = {}
    definitions: dict[str, Definition] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.split(".")[0]
                imports[bound] = (alias.name, None)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                imports[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign):
            for bound in _bound_names(node):
                start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                source = "\n".join(lines[_with_comment(lines, start) : node.end_lineno])
                definitions[bound] = Definition(bound, name, node.lineno, source, _used_names(node))
    return Module(imports, definitions)


def _bound_names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _with_comment(lines: list[str], start: int) -> int:
    """The place of the first line of the comment right above line `start` (1-based)."""
    first = start - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _used_names(node: ast.AST) -> frozenset[str]:
    names = {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
    return frozenset(names - set(dir(builtins)))


def collect(wanted: Iterable[tuple[str, str]]) -> Collected:
    """The definitions (module, name) and all they use, each after what it uses.

    Raises KeyError for a name that its module does not define.
    """
    found = Collected()
    seen: set[tuple[str, str]] = set()

    def visit(module: str, name: str) -> None:
        if (module, name) in seen:
            return
        seen.add((module, name))
        taken = module_of(module)
        definition = taken.definitions[name]
        for used in sorted(definition.uses):
            if used in taken.definitions:
                visit(module, used)
            elif used in taken.imports:
                origin, attribute = taken.imports[used]
                if origin.startswith(f"{BLOCKS}.") and attribute:
                    visit(origin.removeprefix(f"{BLOCKS}."), attribute)
                else:
                    found.imports[used] = (origin, attribute)
        if all(known.name != name for known in found.definitions):
            found.definitions.append(definition)

    for module, name in wanted:
        visit(module, name)
    return found


def import_lines(imports: dict[str, tuple[str, str | None]], between: str = "") -> str:
    """Import statements in isort's order: the standard library, the statement `between`, the rest."""
    plain: dict[bool, set[str]] = {True: set(), False: set()}
    members: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    for bound, (origin, attribute) in imports.items():
        standard = origin.split(".")[0] in sys.stdlib_module_names
        if attribute is None:
            same = bound == origin.split(".")[0] and "." not in origin
            plain[standard].add(f"import {origin}" if same else f"import {origin} as {bound}")
        else:
            text = attribute if attribute == bound else f"{attribute} as {bound}"
            members[standard].setdefault(origin, set()).add(text)
    groups = []
    for standard in (True, False):
        lines = sorted(plain[standard], key=str.lower)
        for origin in sorted(members[standard], key=str.lower):
            names = sorted(members[standard][origin], key=_member_order)
            line = f"from {origin} import {', '.join(names)}"
            if len(line) > 110:
                line = f"from {origin} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
            lines.append(line)
        if lines:
            groups.append("\n".join(lines))
        if standard and between:
            groups.append(between)
    return "\n\n".join(groups)


def _member_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as isort orders them."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)
