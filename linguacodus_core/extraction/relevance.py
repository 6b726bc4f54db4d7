"""Code cut to a number of tokens by what it tells of the three sections, not at its end."""

import ast
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from linguacodus_core.extraction.stripping import short_literals, stripped
from linguacodus_core.extraction.syntax import parse
from linguacodus_core.extraction.weights import section, worth
from linguacodus_core.instructions.context import tokens

MARK: Final = "# ..."
_SMALL: Final = 60
_IMPORTS_SHARE: Final = 0.12
_SHARES: Final = {"preprocessing": 0.32, "architecture": 0.28, "training": 0.28}
_TELLING: Final = 0.25
_LEARNING: Final = re.compile(r"sklearn|lightgbm|xgboost|catboost|torch|keras|tensorflow|transformers|timm")

_FRAMES: Final = re.compile(r"\b\w*(?:train|test|valid|val|df|data)\w*\b", re.IGNORECASE)

Counter = Callable[[str], int]


@dataclass(eq=False)
class _Piece:
    """Some lines that are kept or left out together. header: what must stand above them."""

    first: int
    last: int
    text: str
    weight: float
    header: "_Piece | None" = None
    is_import: bool = False
    children: "list[_Piece]" = field(default_factory=list)

    @property
    def indent(self) -> str:
        return self.text[: len(self.text) - len(self.text.lstrip())]


def relevance(code: str) -> float:
    """What a block of code tells on the whole, -1 to 1: its statements' worth, the long ones counting more.

    The measure that the benchmark holds against labelled blocks.
    """
    pieces = list(_flat(_pieces(stripped(code), tokens)))
    told = [piece for piece in pieces if not piece.is_import]
    if not told:
        return worth("import x") if pieces else -1.0
    sizes = [math.sqrt(min(tokens(piece.text), 120)) for piece in told]
    mean = sum(piece.weight * size for piece, size in zip(told, sizes, strict=True)) / sum(sizes)
    return 0.6 * mean + 0.4 * max(piece.weight for piece in told)


def cut_code(code: str, limit: int, count: Counter = tokens) -> tuple[str, int]:
    """(code in at most about `limit` tokens, tokens left out), in source order, `# ...` where something is
    missing.

    Comments, docstrings, blank runs and long literals go first. Then statements are kept by their worth; the
    heads of the functions and loops around them come along. Works line by line where the code does not parse.
    count: how many tokens a text takes.
    """
    bare = stripped(code)
    if count(bare) <= limit:
        return bare, 0
    shorter = short_literals(bare)
    whole = count(shorter)
    if whole <= limit:
        return shorter, max(count(bare) - whole, 0)
    roots = _pieces(shorter, count)
    _repeated(roots)
    kept = _chosen(roots, limit, count)
    text = _assembled(roots, kept)
    while kept and count(text) > limit:
        worst = min(
            (p for p in kept if not any(c in kept for c in p.children)), key=lambda p: (p.weight, -p.first)
        )
        kept.discard(worst)
        text = _assembled(roots, kept)
    if not kept:
        best = max(_flat(roots), key=lambda piece: piece.weight, default=None)
        text = _beginning(best.text if best else shorter, limit, count)
    told = count("\n".join(line for line in text.split("\n") if line.strip() != MARK))
    return text, max(count(bare) - told, 0)


def _pieces(code: str, count: Counter) -> list[_Piece]:
    try:
        tree = parse(code)
    except SyntaxError:
        return _by_lines(code)
    lines = code.split("\n")
    return _of_body(tree.body, lines, None, count)


def _by_lines(code: str) -> list[_Piece]:
    """Pieces of code that does not parse: lines, those of one open bracket together."""
    pieces: list[_Piece] = []
    held: list[str] = []
    first, depth = 1, 0
    for number, line in enumerate(code.split("\n"), 1):
        if not held:
            first = number
        held.append(line)
        depth += sum(line.count(mark) for mark in "([{") - sum(line.count(mark) for mark in ")]}")
        if depth <= 0 or len(held) > 30:
            text = "\n".join(held)
            if text.strip():
                pieces.append(_Piece(first, number, text, worth(text), is_import=_is_import_line(text)))
            held, depth = [], 0
    if held and "\n".join(held).strip():
        pieces.append(_Piece(first, first + len(held) - 1, "\n".join(held), worth("\n".join(held))))
    return pieces


def _is_import_line(text: str) -> bool:
    return bool(re.match(r"\s*(import|from)\s+\w+", text))


def _of_body(body: list[ast.stmt], lines: list[str], header: _Piece | None, count: Counter) -> list[_Piece]:
    """The pieces of a block, statements that share a line together."""
    pieces: list[_Piece] = []
    for group in _groups(body):
        first, last = _first_line(group[0]), group[-1].end_lineno or group[-1].lineno
        text = "\n".join(lines[first - 1 : last])
        node = group[0]
        inner = _blocks(node) if len(group) == 1 else []
        if not inner or count(text) <= _SMALL or inner[0][0].lineno == node.lineno:
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            pieces.append(_Piece(first, last, text, _weight(text, node), header, is_import))
            continue
        pieces.append(_compound(node, inner, first, lines, header, count))
    return pieces


def _compound(
    node: ast.stmt,
    inner: list[list[ast.stmt]],
    first: int,
    lines: list[str],
    header: _Piece | None,
    count: Counter,
) -> _Piece:
    """A statement with blocks: its head, and what stands under it; `else` and its like are heads of their
    own."""
    begins = _first_line(inner[0][0])
    head = _Piece(first, begins - 1, _solid(lines[first - 1 : begins - 1]), 0.0, header)
    head.weight = worth(head.text) * 0.5
    head.children = _of_body(inner[0], lines, head, count)
    previous = inner[0][-1].end_lineno or begins
    for block in inner[1:]:
        begins = _first_line(block[0])
        if begins - 1 > previous:
            part = _Piece(previous + 1, begins - 1, _solid(lines[previous : begins - 1]), 0.0, head)
            part.children = _of_body(block, lines, part, count)
            head.children.append(part)
        else:
            head.children.extend(_of_body(block, lines, head, count))
        previous = block[-1].end_lineno or begins
    return head


def _solid(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line.strip())


def _groups(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    groups: list[list[ast.stmt]] = []
    for statement in body:
        if groups and (groups[-1][-1].end_lineno or 0) >= _first_line(statement):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(node.lineno, *(int(item.lineno) for item in decorators)) if decorators else node.lineno


def _blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    blocks = [getattr(node, "body", None)]
    blocks += [handler.body for handler in getattr(node, "handlers", [])]
    blocks += [getattr(node, "orelse", None), getattr(node, "finalbody", None)]
    if isinstance(node, ast.Match):
        return []
    return [block for block in blocks if isinstance(block, list) and block]


def _weight(text: str, node: ast.stmt) -> float:
    weight = worth(text)
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and weight > 0:
        return min(1.0, weight + 0.05)
    return weight


def _flat(pieces: list[_Piece]) -> Iterator[_Piece]:
    for piece in pieces:
        yield piece
        yield from _flat(piece.children)


def _repeated(roots: list[_Piece]) -> None:
    """A statement that does to the test rows what another did to the training rows tells little more."""
    seen: set[str] = set()
    for piece in _flat(roots):
        shape = _FRAMES.sub("D", piece.text)
        if shape in seen and not piece.children:
            piece.weight -= 0.35
        seen.add(shape)


def _chosen(roots: list[_Piece], limit: int, count: Counter) -> set[_Piece]:
    """The pieces of most worth that fit, with the heads above them.

    Each of the three sections is served first, up to its share of the room; the rest goes by worth alone.
    Imports have a small share of their own.
    """
    sizes = {piece: count(piece.text) + 1 for piece in _flat(roots)}
    order = sorted((p for p in sizes if not p.children), key=lambda piece: (-_rank(piece), piece.first))
    kept: set[_Piece] = set()
    spent = dict.fromkeys((*_SHARES, "imports", "all"), 0)
    mark = (count(MARK) + 1) // 2

    def take(piece: _Piece, name: str, most: float) -> None:
        missing = [piece]
        above = piece.header
        while above is not None and above not in kept:
            missing.append(above)
            above = above.header
        cost = sum(sizes[item] for item in missing) + mark
        if spent["all"] + cost <= limit and spent[name] + cost <= most:
            spent["all"] += cost
            spent[name] += cost if name != "all" else 0
            kept.update(missing)

    for piece in order:
        if not piece.is_import and piece.weight >= _TELLING:
            part = section(piece.text)
            take(piece, part, _SHARES[part] * limit)
    for piece in order:
        if piece.is_import:
            take(piece, "imports", _IMPORTS_SHARE * limit)
        elif piece not in kept and (piece.weight > -0.2 or spent["all"] < 0.6 * limit):
            take(piece, "all", limit)
    return kept


def _rank(piece: _Piece) -> float:
    if piece.is_import:
        return 0.25 if _LEARNING.search(piece.text) else -0.1
    return piece.weight


def _assembled(roots: list[_Piece], kept: set[_Piece]) -> str:
    lines: list[str] = []

    def write(pieces: list[_Piece]) -> None:
        for piece in pieces:
            if piece in kept:
                lines.append(piece.text)
                write(piece.children)
            elif (lines and lines[-1] != piece.indent + MARK) or not lines:
                lines.append(piece.indent + MARK)

    write(roots)
    return "\n".join(lines)


def _beginning(text: str, limit: int, count: Counter) -> str:
    """As much of a text as fits, for when not one piece does."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) + count(MARK) <= limit else (low, middle - 1)
    return text[:low] + ("\n" + MARK if low < len(text) else "")
