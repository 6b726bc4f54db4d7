"""The inner hold-out: a task within the task, carved from train, whose answers the harness keeps."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.labels import is_class_column, to_classes
from linguacodus_core.scoring.rawcsv import RawCsv, is_missing, read_raw, respell, write_raw
from linguacodus_core.scoring.schemes import Scheme, assign
from linguacodus_core.store import write_table
from linguacodus_core.taskfolder.spec import TaskSpec

ROW = "row"
"""The id column of the stored answers where the submission has none: the row number."""


class Fold(BaseModel):
    """One hold-out: what the candidate sees, and where its answers are.

    data: name inside ./data/ -> file or folder of this machine. answers: Parquet with the id column
    ("row" without one) and the targets as raw strings, in the order of the fold's sample submission;
    never a value of `data`.
    """

    model_config = ConfigDict(frozen=True)

    data: dict[str, Path]
    answers: Path
    train_rows: int
    test_rows: int


class Split(BaseModel):
    """The hold-outs of a task. Two splits are the same when their content is, wherever they lie.

    sha256 covers the files of every fold, the answers and the task's data; it is the same on every
    machine. `why` says for the report how the scheme was chosen.
    """

    model_config = ConfigDict(frozen=True)

    scheme: Scheme
    why: str
    seed: int
    folds: tuple[Fold, ...]
    sha256: str

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Split) and self.sha256 == other.sha256


def carve(spec: TaskSpec, seed: int, into: Path) -> Split:
    """Carve the hold-outs of a task; everything is written under `into`, answers in their own folder.

    Each fold has train, test and sample submission under the names that the task itself uses (as
    gzip where those end in .gz) and written as these are (encoding, delimiter, decimal sign), with every
    value byte for byte as in the task's train file, in the columns of the task's files; all other data
    are passed by their own path, except another copy of train, and tables that hold ids and answers,
    from which the held-out rows are taken. Answers have decimal points.

    Raises TaskError when train has no usable rows, StoreError when `into` cannot be written.
    """
    train, test, sample = (
        read_raw(spec.data / name) for name in (spec.train_file, spec.test_file, spec.sample_file)
    )
    if absent := [name for name in spec.targets if name not in train.frame]:
        raise TaskError(
            f"{spec.train_file} has no column {', '.join(absent)}", "correct `targets` in task.toml"
        )
    ids = _usable_ids(spec, train.frame)
    known = train.with_points()
    plan = assign(spec, known, test.with_points(), ids, seed)
    digest = hashlib.sha256(f"{spec.data_sha256}\n{plan.scheme}\n".encode())
    tables = dict(_answer_tables(spec))
    folds = []
    for number, (left, held) in enumerate(plan.parts):
        if ids is not None:
            held = held[~ids.iloc[held].duplicated().to_numpy()]
        if not plan.ordered:
            random = np.random.RandomState((seed + number) % 2**32)
            left, held = random.permutation(left), random.permutation(held)
        part, hidden = known.iloc[left], known.iloc[held]
        names = _ids(spec, sample.frame, None if ids is None else ids.iloc[held], len(held))
        shown = respell(train.frame.iloc[held], train.decimal, test.decimal)
        files = {
            spec.train_file: train.text(train.frame.iloc[left]),
            spec.test_file: test.text(_inner_test(spec, shown, test.frame, names)),
            spec.sample_file: sample.text(_inner_sample(spec, part, sample, names)),
        }
        for name, table in tables.items():
            files[name] = table.text(table.frame[~table.frame[str(spec.id_column)].isin(set(names))])
        answers = hidden[list(spec.targets)].reset_index(drop=True)
        answers.insert(0, spec.id_column or ROW, names.to_numpy())
        folder, key = into / f"fold_{number}", into / "answers" / f"fold_{number}.parquet"
        for name, content in files.items():
            write_raw(folder / name, content)
            digest.update(f"{number} {name} {hashlib.sha256(content).hexdigest()}\n".encode())
        write_table(key, pa.Table.from_pandas(answers.astype(str), preserve_index=False))
        digest.update(hashlib.sha256(answers.to_csv(index=False).encode(errors="surrogatepass")).digest())
        data = {name: folder / name for name in files} | dict(_others(spec, set(files)))
        folds.append(Fold(data=data, answers=key, train_rows=len(part), test_rows=len(held)))
    return Split(scheme=plan.scheme, why=plan.why, seed=seed, folds=tuple(folds), sha256=digest.hexdigest())


def _usable_ids(spec: TaskSpec, train: pd.DataFrame) -> pd.Series | None:
    """Train's ids, None where it has none that identify most rows: then the fold's are made up."""
    if spec.id_column is None or spec.id_column not in train:
        return None
    ids = train[spec.id_column]
    return ids if not is_missing(ids).any() and ids.nunique() > 0.5 * len(ids) else None


def _ids(spec: TaskSpec, sample: pd.DataFrame, held: pd.Series | None, rows: int) -> pd.Series:
    if held is not None:
        return held.reset_index(drop=True)
    known = sample[spec.id_column] if spec.id_column in sample else pd.Series([], dtype=str)
    if known.str.fullmatch(r"\d{1,18}").all():
        first = int(known.astype("int64").min()) if len(known) and spec.id_column else 0
        return pd.Series([str(first + row) for row in range(rows)], dtype=str)
    return pd.Series([f"row_{row}" for row in range(rows)], dtype=str)


def _inner_test(spec: TaskSpec, hidden: pd.DataFrame, test: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """The held-out rows in the columns of the real test; never an answer."""
    columns: dict[str, object] = {}
    for name in test.columns:
        if name in spec.targets:
            columns[name] = test[name].iloc[0] if len(test) and test[name].nunique() == 1 else ""
        elif name == spec.id_column:
            columns[name] = names.to_numpy()
        else:
            columns[name] = hidden[name].to_numpy() if name in hidden else ""
    return pd.DataFrame(columns, index=range(len(hidden)), columns=list(test.columns))


def _inner_sample(spec: TaskSpec, part: pd.DataFrame, real: RawCsv, names: pd.Series) -> pd.DataFrame:
    """The real sample's columns with one constant each, known from the train part alone."""
    sample = real.with_points()
    predicted = [name for name in sample.columns if name != spec.id_column]
    targets = dict(zip(predicted, spec.targets, strict=False))
    columns: dict[str, object] = {}
    for name in sample.columns:
        if name == spec.id_column:
            columns[name] = names.to_numpy()
        elif spec.layout == "class_columns":
            columns[name] = _share(part[spec.targets[0]], name)
        else:
            target = name if name in spec.targets else targets.get(name, spec.targets[0])
            columns[name] = _typical(spec, part[target], sample[name])
    inner = pd.DataFrame(columns, index=range(len(names)), columns=list(sample.columns))
    inner[predicted] = respell(inner[predicted], ".", real.decimal)
    return inner


def _share(labels: pd.Series, name: str) -> str:
    """How frequent the class is whose column has this name (it may have a prefix, as in Status_D)."""
    for label, share in labels.value_counts(normalize=True).items():
        if is_class_column(name, str(label)):
            return repr(round(float(share), 6))
    return "0.0"


def _typical(spec: TaskSpec, answers: pd.Series, shown: pd.Series) -> str:
    known = spec.labels_of(str(answers.name))
    answers = answers[~is_missing(answers) | answers.isin(list(known))]
    if not len(answers):
        return shown.iloc[0] if len(shown) else ""
    numbers = pd.to_numeric(answers, errors="coerce")
    if spec.prediction == "label":
        return str(answers.mode().iloc[0])
    if spec.prediction == "probability" and spec.target_classes:
        return repr(round(float((to_classes(answers, known) == known[-1]).mean()), 6))
    if numbers.isna().any():
        return "0.5" if spec.prediction == "probability" else str(answers.mode().iloc[0])
    whole = spec.prediction == "value" and len(shown) > 0 and bool(shown.str.fullmatch(r"-?\d+").all())
    return str(round(numbers.mean())) if whole else repr(round(float(numbers.mean()), 6))


def _answer_tables(spec: TaskSpec) -> Iterator[tuple[str, RawCsv]]:
    """Other CSV files of data/ with the id column and every target: they may hold the answers."""
    for name in _csv_names(spec):
        try:
            columns = set(read_raw(spec.data / name, rows=1).frame.columns)
        except TaskError:
            continue
        if spec.id_column in columns and columns.issuperset(spec.targets):
            yield name, read_raw(spec.data / name)


def _csv_names(spec: TaskSpec) -> list[str]:
    own = {spec.train_file, spec.test_file, spec.sample_file}
    found = sorted(path.relative_to(spec.data).as_posix() for path in spec.data.rglob("*.csv*"))
    return [
        name
        for name in found
        if name.endswith((".csv", ".csv.gz")) and name not in own and not _is_train(spec, name)
    ]


def _is_train(spec: TaskSpec, name: str) -> bool:
    """Another copy of train (train.csv beside train.csv.gz): it holds every answer."""
    bare = spec.train_file.split(".")[0]
    return name != spec.train_file and name.split(".")[0] == bare and ".csv" in name


def _others(spec: TaskSpec, replaced: set[str]) -> Iterator[tuple[str, Path]]:
    """Everything else of data/, whole folders where nothing inside is replaced or left out."""

    def walk(folder: Path) -> Iterator[tuple[str, Path]]:
        for path in sorted(folder.iterdir()):
            name = path.relative_to(spec.data).as_posix()
            if name in replaced or _is_train(spec, name):
                continue
            inside = [item for item in replaced if item.startswith(f"{name}/")]
            if path.is_dir() and (inside or _is_train_within(path)):
                yield from walk(path)
            else:
                yield name, path.resolve()

    def _is_train_within(folder: Path) -> bool:
        return any(_is_train(spec, path.relative_to(spec.data).as_posix()) for path in folder.rglob("*.csv*"))

    yield from walk(spec.data)
