"""The data's profile: what a prompt, a plan and a report say about a task's columns."""

import re
from collections.abc import Iterable
from typing import Literal, cast

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.frames import read_csv
from linguacodus_core.taskfolder.groups import date_columns, parse_dates
from linguacodus_core.taskfolder.relation import feature_codes, information, target_codes
from linguacodus_core.taskfolder.spec import TaskSpec

Kind = Literal[
    "numeric", "integer", "category", "boolean", "date", "text", "image file", "constant", "id-like"
]
Role = Literal["id", "target", "feature", "train only", "test only"]

SAMPLE_ROWS = 20_000
_FULL_CELLS = 8_000_000
_SEED = 20_231
_CELL = 40
_TOP = 6
_TARGETS = 10


class ColumnProfile(BaseModel):
    """One column of train (or of test alone).

    missing, unseen, outside: shares 0..1. unique: distinct values. minimum, median, maximum: numbers
    or dates as text, None for other kinds. top: the most frequent values with their shares. skew: of
    a numeric column. relation: mutual information with the targets as a share of their entropy,
    0..1, the highest of all targets; correlation: Spearman with the first target where both are
    numbers. unseen: share of test rows whose category train lacks; outside: share of test rows
    outside train's range. words: median number of words of a text.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Kind
    role: Role
    missing: float
    unique: int
    minimum: float | str | None = None
    median: float | str | None = None
    maximum: float | str | None = None
    skew: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    words: int | None = None
    relation: float | None = None
    correlation: float | None = None
    unseen: float | None = None
    outside: float | None = None
    missing_in_test: float | None = None

    def line(self) -> str:
        """The column in one line."""
        parts = [self.kind if self.role in ("feature", "target") else f"{self.kind}, {self.role}"]
        if self.kind in ("numeric", "integer", "date") and self.minimum is not None:
            parts.append(f"{_short(self.minimum)} .. {_short(self.median)} .. {_short(self.maximum)}")
        if self.kind in ("category", "boolean", "id-like", "text", "integer", "image file", "date"):
            parts.append(f"{self.unique:,} values")
        if self.kind in ("category", "boolean", "constant") and self.top:
            parts.append(", ".join(f"{value} {share:.0%}" for value, share in self.top[:4]))
        if self.kind == "text" and self.words is not None:
            parts.append(f"about {self.words} words")
        if self.skew is not None and abs(self.skew) >= 2:
            parts.append(f"skew {self.skew:.1f}")
        if self.missing:
            parts.append(f"{_share(self.missing)} missing")
        if self.relation is not None and self.relation >= 0.005:
            parts.append(f"tells {_share(self.relation)} of the target")
        if self.correlation is not None and abs(self.correlation) >= 0.05:
            parts.append(f"correlation {self.correlation:+.2f}")
        if note := self.drift():
            parts.append(note)
        return f"{_cell(self.name)}: {'; '.join(parts)}"

    def drift(self) -> str:
        """How test differs from train in this column, "" when it hardly does."""
        notes = []
        if self.unseen is not None and self.unseen >= 0.01:
            notes.append(f"{_share(self.unseen)} of test has values unseen in train")
        if self.outside is not None and self.outside >= 0.01:
            notes.append(f"{_share(self.outside)} of test outside train's range")
        if self.missing_in_test is not None and abs(self.missing_in_test - self.missing) >= 0.1:
            notes.append(f"{_share(self.missing_in_test)} missing in test")
        return ", ".join(notes)


class TableProfile(BaseModel):
    """Another table in data/: its columns, and those it shares with train."""

    model_config = ConfigDict(frozen=True)

    file: str
    columns: tuple[str, ...]
    shared: tuple[str, ...]


class DataProfile(BaseModel):
    """What a task's tables hold.

    columns: the most informative first (texts and images, then by relation to the target), then
    targets, ids and columns of one table only. target: per target the distribution in words.
    sampled: rows that ranges and relations were computed on. examples: a few rows, cells as text.
    """

    model_config = ConfigDict(frozen=True)

    train_rows: int
    test_rows: int
    sampled: int
    columns: tuple[ColumnProfile, ...]
    target: tuple[str, ...]
    examples: tuple[dict[str, str], ...]
    drift: tuple[str, ...]
    tables: tuple[TableProfile, ...] = ()

    @property
    def features(self) -> tuple[ColumnProfile, ...]:
        """The columns that both train and test have, without ids and targets."""
        return tuple(c for c in self.columns if c.role == "feature")

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column. Raises KeyError for an unknown name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def text(self, limit: int) -> str:
        """The profile as compact text of at most `limit` characters: head, columns by worth, example rows."""
        kept: list[str] = []
        room = limit
        head = [f"train: {self.train_rows:,} rows, test: {self.test_rows:,} rows", *self.target]
        tail = [
            f"table {t.file}: {', '.join(t.columns[:12])}; shares {', '.join(t.shared) or 'no column'}"
            for t in self.tables
        ]
        lines = [c.line() for c in self.columns if c.role != "target"]
        for line in head:
            if len(line) + 1 <= room:
                kept.append(line)
                room -= len(line) + 1
        for at, line in enumerate(lines):
            left = len(lines) - at
            more = f"... and {left} more columns"
            last = left == 1
            if len(line) + 1 + (0 if last else len(more) + 1) > room:
                if len(more) + 1 <= room:
                    kept.append(more)
                    room = 0
                break
            kept.append(line)
            room -= len(line) + 1
        rows = ["rows: " + "; ".join(f"{k}={v}" for k, v in row.items()) for row in self.examples]
        for line in [*tail, *rows]:
            if len(line) + 1 <= room:
                kept.append(line)
                room -= len(line) + 1
        return "\n".join(kept)[: max(0, limit)]


def profile(spec: TaskSpec) -> DataProfile:
    """The profile of a task's train and test tables.

    Ranges, relations and frequencies come from a seeded sample of at most 20,000 rows; row counts,
    missing shares and distinct values from all rows, unless the table is very large. Raises
    TaskError when a table can no longer be read.
    """
    train, test = read_csv(spec.data / spec.train_file), read_csv(spec.data / spec.test_file)
    some = _sample(train)
    some_test = _sample(test)
    whole = train if train.size <= _FULL_CELLS else some
    coded = [
        (kept, target_codes(some.loc[kept, name]))
        for name in spec.targets[:_TARGETS]
        if name in some and len(kept := some.index[some[name].notna()])
    ]
    dates = set(date_columns(some))
    columns = [_column(str(c), spec, some, some_test, whole, coded, dates) for c in train.columns]
    columns += [_only_test(str(c), spec, some_test, test) for c in test.columns if c not in train.columns]
    columns.sort(key=_worth)
    drift = tuple(f"{c.name}: {note}" for c in columns if c.role == "feature" and (note := c.drift()))
    return DataProfile(
        train_rows=len(train),
        test_rows=len(test),
        sampled=len(some),
        columns=tuple(columns),
        target=tuple(_distribution(spec, train[name]) for name in spec.targets if name in train),
        examples=_examples(some, columns),
        drift=drift,
        tables=tuple(_other_tables(spec, train)),
    )


def _sample(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) <= SAMPLE_ROWS:
        return frame.reset_index(drop=True)
    rows = np.random.default_rng(_SEED).choice(len(frame), SAMPLE_ROWS, replace=False)
    return frame.iloc[np.sort(rows)].reset_index(drop=True)


def _kind(values: pd.Series, spec: TaskSpec, unique: int, rows: int, is_date: bool) -> Kind:
    name = str(values.name)
    if unique <= 1:
        return "constant"
    if name == spec.image_column:
        return "image file"
    if name in spec.text_columns:
        return "text"
    if is_date:
        return "date"
    if name == spec.id_column:
        return "id-like"
    if is_bool_dtype(values) or set(values.dropna().unique()[:3].tolist()) <= {True, False}:
        return "boolean"
    if is_numeric_dtype(values):
        if not is_integer_dtype(values) and bool((values.dropna() % 1 != 0).any()):
            return "numeric"
        named = re.search(r"(?i)(^|[_\W])(id|uuid|index|key)([_\W]|$)|(?<=[a-z])I[dD]$|^Unnamed: 0$", name)
        return "id-like" if named and unique > 0.95 * rows else "integer"
    present = max(1, int(values.notna().sum()))
    return "id-like" if unique > 0.9 * max(present, min(rows, unique)) and unique > 20 else "category"


def _column(
    name: str,
    spec: TaskSpec,
    some: pd.DataFrame,
    test: pd.DataFrame,
    whole: pd.DataFrame,
    coded: Iterable[tuple[pd.Index, np.ndarray]],
    dates: set[str],
) -> ColumnProfile:
    values, full = some[name], whole[name]
    unique = int(full.nunique())
    kind = _kind(values, spec, unique, len(full), name in dates)
    role: Role = "feature" if name in test.columns else "train only"
    if name in spec.targets:
        role = "target"
    elif name == spec.id_column:
        role = "id"
    told: dict[str, object] = _range(values, kind)
    if role == "feature" and kind not in ("text", "image file", "constant"):
        codes = feature_codes(_as_number(values) if kind == "date" else values)
        told["relation"] = max(
            (information(codes[kept.to_numpy()], target) for kept, target in coded), default=None
        )
        told["correlation"] = _correlation(values, some, spec)
    elif role == "feature" and kind == "constant":
        told["relation"] = 0.0
    if role == "feature":
        told |= _drift(values, test[name], kind)
    return ColumnProfile.model_validate(
        {"name": name, "kind": kind, "role": role, "missing": float(full.isna().mean()), "unique": unique}
        | told
    )


def _only_test(name: str, spec: TaskSpec, some: pd.DataFrame, test: pd.DataFrame) -> ColumnProfile:
    unique = int(test[name].nunique())
    kind = _kind(some[name], spec, unique, len(test), bool(date_columns(some[[name]])))
    role: Role = "id" if name == spec.id_column else "test only"
    told = {
        "name": name,
        "kind": kind,
        "role": role,
        "missing": float(test[name].isna().mean()),
        "unique": unique,
    }
    return ColumnProfile.model_validate(told | _range(some[name], kind))


def _range(values: pd.Series, kind: Kind) -> dict[str, object]:
    told: dict[str, object] = {}
    if kind in ("numeric", "integer") or (kind == "boolean" and is_numeric_dtype(values)):
        number = values.dropna().astype("float64")
        number = number[np.isfinite(number)]
        if kind != "boolean" and len(number):
            told |= {
                "minimum": float(number.min()),
                "median": float(number.median()),
                "maximum": float(number.max()),
            }
            skew = _skew(number)
            told["skew"] = round(skew, 3) if np.isfinite(skew) else None
    if kind == "date" and len(stamps := parse_dates(values).dropna()):
        low, middle, high = stamps.min(), stamps.sort_values().iloc[len(stamps) // 2], stamps.max()
        told |= {"minimum": _moment(low), "median": _moment(middle), "maximum": _moment(high)}
    if kind == "text":
        told["words"] = int(values.dropna().iloc[:2_000].astype(str).str.count(r"\S+").median())
    if kind in ("category", "boolean", "constant", "integer"):
        counts = values.value_counts(normalize=True, dropna=True).head(_TOP)
        told["top"] = tuple((_cell(value), round(float(share), 4)) for value, share in counts.items())
    return told


def _skew(number: pd.Series) -> float:
    return float(cast(float, number.skew())) if len(number) > 2 else 0.0


def _correlation(values: pd.Series, some: pd.DataFrame, spec: TaskSpec) -> float | None:
    first = spec.targets[0]
    if first not in some or not is_numeric_dtype(values) or not is_numeric_dtype(some[first]):
        return None
    both = pd.DataFrame({"a": values, "b": some[first]}).dropna().astype("float64")
    if len(both) < 3 or both["a"].nunique() < 2 or both["b"].nunique() < 2:
        return None
    ranks = both.rank().to_numpy()
    found = float(np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1])
    return round(found, 3) if np.isfinite(found) else None


def _drift(values: pd.Series, test: pd.Series, kind: Kind) -> dict[str, object]:
    told: dict[str, object] = {"missing_in_test": float(test.isna().mean())}
    present = test.dropna()
    if present.empty or values.dropna().empty:
        return told
    if kind in ("numeric", "integer") and is_numeric_dtype(test):
        told["outside"] = float(((present < values.min()) | (present > values.max())).mean())
    elif kind == "date" and len(stamps := parse_dates(test).dropna()):
        known = parse_dates(values)
        told["outside"] = float(((stamps < known.min()) | (stamps > known.max())).mean())
    elif kind in ("category", "boolean", "constant"):
        told["unseen"] = float((~present.astype(str).isin(set(values.dropna().astype(str)))).mean())
    return told


def _as_number(values: pd.Series) -> pd.Series:
    stamps = parse_dates(values)
    return stamps.astype("int64").astype("float64").where(stamps.notna())


def _worth(column: ColumnProfile) -> tuple[int, float]:
    order = {"target": 1, "id": 2, "train only": 3, "test only": 4}
    if column.role == "id" and column.kind == "date":
        return 0, -1.0
    if column.role != "feature":
        return order[column.role], 0.0
    if column.kind in ("text", "image file"):
        return 0, -2.0
    return 0, -(column.relation or 0.0)


def _distribution(spec: TaskSpec, values: pd.Series) -> str:
    present = values.dropna()
    lead = f"target {_cell(values.name)} ({spec.problem})"
    if spec.problem in ("regression", "multiregression") and is_numeric_dtype(values):
        low, quarter, half, three, high = (float(present.quantile(q)) for q in (0, 0.25, 0.5, 0.75, 1))
        skew = _skew(present.astype("float64"))
        return (
            f"{lead}: {low:.6g} .. {high:.6g}, quartiles {quarter:.6g}, {half:.6g}, {three:.6g}, "
            f"mean {float(present.mean()):.6g}, skew {skew:.2f}"
        )
    counts = present.value_counts(normalize=True)
    shown = ", ".join(f"{_cell(value)} {_share(float(share))}" for value, share in counts.head(10).items())
    return f"{lead}: {shown}" + (f", ... {len(counts)} classes" if len(counts) > 10 else "")


def _examples(some: pd.DataFrame, columns: Iterable[ColumnProfile]) -> tuple[dict[str, str], ...]:
    names = [c.name for c in columns if c.role != "test only"][:40]
    rows = some.iloc[: 3 if len(some) >= 3 else len(some)]
    return tuple({name: _cell(row[name]) for name in names} for _, row in rows.iterrows())


def _other_tables(spec: TaskSpec, train: pd.DataFrame) -> list[TableProfile]:
    known = {spec.train_file, spec.test_file, spec.sample_file}
    found = []
    for path in sorted(spec.data.iterdir()):
        if path.name in known or not path.is_file() or not path.name.lower().endswith((".csv", ".csv.gz")):
            continue
        try:
            columns = tuple(str(c) for c in read_csv(path, nrows=50).columns)
        except TaskError:
            continue
        shared = tuple(c for c in columns if c in train.columns and c not in spec.targets)
        found.append(TableProfile(file=path.name, columns=columns, shared=shared))
    return found


def _moment(stamp: pd.Timestamp) -> str:
    return stamp.strftime("%Y-%m-%d" if stamp == stamp.normalize() else "%Y-%m-%d %H:%M")


def _cell(value: object) -> str:
    """A value as one short line."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    if value is None or value is pd.NaT:
        return ""
    text = re.sub(r"\s+", " ", str(value)).strip()
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _short(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 or share == 0 else f"{share:.1%}"
