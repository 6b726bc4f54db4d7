"""Validation without a splitter: slices, masks, dates and loops that set rows aside under a telling name."""

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
    r"score|loss|pred|metric|acc|auc|rmse|idx|index|loader|path|dir|size|frac|ratio|split|best|batch|transform|"
    r"ds$|gen",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"date|time|week|month|day|year|season|[12]\d{3}-\d\d|shift|period|split_(before|after)", re.IGNORECASE
)
_FOLD: Final = re.compile(r"(i_?)?k?folds?(_?(i|idx|n|no|num|id|\w{1,4}))?", re.IGNORECASE)
_PASSING: Final = ("copy", "reset_index", "to_numpy", "astype", "reshape")
_TAKING: Final = ("sample", "take", "skip", "query", "filter", "tail")


def assigned(reader: "Reading", target: ast.expr, value: ast.expr) -> None:
    """`val = train[train.date >= "2017-08-01"]`, `X_val = X[:1000]`, `train, valid = split_dataset(df)`."""
    if isinstance(target, ast.Tuple):
        _unpacked(reader, target, value)
        return
    name = getattr(target, "id", getattr(target, "attr", ""))
    if not name or not _HELD.search(name):
        return
    if "FILENAMES" in name.upper() or name.lower().endswith("files"):
        known = reader.constant(value.args[0] if isinstance(value, ast.Call) and value.args else value)
        if isinstance(known, str) and re.search(r"/val", known):
            keep(reader, Split(scheme="holdout", how="given files", line=target.lineno))
        return
    if _NO_ROWS.search(name) or reader.folds:
        return
    rows = _rows(reader, value)
    own = isinstance(rows, ast.Subscript) and getattr(rows.value, "id", "") == name
    if rows is not None and not own:
        _kept(reader, rows, target.lineno)


def _unpacked(reader: "Reading", target: ast.Tuple, value: ast.expr) -> None:
    if isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for item, part in zip(target.elts, value.elts, strict=True):
            assigned(reader, item, part)
    elif isinstance(value, ast.Call):
        called = getattr(value.func, "attr", getattr(value.func, "id", ""))
        held = any(_HELD.search(getattr(item, "id", "")) for item in target.elts)
        if held and "split" in called and called not in ("split", "train_test_split", "random_split"):
            scheme = "time_split" if _TIME.search(called) else "holdout"
            keep(reader, Split(scheme=scheme, how="by hand", line=target.lineno))


def _rows(reader: "Reading", value: ast.expr) -> ast.expr | None:
    """The expression that takes some rows out of a table, None where the value does not."""
    while isinstance(value, ast.Call) and getattr(value.func, "attr", "") in _PASSING:
        assert isinstance(value.func, ast.Attribute)
        value = value.func.value
    if isinstance(value, ast.Call):
        return value if getattr(value.func, "attr", "") in _TAKING else None
    if not isinstance(value, ast.Subscript):
        return None
    chosen = value.slice
    if isinstance(chosen, ast.Slice):
        return value if chosen.lower is not None or chosen.upper is not None else None
    if isinstance(chosen, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Tuple | ast.Call):
        return value
    bound = reader.lookup(chosen.id) if isinstance(chosen, ast.Name) else None
    return bound if isinstance(bound, ast.Compare | ast.BinOp | ast.Subscript | ast.UnaryOp) else None


def _kept(reader: "Reading", node: ast.expr, line: int) -> None:
    said = ast.unparse(node)
    if len(said) > 300:
        return
    share = None
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "sample":
        known = reader.constant(next((k.value for k in node.keywords if k.arg == "frac"), None))
        share = float(known) if isinstance(known, float) and known < 1 else None
    by = re.search(r"[\['\".](\w*(?:date|time|week|month|day|year|season)\w*)", said, re.IGNORECASE)
    if re.search(r"\bk?fold\b|['\".]k?fold|fold_", said, re.IGNORECASE):
        keep(reader, Split(scheme="kfold", how="fold column", line=line))
    elif _TIME.search(said):
        keep(reader, Split(scheme="time_split", by=by.group(1) if by else "", how="by time", line=line))
    else:
        keep(reader, Split(scheme="holdout", size=share, how="by hand", line=line))


def counts_folds(reader: "Reading", node: ast.For) -> bool:
    """Whether a loop counts folds without a splitter: `for fold in range(5)`, `for fold, (a, b) in ...`."""
    first = node.target.elts[0] if isinstance(node.target, ast.Tuple) and node.target.elts else node.target
    if not isinstance(first, ast.Name) or not _FOLD.fullmatch(first.id):
        return False
    folds = None
    if isinstance(node.iter, ast.Call) and node.iter.args:
        known = reader.constant(node.iter.args[-1])
        folds = known if isinstance(known, int) and 1 < known < 100 else None
    known = reader.constant(node.iter)
    if isinstance(known, list):
        folds = len(known)
    if _TIME.search(ast.unparse(node.iter)[:200]):
        keep(reader, Split(scheme="time_split", folds=folds, fits=True, how="by time", line=node.lineno))
    else:
        reader.fold_counts.append(folds)
    return True
