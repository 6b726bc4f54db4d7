"""Validation without a splitter: slices, masks and dates that set rows aside under a telling name."""

import ast
import re
from typing import TYPE_CHECKING, Final

from linguacodus_core.extraction.evidence import Split
from linguacodus_core.extraction.splits import keep

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_HELD: Final = re.compile(
    r"(^|_)(val|valid|validation|dev|hold_?out|va)(_|$|\d|s$|set)|^(x|y|X|Y)_?(val|valid)", re.IGNORECASE
)
_NO_ROWS: Final = re.compile(
    r"score|loss|pred|metric|acc|auc|rmse|idx|index|loader|path|dir|size|frac|ratio|split|best|batch|transform|ds$|gen",
    re.IGNORECASE,
)
_TIME: Final = re.compile(r"date|time|week|month|day|year|season|[12]\d{3}-\d\d|shift|period", re.IGNORECASE)
_FOLD: Final = re.compile(r"k?fold", re.IGNORECASE)
_ROWS: Final = (ast.Subscript, ast.Call)


def assigned(reader: "Reading", target: ast.expr, value: ast.expr) -> None:
    """`val = train[train.date >= "2017-08-01"]`, `X_val = X[:1000]`, `valid = df[df.fold == 0]`."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for item, part in zip(target.elts, value.elts, strict=True):
            assigned(reader, item, part)
        return
    name = (
        target.id
        if isinstance(target, ast.Name)
        else target.attr
        if isinstance(target, ast.Attribute)
        else ""
    )
    if not name or not _HELD.search(name):
        return
    files = "FILENAMES" in name.upper() or name.lower().endswith("files")
    if files and isinstance(value, ast.Call):
        known = reader.constant(value.args[0]) if value.args else None
        if isinstance(known, str) and re.search(r"/val", known):
            keep(reader, Split(scheme="holdout", how="given files", line=target.lineno))
        return
    if _NO_ROWS.search(name) or reader.folds:
        return
    source = value
    while (
        isinstance(source, ast.Call)
        and isinstance(source.func, ast.Attribute)
        and source.func.attr in ("copy", "reset_index", "to_numpy", "astype", "reshape")
    ):
        source = source.func.value
    if (
        isinstance(source, ast.Call)
        and isinstance(source.func, ast.Attribute)
        and source.func.attr in ("sample", "take", "skip", "query", "filter", "tail")
    ):
        _kept(reader, source, target.lineno)
    elif isinstance(source, ast.Subscript) and isinstance(
        source.slice, ast.Slice | ast.Compare | ast.BinOp | ast.UnaryOp | ast.Tuple | ast.Call
    ):
        if isinstance(source.slice, ast.Slice) and source.slice.lower is None and source.slice.upper is None:
            return
        _kept(reader, source, target.lineno)
    elif (
        isinstance(source, ast.Subscript)
        and isinstance(source.slice, ast.Name)
        and isinstance(
            bound := reader.lookup(source.slice.id), ast.Compare | ast.BinOp | ast.Subscript | ast.UnaryOp
        )
    ):
        _kept(reader, bound, target.lineno)


def _kept(reader: "Reading", node: ast.expr, line: int) -> None:
    words = ast.unparse(node)
    if len(words) > 300:
        return
    share = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sample":
        known = reader.constant(next((k.value for k in node.keywords if k.arg == "frac"), None))
        share = float(known) if isinstance(known, float) and known < 1 else None
    by = next(
        iter(re.findall(r"[\['\".](\w*(?:date|time|week|month|day|year|season)\w*)", words, re.IGNORECASE)),
        "",
    )
    if re.search(r"\bk?fold\b|['\".]k?fold|fold_", words, re.IGNORECASE):
        keep(reader, Split(scheme="kfold", how="fold column", line=line))
    elif _TIME.search(words):
        keep(reader, Split(scheme="time_split", by=by, how="by time", line=line))
    else:
        keep(reader, Split(scheme="holdout", size=share, how="by hand", line=line))
