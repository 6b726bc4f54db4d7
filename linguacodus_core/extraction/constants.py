"""The value of an expression where the code shows it: literals, names bound to them, simple arithmetic."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

DEPTH: Final = 8
LONGEST: Final = 300

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

Lookup = Callable[[str], ast.expr | None]


def value_of(node: ast.expr | None, lookup: Lookup, depth: int = DEPTH) -> Any:
    """The literal that an expression stands for, None where the code does not show it.

    Texts with unknown parts come with {} in their place; lists and mappings with unknown items as None.
    lookup: the expression that a name, or a dotted or subscripted name ("CFG.lr", "params[lr]"), is bound to.
    """
    if node is None or depth <= 0:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, bool | int | float | str) else None
    read = _READERS.get(type(node))
    return read(node, lookup, depth) if read is not None else None


def key_of(node: ast.expr) -> str | None:
    """The name under which the reader keeps `a`, `a.b` and `a["b"]`, None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str | int)
    ):
        return f"{node.value.id}[{node.slice.value}]"
    return None


def _named(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    key = key_of(node)
    if key is None:
        return None
    bound = lookup(key)
    if bound is not None and bound is not node:
        return value_of(bound, lookup, depth - 1)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        whole = value_of(node.value, lookup, depth - 1)
        if isinstance(whole, dict):
            return whole.get(node.slice.value)
        if (
            isinstance(whole, list)
            and isinstance(node.slice.value, int)
            and -len(whole) <= node.slice.value < len(whole)
        ):
            return whole[node.slice.value]
    return None


def _sequence(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.List | ast.Tuple | ast.Set)
    if len(node.elts) > LONGEST:
        return None
    return [value_of(item, lookup, depth - 1) for item in node.elts]


def _mapping(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.Dict)
    if len(node.keys) > LONGEST:
        return None
    found: dict[Any, Any] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        if key is None:
            inner = value_of(item, lookup, depth - 1)
            found.update(inner if isinstance(inner, dict) else {})
            continue
        name = value_of(key, lookup, depth - 1)
        if isinstance(name, str | int | float):
            found[name] = value_of(item, lookup, depth - 1)
    return found


def _text(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.JoinedStr)
    parts = []
    for part in node.values:
        known = value_of(part.value if isinstance(part, ast.FormattedValue) else part, lookup, depth - 1)
        parts.append("{}" if known is None else str(known))
    return "".join(parts)


def _sum(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.BinOp)
    left = value_of(node.left, lookup, depth - 1)
    right = value_of(node.right, lookup, depth - 1)
    if isinstance(node.op, ast.Add) and isinstance(left, str) != isinstance(right, str):
        known = [side if isinstance(side, str) else "{}" for side in (left, right)]
        return "".join(known)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Pow):
        small = all(isinstance(side, int | float) and abs(side) < 1000 for side in (left, right))
        return left**right if small and left > 0 else None
    apply = _OPERATORS.get(type(node.op))
    numbers = all(isinstance(side, int | float) for side in (left, right))
    joined = type(node.op) is ast.Add and isinstance(left, list) and isinstance(right, list)
    texts = type(node.op) is ast.Add and isinstance(left, str) and isinstance(right, str)
    path = type(node.op) is ast.Div and isinstance(left, str) and isinstance(right, str)
    if path:
        return f"{left}/{right}"
    if apply is None or not (numbers or joined or texts):
        return None
    try:
        return apply(left, right)
    except (ArithmeticError, ValueError):
        return None


def _sign(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.UnaryOp)
    known = value_of(node.operand, lookup, depth - 1)
    if isinstance(node.op, ast.USub) and isinstance(known, int | float):
        return -known
    if isinstance(node.op, ast.Not) and isinstance(known, bool):
        return not known
    return None


def _choice(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    assert isinstance(node, ast.IfExp)
    first = value_of(node.body, lookup, depth - 1)
    return first if first is not None else value_of(node.orelse, lookup, depth - 1)


def _made(node: ast.expr, lookup: Lookup, depth: int) -> Any:
    """Calls that only wrap a literal: dict(a=1), Path("x"), os.path.join("a", "b"), int(5), list(...)."""
    assert isinstance(node, ast.Call)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "dict" and not node.args:
        return {item.arg: value_of(item.value, lookup, depth - 1) for item in node.keywords if item.arg}
    first = value_of(node.args[0], lookup, depth - 1) if node.args else None
    if name in ("Path", "int", "float", "str", "list", "tuple", "set", "array", "copy", "Index"):
        if not node.args and isinstance(node.func, ast.Attribute):
            return value_of(node.func.value, lookup, depth - 1)
        return first
    if name in ("join", "joinpath") and isinstance(node.func, ast.Attribute) and len(node.args) > 1:
        parts = [value_of(item, lookup, depth - 1) for item in node.args]
        return "/".join("{}" if part is None else str(part) for part in parts)
    if name == "range" and len(node.args) == 1:
        return None
    if name == "field" and not node.args:
        default = next((item.value for item in node.keywords if item.arg == "default"), None)
        return value_of(default, lookup, depth - 1)
    return None


_READERS: Final[Mapping[type[ast.expr], Callable[[ast.expr, Lookup, int], Any]]] = {
    ast.Name: _named,
    ast.Attribute: _named,
    ast.Subscript: _named,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _mapping,
    ast.JoinedStr: _text,
    ast.BinOp: _sum,
    ast.UnaryOp: _sign,
    ast.IfExp: _choice,
    ast.Call: _made,
}
