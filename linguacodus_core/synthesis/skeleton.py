"""The program of the staged route: its skeleton is ours, its four stage functions come from anywhere.

The skeleton reads the data, encodes the target (classes as 0..k-1, a log scale where the metric asks
for it), calls the stages, checks what each returns, makes the predictions fit the metric (labels,
thresholds, whole numbers) and writes the submission. A stage that breaks its contract stops the
program with a ContractError that names the stage and says what is wrong.
"""

import ast
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from linguacodus_core.synthesis.blocks.read import find_file, read_sample, read_table
from linguacodus_core.synthesis.blocks.targets import label_codes, number_target, plain_label
from linguacodus_core.synthesis.objective import is_ordinal, objective_of, problem_of
from linguacodus_core.synthesis.plain import plain_frames
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

STAGES = ("preprocess", "build_model", "train_model", "predict")
PARAMETERS = {
    "preprocess": ("train", "test"),
    "build_model": ("X", "y"),
    "train_model": ("model", "X", "y"),
    "predict": ("fitted", "X_test"),
}
TITLES = {
    "preprocess": "Stage 1, data preprocessing: train, test -> X, y, X_test",
    "build_model": "Stage 2, model architecture: X, y -> an unfitted model",
    "train_model": "Stage 3, model training: model, X, y -> the fitted model",
    "predict": "Stage 4, prediction: the fitted model, X_test -> predictions",
}
MOST_CATEGORIES = 60
"""A text column with more different values than this is TEXT, not CATEGORICAL."""


@dataclass(frozen=True)
class Columns:
    """The columns that stages may use, by kind; `dates` are among neither numeric nor categorical ones."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    dates: tuple[str, ...]
    text: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return self.numeric + self.categorical + self.dates + self.text


def columns_of(train: pd.DataFrame, test: pd.DataFrame, spec: TaskSpec) -> Columns:
    """The columns that train and test share, by kind, without targets and id (unless the id is a time)."""
    kinds: dict[str, list[str]] = {"numeric": [], "categorical": [], "dates": [], "text": []}
    for name in test.columns:
        if name not in train or name in spec.targets:
            continue
        if name == spec.time_column or (name != spec.id_column and _is_date(train[name])):
            kinds["dates"].append(name)
        elif name == spec.id_column:
            continue
        elif pd.api.types.is_numeric_dtype(train[name]):
            kinds["numeric"].append(name)
        elif name in spec.text_columns or train[name].nunique() > min(
            MOST_CATEGORIES, max(2, len(train) // 5)
        ):
            kinds["text"].append(name)
        else:
            kinds["categorical"].append(name)
    return Columns(**{kind: tuple(found) for kind, found in kinds.items()})


def _is_date(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return False
    known = column.dropna().astype(str).head(200)
    if known.empty or not known.str.contains(r"\d{1,4}[-/.:]\d{1,2}[-/.:]\d{1,4}").mean() > 0.9:
        return False
    return bool(pd.to_datetime(known, errors="coerce", format="mixed").notna().mean() > 0.9)


def outcome(spec: TaskSpec) -> Literal["classes", "numbers", "grades"]:
    """What models learn: classes as codes, numbers, or numbers that end as grades (kappa)."""
    if is_ordinal(spec):
        return "grades"
    return "numbers" if problem_of(spec) == "regression" else "classes"


def log_target(spec: TaskSpec) -> bool:
    """Whether the metric compares logarithms or ratios, so that models are fitted on log(1 + y)."""
    return outcome(spec) == "numbers" and objective_of(spec).scale == "log1p"


def _threshold_metric(spec: TaskSpec) -> str:
    """The scikit-learn function whose best threshold is sought, "" when 0.5 will do."""
    if spec.prediction != "label" or problem_of(spec) not in ("binary", "multilabel"):
        return ""
    return {"score_f1": "f1_score", "score_matthews": "matthews_corrcoef"}.get(objective_of(spec).score, "")


FALLBACKS: dict[str, str] = {
    "preprocess": '''
def preprocess(train, test):
    """Numbers as they are, categories as codes, dates as calendar parts, text as TF-IDF components."""
    both = pd.concat([train, test], keys=["train", "test"])
    parts = {}
    for name in NUMERIC:
        parts[name] = pd.to_numeric(both[name], errors="coerce")
    for name in CATEGORICAL:
        parts[name] = pd.Series(pd.factorize(both[name].astype(str), sort=True)[0], index=both.index)
    for name in DATES:
        when = pd.to_datetime(both[name], errors="coerce", format="mixed")
        for part in ("year", "month", "day", "dayofweek", "hour", "dayofyear"):
            parts[f"{name} {part}"] = getattr(when.dt, part)
    for name in TEXT:
        words = both[name].fillna("").astype(str)
        parts[f"{name} length"] = words.str.len()
        try:
            counts = TfidfVectorizer(min_df=3, max_features=20000, sublinear_tf=True).fit_transform(words)
        except ValueError:  # no word occurs three times
            continue
        if counts.shape[1] > 3:
            components = TruncatedSVD(min(60, counts.shape[1] - 1), random_state=0).fit_transform(counts)
            for place in range(components.shape[1]):
                parts[f"{name} {place}"] = components[:, place]
    table = pd.DataFrame(parts, index=both.index)
    return table.loc["train"], train[TARGET], table.loc["test"]
''',
    "build_model": '''
def build_model(X, y):
    """Gradient boosting with moderate trees."""
    settings = dict(n_estimators=300, learning_rate=0.05, num_leaves=31, min_child_samples=20, reg_lambda=1.0)
    settings |= dict(subsample=0.8, subsample_freq=1, colsample_bytree=0.8, random_state=0, verbose=-1)
    return LGBMClassifier(**settings) if OUTCOME == "classes" else LGBMRegressor(**settings)
''',
    "train_model": '''
def train_model(model, X, y):
    """One fit on all rows."""
    model.fit(X, y)
    return model
''',
    "predict": '''
def predict(fitted, X_test):
    """Class probabilities, or numbers."""
    return fitted.predict_proba(X_test) if OUTCOME == "classes" else fitted.predict(X_test)
''',
}
"""A plain, robust function for each stage: what runs where the model's own does not."""

_HEADER_IMPORTS = (
    "import warnings",
    "from pathlib import Path",
    "import numpy as np",
    "import pandas as pd",
    "from lightgbm import LGBMClassifier",
    "from lightgbm import LGBMRegressor",
    "from sklearn.decomposition import TruncatedSVD",
    "from sklearn.feature_extraction.text import TfidfVectorizer",
)

_HELPERS = '''
class ContractError(Exception):
    """A stage returned something that its contract does not allow."""


def as_frame(features, rows, what):
    """Features as a DataFrame with text columns' names as plain strings."""
    if hasattr(features, "toarray"):
        features = features.toarray()
    if not isinstance(features, pd.DataFrame):
        features = np.asarray(features)
        if features.ndim == 1:
            features = features.reshape(-1, 1)
        if features.ndim != 2:
            raise ContractError(f"preprocess: {what} must be a table, it has {features.ndim} dimensions")
        features = pd.DataFrame(features, columns=[f"x{place}" for place in range(features.shape[1])])
    features = features.copy()
    features.columns = [str(name) for name in features.columns]
    if not features.columns.is_unique:
        features.columns = [f"{name} {place}" for place, name in enumerate(features.columns)]
    if rows is not None and len(features) != rows:
        raise ContractError(f"preprocess: {what} has {len(features)} rows, it must have {rows}")
    return features


def checked_features(returned, train, test):
    """X, y, X_test of preprocess: aligned, numeric, finite or missing; a ContractError says what is wrong.

    Text that is left becomes codes of its values, or goes when there are more than 200 of them.
    """
    if not isinstance(returned, tuple) or len(returned) != 3:
        raise ContractError("preprocess must return the three values X, y, X_test")
    X, y, X_test = as_frame(returned[0], None, "X"), returned[1], as_frame(returned[2], len(test), "X_test")
    if len(X) == 0 or (len(X) != len(train) and (y is None or len(X) != len(y))):
        raise ContractError(f"preprocess: X has {len(X)} rows, train has {len(train)}: keep every row")
    dropped = [name for name in [*TARGETS, ID] if name in X]
    X, X_test = X.drop(columns=dropped), X_test.drop(columns=dropped, errors="ignore")
    if not set(X.columns) & set(X_test.columns) and X.shape[1] == X_test.shape[1]:
        X_test.columns = X.columns
    X_test = X_test.reindex(columns=X.columns)
    for name in X.columns:
        if not pd.api.types.is_numeric_dtype(X[name]) or not pd.api.types.is_numeric_dtype(X_test[name]):
            if pd.api.types.is_datetime64_any_dtype(X[name]):
                X[name], X_test[name] = (pd.to_datetime(part[name]).astype("int64") for part in (X, X_test))
                continue
            labels = sorted(X[name].dropna().astype(str).unique())
            if len(labels) > 200:
                X, X_test = X.drop(columns=name), X_test.drop(columns=name)
                continue
            codes = {value: code for code, value in enumerate(labels)}
            X[name], X_test[name] = X[name].astype(str).map(codes), X_test[name].astype(str).map(codes)
    X, X_test = X.astype(float), X_test.astype(float)
    X, X_test = X.replace([np.inf, -np.inf], np.nan), X_test.replace([np.inf, -np.inf], np.nan)
    if X.shape[1] == 0:
        raise ContractError("preprocess: X has no columns left")
    if X_test.isna().mean().mean() > max(0.6, X.isna().mean().mean() + 0.4):
        raise ContractError("preprocess: X and X_test do not have the same columns")
    X.columns = X_test.columns = [f"f{place}" for place in range(X.shape[1])]
    known = train[TARGETS].to_numpy(dtype=float)
    if len(X) == len(train):
        return X.reset_index(drop=True), known, X_test.reset_index(drop=True)
    values = pd.DataFrame(y).apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    if values.shape[1] != len(TARGETS) or not np.isin(np.round(values, 6), np.round(known, 6)).all():
        raise ContractError("preprocess: y must be train[TARGET], unchanged")
    return X.reset_index(drop=True), values, X_test.reset_index(drop=True)


def takes_missing(model):
    """Whether a model copes with missing values; a pipeline is taken not to."""
    return type(model).__name__.startswith(("LGBM", "XGB", "CatBoost", "HistGradientBoosting"))


def checked_classes(predicted, fitted, classes, rows):
    """Predictions as probabilities, one column a class."""
    predicted = np.asarray(predicted)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if len(predicted) != rows:
        raise ContractError(f"predict: {len(predicted)} predictions for {rows} rows")
    predicted = predicted.astype(float)
    if not np.isfinite(predicted).all():
        raise ContractError("predict: some predictions are missing or infinite")
    if predicted.ndim == 2:
        if predicted.shape[1] != classes:
            own = np.asarray(getattr(fitted, "classes_", []))
            if len(own) != predicted.shape[1]:
                raise ContractError(f"predict: {predicted.shape[1]} columns for {classes} classes")
            full = np.zeros((rows, classes))
            full[:, own.astype(int)] = predicted
            predicted = full
        if (predicted < -1e-9).any():
            raise ContractError("predict: probabilities must not be negative")
        return predicted / np.maximum(predicted.sum(axis=1, keepdims=True), 1e-12)
    whole = np.isin(predicted, np.arange(classes)).all()
    if whole and SOFT:
        raise ContractError("predict must return fitted.predict_proba(X_test), it returned labels")
    if whole:
        return np.eye(classes)[predicted.astype(int)]
    if classes == 2 and predicted.min() >= 0 and predicted.max() <= 1:
        return np.column_stack([1 - predicted, predicted])
    raise ContractError("predict must return fitted.predict_proba(X_test), one column a class")


def checked_numbers(predicted, rows):
    """Predictions as a finite vector."""
    predicted = np.asarray(predicted)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if predicted.shape != (rows,):
        raise ContractError(f"predict: predictions have the shape {predicted.shape}, it must be ({rows},)")
    predicted = predicted.astype(float)
    if not np.isfinite(predicted).all():
        raise ContractError("predict: some predictions are missing or infinite")
    return predicted


def fit_predict(X, y, X_test, classes=0):
    """One target through the stages build_model, train_model and predict."""
    model = build_model(X, pd.Series(y))
    if model is None:
        raise ContractError("build_model returned nothing")
    if not takes_missing(model):
        middle = X.median().fillna(0)
        X, X_test = X.fillna(middle), X_test.fillna(middle)
    fitted = train_model(model, X, pd.Series(y))
    if fitted is None:
        raise ContractError("train_model returned nothing")
    predicted = predict(fitted, X_test)
    if predicted is None:
        raise ContractError("predict returned nothing")
    if classes:
        return checked_classes(predicted, fitted, classes, len(X_test))
    return checked_numbers(predicted, len(X_test))
'''

_THRESHOLD = '''
def threshold(X, y):
    """The probability from which a row counts as 1, best for the metric on a fifth of the rows."""
    inner, held = train_test_split(np.arange(len(y)), test_size=0.2, random_state=0, stratify=y)
    known, new = X.iloc[inner].reset_index(drop=True), X.iloc[held].reset_index(drop=True)
    found = fit_predict(known, y[inner], new, 2)[:, 1]
    grid = np.linspace(0.1, 0.9, 33)
    scores = np.array([{score}(y[held], (found >= cut).astype(int)) for cut in grid])
    best = np.flatnonzero(scores >= scores.max() - 1e-9)
    return float(grid[best[len(best) // 2]])


def around_half(probability, cut):
    """The probability moved so that `cut` lies at 0.5."""
    return np.interp(probability, [0.0, cut, 1.0], [0.0, 0.5, 1.0])
'''

_GRADES = '''
def grades(numbers, y):
    """Numbers moved so that rounding gives the known grades, in the shares that they have in train."""
    known, counts = np.unique(y, return_counts=True)
    shares = counts.cumsum()[:-1] / counts.sum()
    cuts = np.maximum.accumulate(np.quantile(numbers, shares)) + 1e-9 * np.arange(1, len(known))
    middles = (known[:-1] + known[1:]) / 2
    low, high = min(numbers.min(), cuts[0]) - 1, max(numbers.max(), cuts[-1]) + 1
    moved = np.interp(numbers, [low, *cuts, high], [known[0] - 0.49, *middles, known[-1] + 0.49])
    return known[np.searchsorted(middles, moved, side="right")], moved
'''

_MAIN_START = """
def main():
    warnings.filterwarnings("ignore")
    train, test = read_table({train}), read_table({test})
    sample = read_sample({sample})
    train = train[[name for name in train.columns if name in test or name in TARGETS]]
"""

_MAIN_CLASSES = """    names = {{}}
    for target in TARGETS:
        codes, names[target] = label_codes(train[target], CLASSES)
        train = train.assign(**{{target: codes}})
    train = train[(train[TARGETS] >= 0).all(axis=1)].reset_index(drop=True)
    test = test.drop(columns=TARGETS, errors="ignore")
    X, y, X_test = checked_features(preprocess(train.copy(), test.copy()), train, test)
    submission, soft = {frame}, {frame}
"""
_EACH_CLASSES = """    for place, target in enumerate(TARGETS):
        kinds = max(len(names[target]), 2)
        chances = fit_predict(X, y[:, place].astype(int), X_test, kinds)
"""
_CLASS_COLUMNS = """        for column in COLUMNS:
            same = [k for k, name in enumerate(names[target]) if f"_{column}".endswith(f"_{name}")]
            submission[column] = chances[:, same[0]] if same else 0.0
    submission.to_csv("submission.csv", index=False)
"""
_PROBABILITIES = """        submission[COLUMNS[place]] = chances[:, 1]
    submission.to_csv("submission.csv", index=False)
"""
_LABELS = """        labels = np.array([*names[target], *names[target][:1]][:kinds])
        submission[COLUMNS[place]] = labels[chances.argmax(axis=1)]
        if kinds == 2:
            soft[COLUMNS[place]] = chances[:, 1]
        else:
            soft = soft.assign(**{name: chances[:, k] for k, name in enumerate(names[target])})
    submission.to_csv("submission.csv", index=False)
    soft.to_csv("soft.csv", index=False)
"""
_TUNED_LABELS = """        labels = np.array([*names[target], *names[target][:1]][:kinds])
        chance = around_half(chances[:, 1], threshold(X, y[:, place].astype(int)))
        submission[COLUMNS[place]] = labels[(chance >= 0.5).astype(int)]
        soft[COLUMNS[place]] = chance
    submission.to_csv("submission.csv", index=False)
    soft.to_csv("soft.csv", index=False)
"""
_MAIN_NUMBERS = """    train = train.assign(**dict(zip(TARGETS, number_target(train, TARGETS).T)))
    train = train.dropna(subset=TARGETS).reset_index(drop=True)
    low = train[TARGETS].min()
{transform}    test = test.drop(columns=TARGETS, errors="ignore")
    X, y, X_test = checked_features(preprocess(train.copy(), test.copy()), train, test)
    submission = {frame}
    for place, target in enumerate(TARGETS):
        numbers = {back}
        submission[COLUMNS[place]] = np.maximum(numbers, 0) if low[target] >= 0 else numbers
    submission.to_csv("submission.csv", index=False)
"""
_MAIN_GRADES = """    train = train.assign(**dict(zip(TARGETS, number_target(train, TARGETS).T)))
    train = train.dropna(subset=TARGETS).reset_index(drop=True)
    test = test.drop(columns=TARGETS, errors="ignore")
    X, y, X_test = checked_features(preprocess(train.copy(), test.copy()), train, test)
    submission, soft = {frame}, {frame}
    for place, target in enumerate(TARGETS):
        graded, moved = grades(fit_predict(X, y[:, place], X_test), y[:, place])
        submission[COLUMNS[place]] = graded.astype(int) if (graded == graded.astype(int)).all() else graded
        soft[COLUMNS[place]] = moved
    submission.to_csv("submission.csv", index=False)
    soft.to_csv("soft.csv", index=False)
"""


def supports(spec: TaskSpec) -> str:
    """Why the staged route cannot do this task, "" when it can."""
    if spec.image_column or spec.data_type in (DataType.IMAGE, DataType.AUDIO, DataType.VIDEO):
        return f"the staged route works on tables, not on {spec.data_type.value} data"
    if set(spec.target_classes) - {("0", "1")}:
        return "the staged route does not write several targets of named or many classes"
    return ""


def _split_imports(code: str) -> tuple[list[str], str]:
    """Top-level imports of a stage, one name a line, and the code without them."""
    tree = ast.parse(code)
    imports: list[str] = []
    gone: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            single = (
                node.end_lineno == node.lineno
                and sum(other.lineno == node.lineno for other in tree.body) == 1
            )
            if isinstance(node, ast.ImportFrom):
                imports += [
                    f"from {'.' * node.level}{node.module or ''} import {ast.unparse(a)}" for a in node.names
                ]
            else:
                imports += [f"import {ast.unparse(alias)}" for alias in node.names]
            if single or node.end_lineno != node.lineno:
                gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            else:
                return [], code
    lines = [line for number, line in enumerate(code.splitlines(), 1) if number not in gone]
    return imports, "\n".join(lines).strip("\n")


def constants(spec: TaskSpec, columns: Columns) -> dict[str, object]:
    """The names that stages may use, with their values."""
    targets = list(spec.targets)
    labels = targets if outcome(spec) == "classes" and spec.decimal == "." else []
    return {
        "TARGETS": targets,
        "TARGET": targets[0] if len(targets) == 1 else targets,
        "ID": spec.id_column,
        "COLUMNS": [name for name in spec.submission_columns if name != spec.id_column],
        "CLASSES": list(spec.classes),
        "NUMERIC": list(columns.numeric),
        "CATEGORICAL": list(columns.categorical),
        "DATES": list(columns.dates),
        "TEXT": list(columns.text),
        "OUTCOME": outcome(spec),
        "SOFT": outcome(spec) == "classes"
        and (spec.prediction == "probability" or bool(_threshold_metric(spec))),
        "RAW": [name for name in (spec.id_column, *labels) if name],
    }


KNOWN = frozenset(
    {
        "TARGETS",
        "TARGET",
        "ID",
        "CLASSES",
        "NUMERIC",
        "CATEGORICAL",
        "DATES",
        "TEXT",
        "OUTCOME",
        "plain_frames",
    }
) | {line.split()[-1] for line in _HEADER_IMPORTS}
"""Names that stages may use because the skeleton defines them."""


def _arguments(spec: TaskSpec, file: str, others: str) -> str:
    """The arguments that read a file: its name, the others, and how it is written where that is unusual."""
    options = spec.dialects[file].options if file in spec.dialects else {}
    return ", ".join([repr(file), others, *(f"{name}={value!r}" for name, value in options.items())])


def _main(spec: TaskSpec) -> str:
    start = _MAIN_START.format(
        train=_arguments(spec, spec.train_file, "RAW"),
        test=_arguments(spec, spec.test_file, "RAW"),
        sample=_arguments(spec, spec.sample_file, "test, ID, COLUMNS"),
    )
    frame = (
        "pd.DataFrame({ID: test[ID] if ID in test else sample[ID]})" if spec.id_column else "pd.DataFrame()"
    )
    kind = outcome(spec)
    if kind == "grades":
        return start + _MAIN_GRADES.format(frame=frame)
    if kind == "numbers":
        logs = log_target(spec)
        transform = (
            "    scales = {target: low[target] > -1 for target in TARGETS}  # the metric compares ratios\n"
            "    train = train.assign(**{t: np.log1p(train[t]) for t in TARGETS if scales[t]})\n"
        )
        back = "fit_predict(X, y[:, place], X_test)"
        if logs:
            back += "\n        numbers = np.expm1(np.clip(numbers, -7, 60)) if scales[target] else numbers"
        return start + _MAIN_NUMBERS.format(frame=frame, transform=transform if logs else "", back=back)
    ends = _PROBABILITIES
    if spec.layout == "class_columns":
        ends = _CLASS_COLUMNS
    elif spec.prediction != "probability":
        ends = _TUNED_LABELS if _threshold_metric(spec) else _LABELS
    return start + _MAIN_CLASSES.format(frame=frame) + _EACH_CLASSES + ends


def render_skeleton(
    spec: TaskSpec, columns: Columns, bodies: Mapping[str, str] | None = None, title: str = ""
) -> str:
    """The whole program, with the given stage functions; the others are the fallbacks.

    bodies: stage -> code that defines the function of that name (imports and helpers with it).
    """
    bodies = dict(bodies or {})
    imports = list(_HEADER_IMPORTS)
    stages: list[str] = []
    for stage in STAGES:
        found, body = _split_imports(bodies.get(stage, FALLBACKS[stage]))
        imports += found
        stages.append(f"# {TITLES[stage]}\n\n\n{body.strip()}\n")
    helpers = _HELPERS.strip("\n")
    score = _threshold_metric(spec)
    if score and outcome(spec) == "classes":
        helpers += "\n\n" + _THRESHOLD.replace("{score}", score)
        imports += [
            f"from sklearn.metrics import {score}",
            "from sklearn.model_selection import train_test_split",
        ]
    if outcome(spec) == "grades":
        helpers += "\n\n" + _GRADES
    blocks = (plain_frames, find_file, read_table, read_sample, plain_label, label_codes, number_target)
    ours = "\n\n".join(inspect.getsource(block).strip() + "\n" for block in blocks)
    doc = (title or spec.title or spec.slug).replace("\\", "/").replace('"', "'").split("\n")[0][:90]
    values = "\n".join(f"{name} = {value!r}" for name, value in constants(spec, columns).items())
    body = "\n".join(
        [
            f"{values}\n\n",
            "\n\n".join(stages),
            "\n# The skeleton: files, target, checks, submission\n\n",
            ours,
            "\n" + helpers.strip("\n") + "\n\n",
            _main(spec).strip("\n"),
            '\n\nif __name__ == "__main__":\n    main()\n',
        ]
    )
    needed = [
        line for line in imports if re.search(rf"\b{re.escape(line.split()[-1].split('.')[0])}\b", body)
    ]
    return f'"""{doc}: reads ./data, writes ./submission.csv."""\n\n{_sorted_imports(needed)}\n\n{body}'


def _sorted_imports(imports: Sequence[str]) -> str:
    lines = sorted(dict.fromkeys(imports), key=lambda line: (line.startswith("from"), line))
    return "\n".join(
        ["from typing import Any", *(line for line in lines if line != "from typing import Any")]
    )
