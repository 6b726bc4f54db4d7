"""Small edits of Python source by the positions of its syntax tree, so that comments and layout stay."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Replace the bytes start..end of the source by `text`; `note` says why, in words a user reads."""

    start: int
    end: int
    text: str
    note: str


class Source:
    """A parsed program and the byte positions of its nodes."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.raw = code.encode()
        self.tree = ast.parse(code)
        self._starts = [0]
        for line in self.raw.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends, in bytes."""
        first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        return (
            self._starts[first - 1] + node.col_offset,  # type: ignore[attr-defined]
            self._starts[last - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    def text(self, node: ast.AST) -> str:
        """The source of a node."""
        start, end = self.span(node)
        return self.raw[start:end].decode()

    def replace(self, node: ast.AST, text: str, note: str) -> Edit:
        """The edit that puts `text` in the place of a node."""
        return Edit(*self.span(node), text, note)

    def without_keyword(self, call: ast.Call, names: Iterable[str], note: str) -> Edit:
        """The edit that takes keyword arguments away from a call."""
        dropped = set(names)
        arguments = [self.text(argument) for argument in call.args]
        arguments += [self._keyword(keyword) for keyword in call.keywords if keyword.arg not in dropped]
        return self.replace(call, f"{self.text(call.func)}({', '.join(arguments)})", note)

    def with_keywords(self, call: ast.Call, values: dict[str, str], note: str) -> Edit:
        """The edit that sets keyword arguments of a call (source text each)."""
        arguments = [self.text(argument) for argument in call.args]
        arguments += [self._keyword(keyword) for keyword in call.keywords if keyword.arg not in values]
        arguments += [f"{name}={value}" for name, value in values.items()]
        return self.replace(call, f"{self.text(call.func)}({', '.join(arguments)})", note)

    def _keyword(self, keyword: ast.keyword) -> str:
        value = self.text(keyword.value)
        return f"{keyword.arg}={value}" if keyword.arg else f"**{value}"


Rule = Callable[[Source], list[Edit]]


def apply(code: str, rule: Rule, rounds: int = 8) -> tuple[str, list[str]]:
    """(code, notes) after a rule has nothing left to say; innermost edits first, none that break the code."""
    notes: list[str] = []
    for _ in range(rounds):
        source = Source(code)
        edits = rule(source)
        inner = [
            edit
            for edit in edits
            if not any(
                other is not edit
                and edit.start <= other.start
                and other.end <= edit.end
                and (other.start, other.end) != (edit.start, edit.end)
                for other in edits
            )
        ]
        chosen = {(edit.start, edit.end): edit for edit in inner}
        if not chosen:
            break
        raw = source.raw
        for start, end in sorted(chosen, reverse=True):
            raw = raw[:start] + chosen[start, end].text.encode() + raw[end:]
        changed = raw.decode()
        try:
            ast.parse(changed)
        except SyntaxError:
            break
        if changed == code:
            break
        code = changed
        notes += [edit.note for edit in chosen.values()]
    return code, notes
