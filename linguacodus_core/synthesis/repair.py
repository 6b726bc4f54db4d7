"""Deterministic repairs of generated programs: what needs no model to be mended, each by its name.

`repair` mends what can be seen in the source, `repair_after` what an error message gives away.
Both are pure: code in, code and the list of what was done out; code that cannot be parsed comes back
as it was. Nothing here runs the code.
"""

import ast
import inspect
import re
from collections.abc import Collection, Iterable

from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

from linguacodus_core.synthesis.code_text import extract, mend_syntax, parses
from linguacodus_core.synthesis.edits import Edit, Source, apply
from linguacodus_core.synthesis.names import import_line
from linguacodus_core.synthesis.plain import plain_frames
from linguacodus_core.synthesis.repair_rules import (
    as_frames,
    chained_inplace,
    dummies_into_column,
    fit_with_target,
    keep_rows,
    numeric_only,
    object_dtype,
    paths,
    removed_calls,
    select_dtypes_object,
    tolerant_drop,
    unknown_keywords,
    without_argument,
    wrong_imports,
)
from linguacodus_core.taskfolder.spec import TaskSpec

LONGEST = 60_000
"""Characters; a longer reply is not a program for a task but a loop."""

_SYNONYMS = {
    "train": ("train", "train_df", "df_train", "train_data", "train_set"),
    "test": ("test", "test_df", "df_test", "test_data", "test_set"),
    "sample": ("sample", "sample_submission", "submission", "sub"),
    "X": ("X", "X_train", "x", "features"),
    "y": ("y", "y_train", "target", "labels"),
    "model": ("model", "clf", "fitted", "classifier", "regressor", "estimator", "pipeline"),
    "X_test": ("X_test", "x_test", "test_features"),
}
_MISNAMED = {
    "LightGBMClassifier": "LGBMClassifier",
    "LightGBMRegressor": "LGBMRegressor",
    "XGBoostClassifier": "XGBClassifier",
    "XGBoostRegressor": "XGBRegressor",
    "GradientBoostedClassifier": "GradientBoostingClassifier",
    "GradientBoostedRegressor": "GradientBoostingRegressor",
    "LogisticRegressionClassifier": "LogisticRegression",
    "SVMClassifier": "SVC",
    "KNNClassifier": "KNeighborsClassifier",
    "KNNRegressor": "KNeighborsRegressor",
}
_ENCODER = """
class LabelEncoder(LabelEncoder):
    \"\"\"scikit-learn's LabelEncoder, except that values unseen in fit become -1 instead of an error.\"\"\"

    def transform(self, y):
        codes = {value: code for code, value in enumerate(self.classes_)}
        return np.array([codes.get(value, -1) for value in np.asarray(y)])
"""


def undefined(code: str, known: Collection[str] = ()) -> list[str]:
    """Names that the code uses and nothing defines, in order of appearance."""
    try:
        messages = Checker(ast.parse(code)).messages
    except (SyntaxError, ValueError, RecursionError):
        return []
    names = [str(item.message_args[0]) for item in messages if isinstance(item, UndefinedName)]
    return [name for name in dict.fromkeys(names) if name not in known]


def _defined(tree: ast.AST) -> set[str]:
    names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _insert(code: str, lines: Iterable[str]) -> str:
    """The code with statements put after its docstring and `from __future__` imports."""
    tree = ast.parse(code)
    after = 0
    for number, node in enumerate(tree.body):
        is_doc = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_doc or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            after = node.end_lineno or after
        else:
            break
    old = code.splitlines()
    return "\n".join([*old[:after], *lines, *old[after:]]) + "\n"


def missing_imports(code: str, known: Collection[str] = ()) -> tuple[str, list[str]]:
    """(code, notes) with an import for every undefined name that has a well-known home."""
    lines = {name: line for name in undefined(code, known) if (line := import_line(name))}
    if not lines:
        return code, []
    return _insert(code, dict.fromkeys(lines.values())), [
        f"added the missing import of {name}" for name in lines
    ]


def undefined_names(code: str, known: Collection[str] = ()) -> tuple[str, list[str]]:
    """(code, notes) with an undefined name replaced by the defined one that plainly is meant."""
    lost = undefined(code, known)
    if not lost:
        return code, []
    defined = _defined(ast.parse(code)) | set(known)
    meant: dict[str, str] = {}
    for name in lost:
        same = [other for other in defined if other.lower() == name.lower()]
        family = next((words for words in _SYNONYMS.values() if name in words), ())
        choices = same or [word for word in family if word in defined and word != name]
        if name in _MISNAMED:
            meant[name] = _MISNAMED[name]
        elif choices:
            meant[name] = choices[0]

    def rename(source: Source) -> list[Edit]:
        return [
            source.replace(node, meant[node.id], f"undefined name {node.id} taken for {meant[node.id]}")
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in meant
        ]

    renamed, notes = apply(code, rename, rounds=1)
    return renamed, list(dict.fromkeys(notes))


def call_main(code: str) -> tuple[str, list[str]]:
    """(code, notes) with a call of main() when it is defined and never called."""
    body = ast.parse(code).body
    has_main = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body)
    rest = [node for node in body if not isinstance(node, ast.FunctionDef)]
    called = any(
        isinstance(node, ast.Name) and node.id == "main" for statement in rest for node in ast.walk(statement)
    )
    if has_main and not called:
        return code.rstrip() + '\n\n\nif __name__ == "__main__":\n    main()\n', ["added the call of main()"]
    return code, []


def repair(reply: str, spec: TaskSpec | None = None, known: Collection[str] = ()) -> tuple[str, list[str]]:
    """(code, what was done): the program, or the functions, out of a reply, with what can be mended mended.

    spec: gives paths of data and submission; None for a piece of a program. known: names that the
    surroundings define. What comes back may still not parse: see code_text.syntax_error.
    """
    code, notes = extract(reply[:LONGEST])
    code, done = mend_syntax(code)
    notes += done
    if not parses(code):
        return code, notes
    rules = [
        wrong_imports,
        removed_calls,
        unknown_keywords,
        chained_inplace,
        object_dtype,
        select_dtypes_object,
        numeric_only,
        tolerant_drop,
        keep_rows(only_test=spec is not None),
    ]
    for rule in rules:
        code, done = apply(code, rule)
        notes += done
    if spec is not None:
        code, done = apply(code, paths(spec))
        notes += done
        code, done = call_main(code)
        notes += done
    for step in (missing_imports, undefined_names, missing_imports):
        code, done = step(code, known)
        notes += done
    return code, list(dict.fromkeys(notes))


def _encode_first(code: str, targets: Collection[str]) -> str | None:
    """The code with text encoded right where the data come in, None when that place is not found."""
    tree = ast.parse(code)
    names = repr(list(targets))
    line = f"train, test = plain_frames(train, test, {names})"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "preprocess" and len(node.args.args) == 2:
            first, second = (argument.arg for argument in node.args.args)
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = code.splitlines()
            indent = " " * body[0].col_offset
            line = f"{indent}{first}, {second} = plain_frames({first}, {second}, {names})"
            return "\n".join([*lines[: body[0].lineno - 1], line, *lines[body[0].lineno - 1 :]]) + "\n"
    reads: dict[str, tuple[str, ast.stmt]] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and "read_csv" in ast.unparse(statement.value):
            for kind in ("train", "test"):
                if f"data/{kind}" in ast.unparse(statement.value) and isinstance(
                    statement.targets[0], ast.Name
                ):
                    reads.setdefault(kind, (statement.targets[0].id, statement))
    if len(reads) < 2:
        return None
    last = max((statement for _, statement in reads.values()), key=lambda statement: statement.lineno)
    first, second = reads["train"][0], reads["test"][0]
    lines = code.splitlines()
    line = f"{' ' * last.col_offset}{first}, {second} = plain_frames({first}, {second}, {names})"
    end = last.end_lineno or last.lineno
    return "\n".join([*lines[:end], line, *lines[end:]]) + "\n"


def _after_imports(code: str, text: str) -> str:
    tree = ast.parse(code)
    imports = [node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    at = max(imports, default=0)
    lines = code.splitlines()
    return "\n".join([*lines[:at], "", *text.strip("\n").splitlines(), "", *lines[at:]]) + "\n"


def repair_after(code: str, error: str, spec: TaskSpec, known: Collection[str] = ()) -> tuple[str, list[str]]:
    """(code, what was done) for a code that failed with this error; nothing done when no repair is known."""
    if not parses(code):
        return code, []
    text_as_number = (
        "could not convert string to float|non-numeric data|could not be cast|must be numeric|"
        "unsupported operand type.*str|Cannot perform reduction|does not support reduction|"
        "can only concatenate str|"
        "Cannot use (median|mean) strategy|dtype.*(object|str).*(int, float|DataFrame.dtypes)|contains NaN|"
        "Found unknown categories|Cannot cast object dtype|cannot convert NaN|could not convert string"
    )
    if "previously unseen labels" in error and "LabelEncoder" in code and "class LabelEncoder" not in code:
        code = _after_imports(code, _ENCODER)
        code, _ = missing_imports(code, known)
        return code, ["LabelEncoder made tolerant of unseen labels"]
    if "Columns must be same length as key" in error:
        changed, notes = apply(code, dummies_into_column, rounds=1)
        if notes:
            encoded = changed if "plain_frames(" in changed else _encode_first(changed, spec.targets)
            if encoded and parses(encoded):
                if "plain_frames" not in known and "def plain_frames" not in encoded:
                    encoded = _after_imports(encoded, inspect.getsource(plain_frames))
                return missing_imports(encoded, known)[0], list(dict.fromkeys(notes))
    if re.search(text_as_number, error) and "plain_frames" not in code:
        encoded = _encode_first(code, spec.targets)
        if encoded and parses(encoded):
            if "plain_frames" not in known:
                encoded = _after_imports(encoded, inspect.getsource(plain_frames))
            encoded, _ = missing_imports(encoded, known)
            return encoded, ["text encoded and missing values filled before the program's own steps"]
    if found := re.search(r"unexpected keyword argument '(\w+)'", error):
        code, notes = apply(code, without_argument(found[1]))
        return code, list(dict.fromkeys(notes))
    if found := re.search(r"The '(\w+)' parameter of (\w+) must be", error):
        code, notes = apply(code, without_argument(found[1], found[2]))
        return code, list(dict.fromkeys(notes))
    if "missing 1 required positional argument: 'y'" in error:
        return apply(code, fit_with_target, rounds=1)
    if "cannot concatenate object of type" in error and "reset_index(drop=True) for" not in code:
        changed, notes = apply(code, as_frames, rounds=1)
        return changed, list(dict.fromkeys(notes))
    if found := re.search(r"NameError: name '(\w+)' is not defined", error):
        line = import_line(found[1])
        if line:
            return _insert(code, [line]), [f"added the missing import of {found[1]}"]
    return code, []
