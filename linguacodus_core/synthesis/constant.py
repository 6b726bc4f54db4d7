"""The program of last resort: it predicts what train's targets look like on the whole."""

from linguacodus_core.synthesis.candidate import Candidate
from linguacodus_core.taskfolder.spec import TaskSpec

_PROGRAM = '''"""Predicts a constant for every row: the last resort when nothing else runs."""

from pathlib import Path

import pandas as pd

TARGETS = {targets!r}
COLUMNS = {columns!r}
CLASS_COLUMNS = {class_columns!r}  # one probability column a class
PREDICTION = {prediction!r}


def constant(target):
    if PREDICTION == "label" or target.dtype == object:
        return target.mode().iloc[0]
    return target.mean() if PREDICTION == "probability" else target.median()


def find(name):
    """data/<name> with or without .gz: the folds of the harness are plain CSV."""
    return next(path for path in Path("data").iterdir() if path.name.removesuffix(".gz") == name.removesuffix(".gz"))


train = pd.read_csv(find({train!r}), encoding_errors="replace", low_memory=False)
sample = pd.read_csv(find({sample!r}))
if CLASS_COLUMNS:
    shares = train[TARGETS[0]].astype(str).value_counts(normalize=True)
    for column in COLUMNS:
        sample[column] = shares.get(str(column), 1 / len(COLUMNS))
else:
    for column, target in zip(COLUMNS, TARGETS):
        sample[column] = constant(train[target].dropna())
sample.to_csv("submission.csv", index=False)
'''


def constant_candidate(spec: TaskSpec) -> Candidate:
    """A candidate that needs only pandas: the mean, median, most frequent label or class shares."""
    program = _PROGRAM.format(
        targets=list(spec.targets),
        columns=[name for name in spec.submission_columns if name != spec.id_column],
        class_columns=spec.layout == "class_columns",
        prediction=spec.prediction,
        train=spec.train_file,
        sample=spec.sample_file,
    )
    return Candidate(route="floor", label="floor: constant", program=program)
