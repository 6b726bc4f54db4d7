"""What methods of frames and series do to columns: filling, encoding, dropping, shifting, grouping."""

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from linguacodus_core.extraction.columns import columns_of, formula, sources_of
from linguacodus_core.extraction.columnsteps import FEATURES, options_of
from linguacodus_core.extraction.stepcatalog import STATISTICS

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading


def method(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    """Note what a method of a frame or series does to its columns."""
    act = _METHODS.get(func.attr)
    if act is not None:
        act(reader, node, func)


def _fillna(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    value = options.get("value", node.args[0] if node.args else None)
    columns = columns_of(reader, func.value)
    if not columns and reader.assigning is not None and isinstance(reader.assigning, ast.Subscript):
        columns = columns_of(reader, reader.assigning)
    way = reader.constant(options.get("method"))
    if isinstance(way, str):
        reader.note(
            "impute",
            "forward fill" if "f" in way[:2] and "b" not in way[:1] else "backward fill",
            columns,
            "",
            node.lineno,
        )
        return
    if value is None:
        return
    if _made_by(func.value) in ("shift", "rolling", "merge", "map", "diff", "pct_change", "mean", "std"):
        return
    known = reader.constant(value)
    if isinstance(known, dict):
        for column, filling in list(known.items())[:12]:
            if isinstance(column, str):
                reader.note(
                    "impute", "constant", (column,), "" if filling is None else repr(filling), node.lineno
                )
        return
    how, detail = _filling(reader, value)
    reader.note("impute", how, columns, detail, node.lineno)


def _made_by(node: ast.expr) -> str:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def _filling(reader: "Reading", value: ast.expr) -> tuple[str, str]:
    """(how, detail) of what fills gaps."""
    known = reader.constant(value)
    if isinstance(known, int | float | str):
        return "constant", repr(known)
    for _ in range(3):
        words = ast.unparse(value) if not isinstance(value, ast.Constant) else ""
        if len(words) > 400:
            return "value", ""
        grouped = "groupby" in words
        keys = ""
        if grouped and (found := re.search(r"groupby\(\[?(['\"][^\])]*)\]?", words)):
            keys = re.sub(r"['\"]", "", found.group(1)).split("]")[0].split(",  ")[0].strip()
        for name in ("median", "mode", "mean", "max", "min"):
            if re.search(rf"\.{name}\(|['\"]{name}['\"]|\bnp\.{name}|nan{name}", words):
                return f"{name} of the group" if grouped else name, keys
        if "value_counts" in words:
            return "mode", ""
        if isinstance(value, ast.Name) and (bound := reader.lookup(value.id)) is not None:
            value = bound
            continue
        break
    return "value", ""


def _direction(how: str) -> Any:
    def act(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
        columns = columns_of(reader, func.value)
        reader.note("impute", how, columns, "", node.lineno)

    return act


def _dropna(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    axis = reader.constant(options.get("axis", node.args[0] if node.args else None))
    subset = columns_of(reader, options.get("subset"))
    if _looks_like_frame(func.value) and (
        reader.assigning is not None or reader.constant(options.get("inplace")) is True
    ):
        reader.note("dropna", "columns" if axis in (1, "columns") else "rows", subset, "", node.lineno)


def _looks_like_frame(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _drop(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    axis = reader.constant(options.get("axis", node.args[1] if len(node.args) > 1 else None))
    named = options.get("columns")
    if named is None and axis in (1, "columns"):
        named = options.get("labels", node.args[0] if node.args else None)
    if named is None:
        rows = options.get("index", node.args[0] if node.args else None)
        if isinstance(rows, ast.Attribute) and rows.attr == "index" and isinstance(rows.value, ast.Subscript):
            columns = sources_of(reader, rows.value.slice)
            text = formula(reader, rows.value.slice) or ""
            if columns:
                reader.note("outliers", "rows", columns, text, node.lineno)
        return
    columns = tuple(name for name in columns_of(reader, named) if name not in reader.targets)
    kept = reader.assigning is not None or reader.constant(options.get("inplace")) is True
    if columns and kept:
        target = reader.assigning
        into = target.id if isinstance(target, ast.Name) else ""
        if isinstance(named, ast.Constant) and FEATURES.search(into):
            reader.targets.update(columns)
            return
        reader.note("drop", "", columns, "", node.lineno)


def _mapped(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    """`df["Sex"].map({"male": 0, ...})`: categories become numbers."""
    if not node.args:
        return
    known = reader.constant(node.args[0])
    columns = columns_of(reader, func.value)
    if isinstance(known, dict) and known and columns:
        values = [value for value in known.values() if value is not None]
        if len(known) > 1 and values and all(isinstance(value, int | float) for value in values):
            reader.note("encode", "mapped to numbers", columns, "", node.lineno)
        elif values:
            reader.note("feature", "recoded", columns, "", node.lineno)


def _replaced(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    if isinstance(func.value, ast.Attribute) and func.value.attr == "str":
        return
    known = reader.constant(node.args[0]) if node.args else None
    columns = columns_of(reader, func.value)
    numbers = reader.constant(node.args[1]) if len(node.args) > 1 else None
    if isinstance(known, list) and isinstance(numbers, list) and columns:
        if all(isinstance(value, int | float) for value in numbers):
            reader.note("encode", "mapped to numbers", columns, "", node.lineno)
        return
    if isinstance(known, dict) and known:
        inner = known
        if all(isinstance(value, dict) for value in known.values()):
            columns, inner = tuple(str(key) for key in known), next(iter(known.values()))
        values = [value for value in inner.values() if value is not None]
        texts = all(isinstance(key, str | bool) for key in inner)
        if (
            columns
            and values
            and len(inner) > 1
            and texts
            and all(isinstance(value, int | float) for value in values)
        ):
            reader.note("encode", "mapped to numbers", columns, "", node.lineno)


def _astype(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    known = reader.constant(node.args[0]) if node.args else None
    if known == "category":
        reader.note("encode", "category type", columns_of(reader, func.value), "", node.lineno)


def _shift(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    steps = reader.constant(options.get("periods", node.args[0] if node.args else None))
    if steps is None and node.args:
        each = reader.each_of(node.args[0].id) if isinstance(node.args[0], ast.Name) else None
        over = reader.constant(each) if each is not None else None
        if isinstance(over, list):
            for item in over[:12]:
                if isinstance(item, int):
                    reader.note("lag", "", columns_of(reader, _series(func.value)), str(item), node.lineno)
            return
    detail = str(steps) if isinstance(steps, int) else ""
    if reader.assigning is not None or reader.scope is not reader.module:
        reader.note(
            "lag",
            "lead" if isinstance(steps, int) and steps < 0 else "",
            columns_of(reader, _series(func.value)),
            detail.lstrip("-"),
            node.lineno,
        )


def _series(node: ast.expr) -> ast.expr:
    """The series of a grouped series: df.groupby(...)["x"] stands for x."""
    return node


def _rolling(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    window = options.get(
        "window", options.get("span", options.get("halflife", node.args[0] if node.args else None))
    )
    known = reader.constant(window)
    stored = isinstance(reader.assigning, ast.Subscript) or (
        reader.scope is not reader.module and reader.assigning is not None
    )
    if not stored:
        return
    how = {"rolling": "", "ewm": "exponential", "expanding": "expanding", "rolling_mean": ""}[func.attr]
    details = [str(known)] if isinstance(known, int | str) else []
    if not details and isinstance(window, ast.Name) and (each := reader.each_of(window.id)) is not None:
        over = reader.constant(each)
        details = [str(item) for item in over[:8] if item is not None] if isinstance(over, list) else []
    columns = columns_of(reader, func.value)
    for detail in details or [""]:
        reader.note("rolling", how, columns, detail, node.lineno)


def _difference(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    if isinstance(reader.assigning, ast.Subscript):
        how = {
            "diff": "differences",
            "pct_change": "relative changes",
            "cumsum": "cumulative sums",
            "cumcount": "running counts",
            "rank": "ranks",
            "cummax": "running maxima",
        }[func.attr]
        reader.note("feature", how, columns_of(reader, func.value), "", node.lineno)


def _transform(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    """`df.groupby(keys)[column].transform("mean")`: a statistic of the group as a column."""
    keys, columns = grouping(reader, func.value)
    how = reader.constant(node.args[0]) if node.args else None
    if keys:
        reader.note(
            "aggregate",
            how if isinstance(how, str) and how in STATISTICS else "",
            columns,
            ", ".join(keys[:4]),
            node.lineno,
        )


def _aggregated(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    keys, columns = grouping(reader, func.value)
    if not keys:
        return
    if func.attr in ("agg", "aggregate"):
        known = reader.constant(node.args[0]) if node.args else None
        if isinstance(known, dict):
            columns = tuple(str(key) for key in known if isinstance(key, str))
            first = next((v for v in known.values() if v is not None), None)
            known = first
        words = (
            [item for item in known if isinstance(item, str)]
            if isinstance(known, list)
            else [known]
            if isinstance(known, str)
            else []
        )
        how = ", ".join(words[:4])
    else:
        how = func.attr
    reader.pending_aggregates.append((how, columns, keys, node.lineno))


def grouping(reader: "Reading", node: ast.expr) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(keys, columns) of `df.groupby(keys)[columns]`; no keys where nothing is grouped."""
    columns: tuple[str, ...] = ()
    for _ in range(4):
        if isinstance(node, ast.Subscript):
            columns = columns_of(reader, node.slice)
            node = node.value
        elif isinstance(node, ast.Attribute) and node.attr not in ("dt", "str"):
            columns = (node.attr,)
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "groupby":
                by = options_of(node).get("by", node.args[0] if node.args else None)
                return columns_of(reader, by) or ("group",), columns
            node = node.func.value
        else:
            break
    return (), ()


def _merged(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    options = options_of(node)
    on = columns_of(reader, options.get("on", options.get("left_on")))
    confirm_aggregates(reader)
    if reader.assigning is not None:
        reader.note("merge", "", on, "", node.lineno)


def confirm_aggregates(reader: "Reading") -> None:
    """Grouped statistics that were kept in a variable are features once a table is joined with another."""
    for how, columns, keys, line in reader.pending_aggregates:
        reader.note("aggregate", how, columns, ", ".join(keys[:4]), line)
    reader.pending_aggregates.clear()


def _duplicates(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    if reader.assigning is not None or reader.constant(options_of(node).get("inplace")) is True:
        reader.note("duplicates", "", columns_of(reader, options_of(node).get("subset")), "", node.lineno)


def _clipped(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    columns = columns_of(reader, func.value)
    if columns and isinstance(reader.assigning, ast.Subscript):
        reader.note("outliers", "clipping", columns, "", node.lineno)


def _interpolated(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    reader.note("impute", "interpolation", columns_of(reader, func.value), "", node.lineno)


def _pivoted(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    if reader.assigning is not None:
        reader.note("pivot", func.attr, (), "", node.lineno)


def _lowered(reader: "Reading", node: ast.Call, func: ast.Attribute) -> None:
    if reader.scope is not reader.module or isinstance(reader.assigning, ast.Subscript):
        reader.note("clean", "lower case", (), "", node.lineno)


_METHODS: Final[dict[str, Any]] = {
    "fillna": _fillna,
    "ffill": _direction("forward fill"),
    "pad": _direction("forward fill"),
    "bfill": _direction("backward fill"),
    "interpolate": _interpolated,
    "dropna": _dropna,
    "drop": _drop,
    "map": _mapped,
    "replace": _replaced,
    "astype": _astype,
    "shift": _shift,
    "rolling": _rolling,
    "ewm": _rolling,
    "expanding": _rolling,
    "diff": _difference,
    "pct_change": _difference,
    "cumsum": _difference,
    "cumcount": _difference,
    "rank": _difference,
    "cummax": _difference,
    "transform": _transform,
    "agg": _aggregated,
    "aggregate": _aggregated,
    "mean": _aggregated,
    "median": _aggregated,
    "std": _aggregated,
    "count": _aggregated,
    "sum": _aggregated,
    "min": _aggregated,
    "max": _aggregated,
    "nunique": _aggregated,
    "merge": _merged,
    "drop_duplicates": _duplicates,
    "clip": _clipped,
    "pivot": _pivoted,
    "unstack": _pivoted,
    "lower": _lowered,
}
