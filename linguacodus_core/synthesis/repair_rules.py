"""What small models get wrong in pandas 3, scikit-learn and LightGBM: one rule on the syntax tree each."""

import ast
import importlib
import inspect
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import PurePosixPath

from linguacodus_core.synthesis.edits import Edit, Rule, Source
from linguacodus_core.synthesis.names import installed, sklearn_names
from linguacodus_core.taskfolder.spec import TaskSpec

_RENAMED = {
    ("criterion", "mse"): "squared_error",
    ("criterion", "mae"): "absolute_error",
    ("loss", "deviance"): "log_loss",
    ("loss", "ls"): "squared_error",
    ("loss", "lad"): "absolute_error",
    ("loss", "log"): "log_loss",
    ("penalty", "none"): None,
    ("max_features", "auto"): "sqrt",
}


def _called(call: ast.Call) -> str:
    """The last part of the name that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _calls(source: Source) -> list[ast.Call]:
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def tolerant_drop(source: Source) -> list[Edit]:
    """drop(columns) of a column that a frame lacks (the target, in test) is no error."""
    found = []
    for call in _calls(source):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "drop" or _keyword(call, "errors"):
            continue
        by_axis = _constant(_keyword(call, "axis")) in (1, "columns") or (
            len(call.args) > 1 and _constant(call.args[1]) in (1, "columns")
        )
        if by_axis or _keyword(call, "columns") is not None:
            note = "drop() made tolerant of columns that are not there (a target dropped from test)"
            found.append(source.with_keywords(call, {"errors": "'ignore'"}, note))
    return found


def chained_inplace(source: Source) -> list[Edit]:
    """frame[column].fillna(x, inplace=True) changes nothing under pandas 3: made an assignment."""
    found = []
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        call = node.value
        if (
            isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Subscript | ast.Attribute)
            and _constant(_keyword(call, "inplace")) is True
        ):
            target = source.text(call.func.value)
            changed = source.without_keyword(call, ["inplace"], "").text
            note = "inplace=True on a column (no effect in pandas 3) made an assignment"
            found.append(source.replace(node, f"{target} = {changed}", note))
    return found


def object_dtype(source: Source) -> list[Edit]:
    """Comparing a dtype with 'object' misses strings under pandas 3: asked as 'not numeric'."""
    found = []
    for node in ast.walk(source.tree):
        if not (
            isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Attribute)
        ):
            continue
        right = node.comparators[0]
        is_object = _constant(right) in ("object", "O", "str", "string") or source.text(right) in (
            "object",
            "np.object_",
            "np.object",
            "str",
        )
        if not is_object or not isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
            continue
        equal = isinstance(node.ops[0], ast.Eq | ast.Is)
        owner = source.text(node.left.value)
        note = "dtype == 'object' (misses strings in pandas 3) asked as not numeric"
        if node.left.attr == "dtype":
            asked = f"pd.api.types.is_numeric_dtype({owner})"
            found.append(source.replace(node, f"(not {asked})" if equal else asked, note))
        elif node.left.attr == "dtypes":
            asked = f"{owner}.dtypes.map(pd.api.types.is_numeric_dtype).astype(bool)"
            found.append(source.replace(node, f"(~{asked})" if equal else f"({asked})", note))
    return found


def select_dtypes_object(source: Source) -> list[Edit]:
    """select_dtypes('object') asks for everything that is not a number, text of any dtype included."""
    found = []
    for call in _calls(source):
        if _called(call) != "select_dtypes":
            continue
        asked = _keyword(call, "include") or (call.args[0] if call.args else None)
        if asked is None or _keyword(call, "exclude") is not None:
            continue
        names = asked.elts if isinstance(asked, ast.List | ast.Tuple) else [asked]
        if {source.text(name).strip("'\"") for name in names} <= {
            "object",
            "O",
            "category",
            "str",
            "string",
            "bool",
        }:
            owner = source.text(call.func)
            note = "select_dtypes of objects asked as not numeric"
            found.append(source.replace(call, f"{owner}(exclude=['number'])", note))
    return found


def numeric_only(source: Source) -> list[Edit]:
    """fillna(frame.mean()) and frame.corr() stop at text columns: numeric_only=True."""
    found = []
    for call in _calls(source):
        inner = call.args[0] if _called(call) == "fillna" and call.args else None
        for asked in (inner, call if _called(call) == "corr" else None):
            if (
                isinstance(asked, ast.Call)
                and isinstance(asked.func, ast.Attribute)
                and isinstance(asked.func.value, ast.Name)
                and asked.func.attr in ("mean", "median", "corr")
                and not asked.args
                and not asked.keywords
            ):
                note = f"{asked.func.attr}() restricted to numeric columns"
                found.append(source.with_keywords(asked, {"numeric_only": "True"}, note))
    return found


def removed_calls(source: Source) -> list[Edit]:
    """Spellings that pandas 3 or scikit-learn removed."""
    found = []
    for call in _calls(source):
        name = _called(call)
        owner = source.text(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if name == "mean_squared_error" and (squared := _keyword(call, "squared")) is not None:
            plain = source.without_keyword(call, ["squared"], "").text
            text = f"({plain}) ** 0.5" if _constant(squared) is False else plain
            found.append(source.replace(call, text, "mean_squared_error(squared=...) written out"))
        elif (
            name == "fillna"
            and owner
            and _constant(_keyword(call, "method")) in ("ffill", "pad", "bfill", "backfill")
        ):
            way = "bfill" if str(_constant(_keyword(call, "method"))).startswith("b") else "ffill"
            found.append(source.replace(call, f"{owner}.{way}()", f"fillna(method=...) written as {way}()"))
        elif (
            name == "append" and owner and _keyword(call, "ignore_index") is not None and len(call.args) == 1
        ):
            text = f"pd.concat([{owner}, {source.text(call.args[0])}], ignore_index=True)"
            found.append(source.replace(call, text, "DataFrame.append written as pd.concat"))
        elif name == "get_feature_names" and owner:
            text = f"{owner}.get_feature_names_out({', '.join(map(source.text, call.args))})"
            found.append(source.replace(call, text, "get_feature_names renamed to get_feature_names_out"))
        elif name == "OneHotEncoder":
            values: dict[str, str] = {}
            if (dense := _keyword(call, "sparse")) is not None:
                values["sparse_output"] = source.text(dense)
            if (
                _keyword(call, "handle_unknown") is None
                or _constant(_keyword(call, "handle_unknown")) == "error"
            ):
                values["handle_unknown"] = "'ignore'"
            if values:
                edit = source.without_keyword(call, ["sparse"], "")
                shorter = ast.parse(edit.text, mode="eval").body
                assert isinstance(shorter, ast.Call)
                renewed = Source(edit.text)
                again = next(node for node in ast.walk(renewed.tree) if isinstance(node, ast.Call))
                text = renewed.with_keywords(again, values, "").text
                found.append(source.replace(call, text, f"OneHotEncoder given {', '.join(values)}"))
        elif name == "OrdinalEncoder" and _keyword(call, "handle_unknown") is None:
            values = {"handle_unknown": "'use_encoded_value'", "unknown_value": "-1"}
            found.append(
                source.with_keywords(call, values, "OrdinalEncoder made tolerant of unknown categories")
            )
        elif (
            name.startswith(("LGBM", "XGB", "CatBoost"))
            and _keyword(call, "early_stopping_rounds") is not None
        ):
            note = f"early stopping of {name} taken away: it needs a validation set"
            found.append(source.without_keyword(call, ["early_stopping_rounds"], note))
        elif name == "fit" and owner:
            gone = [
                keyword.arg
                for keyword in call.keywords
                if keyword.arg in ("early_stopping_rounds", "verbose", "verbose_eval")
            ]
            if gone:
                note = f"fit() no longer takes {', '.join(map(str, gone))}"
                found.append(source.without_keyword(call, [str(word) for word in gone], note))
    return found


@lru_cache(maxsize=512)
def _accepted(name: str) -> frozenset[str] | None:
    """The keyword arguments of a scikit-learn class or function, None when unknown or open (**kwargs)."""
    module = sklearn_names().get(name)
    if module is None:
        return None
    try:
        parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    except (TypeError, ValueError, AttributeError):
        return None
    kinds = [parameter.kind for parameter in parameters.values()]
    if inspect.Parameter.VAR_KEYWORD in kinds or inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return frozenset(parameters)


def keep_rows(only_test: bool) -> Rule:
    """The rule that no row is dropped for a missing value: test must keep its rows, train should."""

    def rule(source: Source) -> list[Edit]:
        found = []
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Assign | ast.Expr) or not isinstance(node.value, ast.Call):
                continue
            call = node.value
            if _called(call) not in ("dropna", "drop_duplicates") or not isinstance(call.func, ast.Attribute):
                continue
            owner = source.text(call.func.value)
            if _constant(_keyword(call, "axis")) in (1, "columns") or (
                only_test and "test" not in owner.lower()
            ):
                continue
            if isinstance(node, ast.Assign):
                text = f"{source.text(node.targets[0])} = {owner}.copy()"
            else:
                text = "pass"
            found.append(
                source.replace(node, text, f"{_called(call)}() of rows taken away: every row is needed")
            )
        return found

    return rule


def target_untouched(targets: Collection[str]) -> Rule:
    """The rule that nothing is assigned to the target's column: it is encoded already, and test has none."""

    def rule(source: Source) -> list[Edit]:
        found = []
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
                continue
            column = node.targets[0].slice
            name = column.id if isinstance(column, ast.Name) else _constant(column)
            if name == "TARGET" or name in targets:
                found.append(
                    source.replace(node, "pass", "the target is encoded already: its encoding taken away")
                )
        return found

    return rule


def dummies_into_column(source: Source) -> list[Edit]:
    """frame[c] = pd.get_dummies(frame[c]) puts a table into one column: left out."""
    found = []
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _called(node.value) == "get_dummies"
            and node.value.args
            and isinstance(node.targets[0], ast.Subscript)
            and source.text(node.targets[0]) == source.text(node.value.args[0])
        ):
            found.append(
                source.replace(node, "pass", "get_dummies into a single column taken for category codes")
            )
    return found


def as_frames(source: Source) -> list[Edit]:
    """pd.concat(..., axis=1) of arrays and frames: each made a frame with the same index first."""
    found = []
    for call in _calls(source):
        if (
            _called(call) != "concat"
            or _constant(_keyword(call, "axis")) not in (1, "columns")
            or not call.args
        ):
            continue
        if isinstance(call.args[0], ast.List | ast.Tuple):
            parts = [
                f"pd.DataFrame({source.text(part)}).reset_index(drop=True)" for part in call.args[0].elts
            ]
            note = "concatenated arrays made frames with the same index"
            found.append(source.replace(call.args[0], f"[{', '.join(parts)}]", note))
    return found


def fit_with_target(source: Source) -> list[Edit]:
    """model.fit(X) where a y is at hand: model.fit(X, y)."""
    found = []
    for call in _calls(source):
        if (
            _called(call) == "fit"
            and len(call.args) == 1
            and not call.keywords
            and source.text(call.args[0]) == "X"
        ):
            text = f"{source.text(call.func)}(X, y)"
            found.append(source.replace(call, text, "fit(X) given its y"))
    return found


def without_argument(name: str, callee: str = "") -> Rule:
    """The rule that takes one keyword argument away from every call (of `callee`, when given)."""

    def rule(source: Source) -> list[Edit]:
        note = f"the argument {name} is not allowed{f' by {callee}' if callee else ''} and was removed"
        return [
            source.without_keyword(call, [name], note)
            for call in _calls(source)
            if any(keyword.arg == name for keyword in call.keywords) and callee in ("", _called(call))
        ]

    return rule


def unknown_keywords(source: Source) -> list[Edit]:
    """Keyword arguments that a scikit-learn class does not have, and values that were renamed."""
    found = []
    for call in _calls(source):
        name = _called(call)
        for keyword in call.keywords:
            known = (str(keyword.arg), _constant(keyword.value))
            if name in sklearn_names() and known in _RENAMED:
                renewed = repr(_RENAMED[known])
                note = f"{known[0]}={known[1]!r} is {renewed} now"
                found.append(source.replace(keyword.value, renewed, note))
        accepted = _accepted(name)
        if accepted is None:
            continue
        gone = [keyword.arg for keyword in call.keywords if keyword.arg and keyword.arg not in accepted]
        if name == "OneHotEncoder":
            gone = [word for word in gone if word != "sparse"]
        if gone:
            note = f"{name} has no argument {', '.join(gone)}"
            found.append(source.without_keyword(call, gone, note))
    return found


def wrong_imports(source: Source) -> list[Edit]:
    """Names imported from the wrong module of scikit-learn; packages neither installed nor needed."""
    found = []
    used = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.split(".")[0] == "sklearn":
                edit = _sklearn_import(source, node)
                if edit:
                    found.append(edit)
            elif (
                not installed(node.module) and not {alias.asname or alias.name for alias in node.names} & used
            ):
                found.append(source.replace(node, "pass", f"removed the unused import of {node.module}"))
        elif isinstance(node, ast.Import):
            missing = [alias for alias in node.names if not installed(alias.name)]
            if missing and not {(alias.asname or alias.name).split(".")[0] for alias in missing} & used:
                kept = [alias for alias in node.names if alias not in missing]
                text = "import " + ", ".join(ast.unparse(alias) for alias in kept) if kept else "pass"
                names = ", ".join(alias.name for alias in missing)
                found.append(source.replace(node, text, f"removed the unused import of {names}"))
    return found


def _sklearn_import(source: Source, node: ast.ImportFrom) -> Edit | None:
    assert node.module
    try:
        module = importlib.import_module(node.module)
    except ImportError:
        module = None
    right: dict[str, list[str]] = {}
    moved: list[str] = []
    for alias in node.names:
        home = node.module
        known = alias.name == "*" or (module is not None and hasattr(module, alias.name))
        if not known and alias.name in sklearn_names():
            home = sklearn_names()[alias.name]
            moved.append(alias.name)
        elif not known and alias.name.startswith("LGBM"):
            home = "lightgbm"
            moved.append(alias.name)
        elif not known:
            moved.append(alias.name)
            continue
        right.setdefault(home, []).append(ast.unparse(alias))
    if not moved:
        return None
    lines = [f"from {home} import {', '.join(names)}" for home, names in right.items()] or ["pass"]
    return source.replace(node, "; ".join(lines), f"import of {', '.join(moved)} put right")


def paths(spec: TaskSpec) -> Rule:
    """The rule that leads file names to ./data/ and the submission to ./submission.csv."""
    return _Paths(spec)


class _Paths:
    def __init__(self, spec: TaskSpec) -> None:
        self.known = {name.removesuffix(".gz").lower(): name for name in self._files(spec)}
        self.known |= {"train.csv": spec.train_file, "test.csv": spec.test_file}
        self.known |= {"sample_submission.csv": spec.sample_file, "gender_submission.csv": spec.sample_file}
        self.known |= {"samplesubmission.csv": spec.sample_file}

    @staticmethod
    def _files(spec: TaskSpec) -> list[str]:
        named = [spec.train_file, spec.test_file, spec.sample_file]
        try:
            return [path.name for path in sorted(spec.data.iterdir())] + named
        except OSError:
            return named

    def __call__(self, source: Source) -> list[Edit]:
        written: list[ast.Constant] = []
        found: list[Edit] = []
        saves = [call for call in _calls(source) if _called(call) == "to_csv"]
        for call in saves:
            where = call.args[0] if call.args else _keyword(call, "path_or_buf")
            if isinstance(where, ast.Constant) and isinstance(where.value, str):
                written.append(where)
                only = len(saves) == 1 or "submission" in where.value.lower()
                if (
                    only
                    and PurePosixPath(where.value).as_posix() != "submission.csv"
                    and where.value != "./soft.csv"
                ):
                    note = f"the submission goes to ./submission.csv, not {where.value}"
                    found.append(source.replace(where, "'./submission.csv'", note))
            if _keyword(call, "index") is None:
                edit = source.with_keywords(call, {"index": "False"}, "to_csv without the index")
                if not any(edit.start <= other.start and other.end <= edit.end for other in found):
                    found.append(edit)
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)) or node in written:
                continue
            if len(node.value) > 200 or not re.search(r"\.\w+$", node.value):
                continue
            name = PurePosixPath(node.value.replace("\\", "/")).name.lower().removesuffix(".gz")
            right = f"./data/{self.known[name]}" if name in self.known else node.value
            if PurePosixPath(right) != PurePosixPath(node.value):
                found.append(source.replace(node, repr(right), f"reads {right}, not {node.value}"))
        return found
