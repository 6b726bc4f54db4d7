"""Code without what tells nothing: comments, docstrings, blank runs, the bulk of long literals."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from linguacodus_core.extraction.syntax import parse

_LITERAL: Final = 240
_TEXT: Final = 160


def stripped(code: str) -> str:
    """The code without comments, docstrings, and runs of blank lines; as it is where it cannot be read."""
    code = code.replace("\r\n", "\n").replace("\t", "    ").replace("\x00", "")
    lines = code.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column].rstrip()
    except (tokenize.TokenError, SyntaxError, IndentationError):
        lines = ["" if re.match(r"\s*#", line) else line for line in lines]
    text = "\n".join(lines)
    try:
        tree = parse(text)
    except SyntaxError:
        return _tidy(lines)
    for node in _strings_alone(tree):
        first, last = node.lineno, node.end_lineno or node.lineno
        alone = (
            lines[first - 1][: node.col_offset].strip() == ""
            and not lines[last - 1][node.end_col_offset or 0 :].strip()
        )
        if alone:
            for row in range(first - 1, last):
                lines[row] = ""
    return _tidy(lines)


def _strings_alone(tree: ast.Module) -> Iterator[ast.Expr]:
    """Expressions that are only a text: docstrings and commented-out code; not where a block holds nothing
    else."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if not isinstance(body, list):
                continue
            texts = [
                s
                for s in body
                if isinstance(s, ast.Expr)
                and isinstance(s.value, ast.Constant)
                and isinstance(s.value.value, str)
            ]
            if len(texts) < len(body) or isinstance(node, ast.Module):
                yield from texts


def _tidy(lines: list[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line.rstrip())
    return "\n".join(kept).strip("\n")


def short_literals(code: str) -> str:
    """Long lists, mappings and texts cut to their beginning."""
    try:
        tree = parse(code)
    except SyntaxError:
        return re.sub(r"(['\"])([^'\"\n]{80})[^'\"\n]{80,}\1", r"\1\2...\1", code)
    raw = [line.encode() for line in code.split("\n")]
    starts = [0]
    for line in raw:
        starts.append(starts[-1] + len(line) + 1)
    data = b"\n".join(raw)
    cuts: list[tuple[int, int, bytes]] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if (
            isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Constant)
            and node.end_lineno
            and node.end_col_offset
        ):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            replacement = _shortened(node, data[begin:end], starts, begin)
            if replacement is not None:
                cuts.append((begin, end, replacement))
                continue
        stack.extend(ast.iter_child_nodes(node))
    for begin, end, replacement in sorted(cuts, reverse=True):
        data = data[:begin] + replacement + data[end:]
    return data.decode(errors="replace")


def _shortened(node: ast.expr, source: bytes, starts: list[int], begin: int) -> bytes | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and len(source) > _TEXT:
            quote = b'"""' if b"\n" in source[:_TEXT] else b'"'
            inner = node.value[:60].replace("\\", "").replace('"', "'").replace("\n", " ")
            return quote + inner.encode() + b"..." + quote
        return None
    if len(source) <= _LITERAL:
        return None
    if isinstance(node, ast.Dict):
        values = [*node.keys, *node.values]
        if not all(isinstance(value, ast.Constant) for value in values) or len(node.keys) < 8:
            return None
        last = node.values[3]
    else:
        assert isinstance(node, ast.List | ast.Tuple | ast.Set)
        if (
            not all(
                isinstance(value, ast.Constant | ast.UnaryOp | ast.List | ast.Tuple) for value in node.elts
            )
            or len(node.elts) < 8
        ):
            return None
        last = node.elts[4]
    end = starts[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0) - begin
    head = source[: min(end, _LITERAL)]
    closing = {b"[": b"]", b"{": b"}", b"(": b")"}.get(source[:1], b"")
    return b" ".join(head.split()) + b", ..." + closing
