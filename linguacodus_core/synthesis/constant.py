"""The program of last resort: it predicts what train's targets look like on the whole."""

from linguacodus_core.candidate import Candidate
from linguacodus_core.taskfolder.spec import TaskSpec

_PROGRAM = '''"""Predicts a constant for every row: the last resort when nothing else runs."""

import pandas as pd

TARGETS = {targets!r}
COLUMNS = {columns!r}
CLASSES = {classes!r}  # of each target; the second of two is the positive one
CLASS_COLUMNS = {class_columns!r}  # one probability column a class
PREDICTION = {prediction!r}


def constant(target, classes):
    target = target.dropna().str.strip(){decimals}
    if PREDICTION == "label":
        return target.mode().iloc[0]
    numbers = pd.to_numeric(target, errors="coerce")
    if classes and not (PREDICTION == "probability" and numbers.between(0, 1).all()):
        return (target.str.lower() == classes[-1].lower()).mean()
    return min(max(numbers.mean(), 0.0), 1.0) if PREDICTION == "probability" else numbers.median()


train = pd.read_csv({train}, usecols=TARGETS, dtype=str)
sample = pd.read_csv({sample}, dtype=str, keep_default_na=False)
if CLASS_COLUMNS:
    shares = train[TARGETS[0]].value_counts(normalize=True).reindex(COLUMNS).fillna(1 / len(COLUMNS))
    sample[COLUMNS] = (shares / shares.sum()).to_numpy()
else:
    for column, target in zip(COLUMNS, TARGETS):
        sample[column] = constant(train[target], CLASSES.get(target, []))
sample.to_csv("submission.csv", index=False)
'''


_POINTS = r""".str.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True)"""


def _file(spec: TaskSpec, name: str) -> str:
    """The arguments of read_csv for a file of data/."""
    how = spec.dialects[name].options if name in spec.dialects else {}
    told = {key: value for key, value in {"encoding": "utf-8-sig", **how}.items() if key != "decimal"}
    return ", ".join([repr(f"data/{name}"), *(f"{key}={value!r}" for key, value in told.items())])


def constant_candidate(spec: TaskSpec) -> Candidate:
    """A candidate that needs only pandas: the mean, median, most frequent label or class shares."""
    program = _PROGRAM.format(
        targets=list(spec.targets),
        columns=[name for name in spec.submission_columns if name != spec.id_column],
        classes={name: list(spec.labels_of(name)) for name in spec.targets},
        class_columns=spec.layout == "class_columns",
        prediction=spec.prediction,
        train=_file(spec, spec.train_file),
        sample=_file(spec, spec.sample_file),
        decimals=_POINTS if spec.decimal == "," else "",
    )
    return Candidate(route="floor", label="floor: constant", program=program)
