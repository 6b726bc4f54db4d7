"""Which columns an expression names, and arithmetic on columns as a formula."""

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from linguacodus_core.extraction.vocabulary import word_set

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

MOST: Final = 40
_OPERATORS: Final = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}
_COMPARISONS: Final = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_FUNCTIONS: Final = word_set(
    "log1p log sqrt exp expm1 abs sin cos log10 log2 square radians hypot arctan2 sign"
)
_NOT_COLUMNS: Final = word_set(
    "values index columns shape str dt cat T iloc loc at iat dtypes dtype size apply map fillna astype mean "
    "median mode sum std min max copy head describe isnull isna notnull notna unique nunique value_counts "
    "groupby replace drop merge corr plot rank round clip shift rolling diff tolist to_numpy"
)
_GROUP_WORDS: Final = (
    (re.compile(r"(^|_)(num|numeric|cont|continuous|float|int)(_|s?$|eric|erical)", re.I), "numeric columns"),
    (re.compile(r"(^|_)(cats?|categor\w+|object|obj|nominal|discrete)(_|s?$)", re.I), "categorical columns"),
    (re.compile(r"(^|_)(ordinal)(_|$)", re.I), "ordinal columns"),
    (re.compile(r"(^|_)(skew|skewed)", re.I), "skewed columns"),
    (re.compile(r"(^|_)(bin|binary|bool|boolean)(_|$)", re.I), "binary columns"),
)  # fmt: skip


def columns_of(reader: "Reading", node: ast.expr | None, depth: int = 5) -> tuple[str, ...]:
    """The columns that an expression names: "Age" of df["Age"], of df.Age, and of ["Age", ...] by its name.

    Lists of which only the name is known stand for themselves: "numeric columns" for num_cols.
    """
    if node is None or depth <= 0:
        return ()
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) and plausible(node.value) else ()
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        if (
            isinstance(node, ast.Tuple)
            and len(node.elts) == 2
            and isinstance(node.elts[0], ast.Slice | ast.Compare)
        ):
            return columns_of(reader, node.elts[1], depth - 1)
        return _flat(columns_of(reader, item, depth - 1) for item in node.elts[:MOST])
    if isinstance(node, ast.Subscript):
        base = node.value
        if isinstance(base, ast.Attribute) and base.attr in ("loc", "iloc", "at"):
            if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
                return columns_of(reader, node.slice.elts[1], depth - 1)
            return ()
        if isinstance(node.slice, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Slice | ast.Call):
            return columns_of(reader, base, depth - 1) if not isinstance(node.slice, ast.Slice) else ()
        if isinstance(node.slice, ast.Constant) and not isinstance(node.slice.value, str):
            return columns_of(reader, base, depth - 1)
        return columns_of(reader, node.slice, depth - 1)
    if isinstance(node, ast.Name):
        return _named(reader, node.id, depth)
    if isinstance(node, ast.Attribute):
        if node.attr in ("values", "str", "dt", "cat"):
            return columns_of(reader, node.value, depth - 1)
        if node.attr in _NOT_COLUMNS or not isinstance(node.value, ast.Name):
            return ()
        owner = node.value.id
        if (
            owner[0].isupper() and len(owner) > 1 and not re.match(r"[XY]_|X[a-z]?$|DF|TR", owner)
        ) or reader.defined(owner):
            return ()
        if node.value.id in reader.names.aliases or node.value.id in (
            "self",
            "CFG",
            "config",
            "cfg",
            "args",
            "Config",
        ):
            return ()
        return (node.attr,) if plausible(node.attr) else ()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in (
            "fillna",
            "astype",
            "copy",
            "reshape",
            "to_numpy",
            "map",
            "apply",
            "replace",
            "clip",
            "strip",
            "lower",
        ):
            return columns_of(reader, node.func.value, depth - 1)
        return ()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        known = reader.constant(node)
        return _texts(known)
    return ()


def _named(reader: "Reading", name: str, depth: int) -> tuple[str, ...]:
    known = reader.constant(ast.Name(id=name, ctx=ast.Load()))
    if isinstance(known, str):
        return (known,) if plausible(known) else ()
    found = _texts(known)
    if found:
        return found
    each = reader.each_of(name)
    if each is not None:
        if isinstance(each, ast.Name) and each.id == name:
            return ()
        over = _texts(reader.constant(each))
        if over:
            return over
        return (
            columns_of(reader, each, depth - 1) if isinstance(each, ast.Name | ast.List | ast.Tuple) else ()
        )
    for pattern, words in _GROUP_WORDS:
        if pattern.search(name):
            return (words,)
    return ()


def _texts(known: Any) -> tuple[str, ...]:
    if isinstance(known, list):
        return tuple(item for item in known[:MOST] if isinstance(item, str) and plausible(item))
    return ()


def _flat(parts: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))[:MOST]


def plausible(name: str) -> bool:
    """Whether a text can be a column's name: short, one line, no path, no placeholder."""
    return (
        bool(name)
        and len(name) <= 40
        and not re.search(r"[\n{}<>/\\]|\.\w{2,4}$", name)
        and not name.isdigit()
    )


def name_in(node: ast.expr) -> str | None:
    """The last name of an expression: `groups` of `df.groups.values`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr if node.attr not in _NOT_COLUMNS else name_in(node.value)
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return node.slice.value
        return name_in(node.value)
    return None


def sources_of(reader: "Reading", node: ast.expr) -> tuple[str, ...]:
    """All columns that are read anywhere in an expression, in order."""
    found: dict[str, None] = {}
    stack: list[ast.AST] = [node]
    while stack and len(found) < 12:
        item = stack.pop()
        if isinstance(item, ast.Subscript | ast.Attribute):
            columns = columns_of(reader, item, 2)
            if columns:
                found.update(dict.fromkeys(columns))
                continue
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute):
            stack.extend([*(k.value for k in reversed(item.keywords)), *reversed(item.args), item.func.value])
            continue
        stack.extend(reversed(list(ast.iter_child_nodes(item))))
    return tuple(found)[:12]


def formula(reader: "Reading", node: ast.expr, depth: int = 5) -> str | None:
    """Arithmetic on columns as text, "SibSp + Parch + 1"; None for what is no plain arithmetic."""
    if depth <= 0:
        return None
    if isinstance(node, ast.Constant):
        return repr(node.value) if isinstance(node.value, int | float | str) else None
    if isinstance(node, ast.Subscript | ast.Attribute):
        columns = columns_of(reader, node, 2)
        return columns[0] if len(columns) == 1 else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = formula(reader, node.operand, depth - 1)
        return f"-{inner}" if inner else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, ast.Constant) and side.value in (1, 1.0) and isinstance(other, ast.Compare):
                return formula(reader, other, depth - 1)
    if isinstance(node, ast.BinOp):
        sign = _OPERATORS.get(type(node.op))
        left, right = formula(reader, node.left, depth - 1), formula(reader, node.right, depth - 1)
        if sign is None or left is None or right is None:
            return None
        if isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow):
            left = (
                f"({left})"
                if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Add | ast.Sub)
                else left
            )
        if not isinstance(node.op, ast.Add) and isinstance(node.right, ast.BinOp):
            right = f"({right})"
        return f"{left} {sign} {right}"
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign = _COMPARISONS.get(type(node.ops[0]))
        left, right = formula(reader, node.left, depth - 1), formula(reader, node.comparators[0], depth - 1)
        return f"{left} {sign} {right}" if sign and left and right else None
    if isinstance(node, ast.Call):
        return _call(reader, node, depth)
    return None


def _call(reader: "Reading", node: ast.Call, depth: int) -> str | None:
    func = node.func
    if not isinstance(func, ast.Attribute):
        inner = (
            formula(reader, node.args[0], depth - 1)
            if isinstance(func, ast.Name)
            and func.id in ("int", "abs", "round", "len")
            and len(node.args) == 1
            else None
        )
        return f"{func.id}({inner})" if inner and isinstance(func, ast.Name) else None
    if func.attr in _FUNCTIONS and isinstance(func.value, ast.Name) and 1 <= len(node.args) <= 2:
        inner_parts = [formula(reader, argument, depth - 1) for argument in node.args]
        return f"{func.attr}({', '.join(part for part in inner_parts if part)})" if all(inner_parts) else None
    if func.attr in ("astype", "fillna", "copy", "round", "to_numpy"):
        return formula(reader, func.value, depth - 1)
    if func.attr in ("isnull", "isna"):
        inner = formula(reader, func.value, depth - 1)
        return f"{inner} is missing" if inner else None
    if func.attr in ("notnull", "notna"):
        inner = formula(reader, func.value, depth - 1)
        return f"{inner} is present" if inner else None
    if func.attr == "abs" and not node.args:
        inner = formula(reader, func.value, depth - 1)
        return f"|{inner}|" if inner else None
    if func.attr == "sum" and isinstance(func.value, ast.Subscript):
        columns = columns_of(reader, func.value)
        return "sum of " + ", ".join(columns) if 1 < len(columns) <= 6 else None
    return None
