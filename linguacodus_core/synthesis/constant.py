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


def read(name, wanted):
    """The table as text, whatever its encoding and delimiter."""
    for encoding in ("utf-8-sig", "utf-16", "latin-1"):
        for separator in (",", ";", "\\t", "|"):
            try:
                table = pd.read_csv(f"data/{{name}}", dtype=str, encoding=encoding, sep=separator)
            except (UnicodeError, pd.errors.ParserError):
                continue
            if set(wanted) <= set(table.columns):
                return table
    raise ValueError(f"{{name}} has no columns {{wanted}}")


def constant(target, classes):
    target = target.dropna().str.strip()
    if PREDICTION == "label":
        return target.mode().iloc[0]
    numbers = pd.to_numeric(target, errors="coerce")
    if classes and not (PREDICTION == "probability" and numbers.between(0, 1).all()):
        return (target.str.lower() == classes[-1].lower()).mean()
    return min(max(numbers.mean(), 0.0), 1.0) if PREDICTION == "probability" else numbers.median()


train = read({train!r}, TARGETS)
sample = read({sample!r}, COLUMNS)
if CLASS_COLUMNS:
    shares = train[TARGETS[0]].value_counts(normalize=True)
    for column in COLUMNS:
        sample[column] = shares.get(column, 1 / len(COLUMNS))
else:
    for column, target in zip(COLUMNS, TARGETS):
        sample[column] = constant(train[target], CLASSES.get(target, []))
sample.to_csv("submission.csv", index=False)
'''


def constant_candidate(spec: TaskSpec) -> Candidate:
    """A candidate that needs only pandas: the mean, median, most frequent label or class shares."""
    program = _PROGRAM.format(
        targets=list(spec.targets),
        columns=[name for name in spec.submission_columns if name != spec.id_column],
        classes={name: list(spec.labels_of(name)) for name in spec.targets},
        class_columns=spec.layout == "class_columns",
        prediction=spec.prediction,
        train=spec.train_file,
        sample=spec.sample_file,
    )
    return Candidate(route="floor", label="floor: constant", program=program)
