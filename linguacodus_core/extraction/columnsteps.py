"""What becomes of columns: new ones, dropped ones, encoded, scaled, cut; text and images on the way."""

import ast
import re
from typing import TYPE_CHECKING, Final

from linguacodus_core.extraction.columns import columns_of, formula, name_in, plausible, sources_of
from linguacodus_core.extraction.scopes import Refs

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_TARGET: Final = re.compile(
    r"^(y|Y)$|^y_?(train|tr|all|full|trn)?$|^Y_?train$|target|^labels?$|^train_?(y|labels?|target)$", re.I
)
FEATURES: Final = re.compile(r"^X|^x_|features?$|^train_?x$|^predictors$", re.I)
_OUTPUT: Final = re.compile(
    r"sub(mission)?|output|result|pred|oof|hist|score|metric|answer|solution|importance|coef|_plot|tmp|summary|report|loss|style|fig|palette|color",
    re.I,
)

_SHORT: Final = 70


def options_of(node: ast.Call) -> dict[str, ast.expr]:
    """Keyword arguments by name."""
    return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def is_target(name: str) -> bool:
    """Whether a variable is called like the target."""
    return bool(_TARGET.search(name))


def assigned(reader: "Reading", target: ast.expr, value: ast.expr, refs: Refs, *, untouched: bool) -> None:
    """A value was stored: note a new column, a target, a filter. untouched: nothing in the value was noted
    yet."""
    if isinstance(target, ast.Name):
        _to_name(reader, target.id, value)
        return
    if isinstance(target, ast.Tuple):
        return
    if not isinstance(target, ast.Subscript):
        return
    frame = name_in(target.value) or ""
    if _OUTPUT.search(frame) or _is_mapping(reader, frame):
        return
    columns = _stored_columns(reader, target)
    if not columns:
        return
    if untouched and not reader.kinds(refs, "model", "network"):
        _new_column(reader, columns, target, value)


def _stored_columns(reader: "Reading", target: ast.Subscript) -> tuple[str, ...]:
    if isinstance(target.value, ast.Attribute) and target.value.attr in ("loc", "iloc", "at"):
        return columns_of(reader, target)
    if isinstance(target.slice, ast.Constant | ast.List | ast.Name):
        return columns_of(reader, target.slice)
    if isinstance(target.slice, ast.JoinedStr):
        known = reader.constant(target.slice)
        return (known,) if isinstance(known, str) and plausible(known) else ()
    return ()


def _is_mapping(reader: "Reading", name: str) -> bool:
    bound = reader.lookup(name)
    return isinstance(bound, ast.Dict | ast.DictComp | ast.List | ast.ListComp) or (
        isinstance(bound, ast.Call)
        and isinstance(bound.func, ast.Name)
        and bound.func.id in ("dict", "defaultdict", "list", "Counter")
    )


def _to_name(reader: "Reading", name: str, value: ast.expr) -> None:
    if is_target(name):
        columns = columns_of(reader, value)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "pop":
            columns = columns_of(reader, value.args[0]) if value.args else ()
        elif isinstance(value, ast.Call) and value.args:
            columns = columns_of(reader, value.args[0])
        if 0 < len(columns) <= 6:
            reader.targets.update(columns)
    if FEATURES.search(name):
        _chosen(reader, value)
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Compare | ast.BinOp | ast.UnaryOp):
        _filtered(reader, name, value)


def _chosen(reader: "Reading", value: ast.expr) -> None:
    """`X = train[features]`: the columns that the model sees."""
    bare = _peeled(value)
    if isinstance(bare, ast.Call) and bare.args:
        bare = bare.args[0]
    if isinstance(bare, ast.Subscript) and isinstance(bare.slice, ast.Name | ast.List):
        columns = columns_of(reader, bare)
        if len(columns) > 1:
            reader.note("use", "", columns, "", value.lineno)


def _filtered(reader: "Reading", name: str, value: ast.Subscript) -> None:
    """`train = train[train["GrLivArea"] < 4500]`: rows are kept by a condition."""
    if not isinstance(value.value, ast.Name) or value.value.id != name:
        return
    condition = formula(reader, value.slice)
    columns = sources_of(reader, value.slice)
    words = ast.unparse(value.slice).lower() if len(columns) else ""
    if re.search(r"iqr|q1|q3|quantile|z_?score|percentile|lower_?bound|upper_?bound", words):
        how = "IQR" if re.search(r"iqr|q1|q3|bound", words) else "z-score" if "z" in words else "quantiles"
        reader.note("outliers", how, columns, "", value.lineno)
    elif columns:
        reader.note("filter", "", columns, condition or "", value.lineno)


def _new_column(reader: "Reading", columns: tuple[str, ...], target: ast.Subscript, value: ast.expr) -> None:
    line = target.lineno
    bare = _peeled(value)
    if isinstance(bare, ast.Constant):
        if isinstance(target.value, ast.Attribute) and target.value.attr == "loc":
            _by_mask(reader, columns, target, bare)
        return
    sources = sources_of(reader, bare)
    if isinstance(bare, ast.Name | ast.Subscript) and (not sources or sources == columns):
        return
    method = _last_method(bare)
    text = formula(reader, bare)
    if (
        text is not None
        and len(text) <= _SHORT
        and (
            isinstance(bare, ast.BinOp | ast.Compare) or "(" in text or "missing" in text or "present" in text
        )
    ):
        if len(columns) == 1 and sources:
            reader.note("feature", "formula", columns, text, line)
        return
    others = tuple(name for name in sources if name not in columns)
    if _has_string_method(bare):
        reader.note("feature", "text part" if others else "clean", columns, ", ".join(others[:3]), line)
    elif method in ("apply", "map", "transform", "progress_apply", "applymap"):
        reader.note("feature", "derived" if others else "rewritten", columns, ", ".join(others[:3]), line)
    elif others and not isinstance(bare, ast.Name | ast.Subscript | ast.Attribute):
        reader.note("feature", "derived", columns, ", ".join(others[:4]), line)


def _by_mask(reader: "Reading", columns: tuple[str, ...], target: ast.Subscript, value: ast.Constant) -> None:
    if not isinstance(target.slice, ast.Tuple):
        return
    condition = target.slice.elts[0]
    words = ast.unparse(condition)
    if re.search(r"isnull|isna\b|isna\(", words):
        reader.note("impute", "constant", columns, repr(value.value), target.lineno)


def _peeled(node: ast.expr) -> ast.expr:
    """The expression without conversions around it."""
    while True:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("astype", "copy", "round", "reset_index", "to_numpy", "tolist", "to_list")
        ):
            node = node.func.value
        elif isinstance(node, ast.Attribute) and node.attr in ("values", "days", "seconds", "dt"):
            node = node.value
        else:
            return node


def _last_method(node: ast.expr) -> str:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def _has_string_method(node: ast.expr) -> bool:
    """Whether `.str.split(...)` and the like stand in a chain of calls."""
    for _ in range(12):
        if isinstance(node, ast.Subscript | ast.Attribute):
            if isinstance(node, ast.Attribute) and node.attr == "str":
                return True
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func
        else:
            return False
    return False


def augmented(reader: "Reading", node: ast.AugAssign) -> None:
    """`x /= 255` scales pixels."""
    if isinstance(node.op, ast.Div) and reader.constant(node.value) in (255, 255.0):
        reader.note("scale", "divided by 255", (), "", node.lineno)


def divided(reader: "Reading", node: ast.BinOp) -> None:
    """`x / 255.0` scales pixels."""
    if (
        isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Constant)
        and node.right.value in (255, 255.0)
    ) or (
        isinstance(node.op, ast.Mult)
        and isinstance(node.right, ast.BinOp)
        and isinstance(node.right.right, ast.Constant)
        and node.right.right.value in (255, 255.0)
    ):
        reader.note("scale", "divided by 255", (), "", node.lineno)


def deleted(reader: "Reading", target: ast.expr) -> None:
    """`del df["x"]` drops a column."""
    if isinstance(target, ast.Subscript):
        columns = columns_of(reader, target.slice)
        frame = name_in(target.value) or ""
        if columns and not _is_mapping(reader, frame):
            reader.note("drop", "", columns, "", target.lineno)


def date_part(reader: "Reading", source: ast.expr, part: str) -> None:
    """`df["date"].dt.year`."""
    columns = columns_of(reader, source)
    reader.note("date", "parts", columns[:2], part, getattr(source, "lineno", 0))
