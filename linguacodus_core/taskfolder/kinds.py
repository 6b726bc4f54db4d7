"""What kind of data a task has: media files, natural language, time series, tables."""

import itertools
import re
import tarfile
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from linguacodus_core.taskfolder.frames import readable
from linguacodus_core.taskfolder.groups import TimeColumn
from linguacodus_core.taskfolder.spec import DataType

_ENDINGS = {
    DataType.IMAGE: {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".dcm", ".jp2"},
    DataType.AUDIO: {".wav", ".mp3", ".flac", ".ogg", ".aif", ".aiff", ".m4a"},
    DataType.VIDEO: {".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg"},
}
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
_MEMBERS = 400
_LOOK = 2_000
_MANY_FEATURES = 20
_WIDE_SCRIPTS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TEXT_NAME = re.compile(
    r"(^|[_\W])(text|review|comment|tweet|sentence|question|answer|essay|body|description|title|message|content"
    r"|abstract|headline|excerpt|phrase|summary|utterance|document|article)s?(\d*)([_\W]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Media:
    """The images, sounds or videos of a task: where they lie and the column that names them."""

    kind: DataType
    where: str
    column: str | None


def find_media(
    data: Path, files: Sequence[str], train: pd.DataFrame, test: pd.DataFrame, targets: Collection[str]
) -> tuple[Media, ...]:
    """The kinds of media files in data/, loose or in tar and zip archives, most frequent kind first.

    `files`: paths relative to data/. Of an archive only the first few hundred members are looked at.
    `column` is None when no column of train names the files.
    """
    by_kind: dict[DataType, list[str]] = {}
    archives: dict[DataType, str] = {}
    for name in files:
        lower = name.lower()
        if lower.endswith(_ARCHIVES) and ".csv" not in lower:
            for member in _members(data / name):
                if kind := _kind(member):
                    by_kind.setdefault(kind, []).append(member)
                    archives[kind] = name
        elif kind := _kind(name):
            by_kind.setdefault(kind, []).append(name)
    found = []
    for kind, names in sorted(by_kind.items(), key=lambda item: -len(item[1])):
        where = archives.get(kind) or f"{len(names):,} files {PurePosixPath(names[0]).suffix.lower()}"
        found.append(Media(kind, where, _naming_column(names, kind in archives, train, test, targets)))
    return tuple(found)


def _kind(name: str) -> DataType | None:
    suffix = PurePosixPath(name).suffix.lower()
    return next((kind for kind, endings in _ENDINGS.items() if suffix in endings), None)


def _members(path: Path) -> list[str]:
    """Names of the first files in an archive; a tar is not read further than that."""
    with readable(path):
        try:
            if path.name.lower().endswith(".zip"):
                with zipfile.ZipFile(path) as archive:
                    return [
                        n for n in archive.namelist() if not n.startswith("__MACOSX") and not n.endswith("/")
                    ]
            with tarfile.open(path, "r|*") as tar:
                return [m.name for m in itertools.islice(tar, _MEMBERS) if m.isfile()]
        except tarfile.TarError as error:
            raise zipfile.BadZipFile(str(error)) from error


def _naming_column(
    names: Sequence[str], partial: bool, train: pd.DataFrame, test: pd.DataFrame, targets: Collection[str]
) -> str | None:
    """The column of train and test whose values are the names of the files, with or without ending."""
    known = {part for n in names for part in (n, PurePosixPath(n).name, PurePosixPath(n).stem)}
    stems = [PurePosixPath(n).stem for n in names[:: max(1, len(names) // _LOOK)]]
    for column in train.columns:
        if column in targets or column not in test.columns or is_float_dtype(train[column]):
            continue
        if is_bool_dtype(train[column]) or (is_numeric_dtype(train[column]) and not train[column].is_unique):
            continue
        values = pd.concat([train[column].dropna(), test[column].dropna()]).astype(str)
        written = {PurePosixPath(v).stem for v in values} | set(values)
        if sum(stem in written for stem in stems) >= 0.5 * len(stems):
            return str(column)
        some = values.iloc[:: max(1, len(values) // _LOOK)]
        if (
            not partial
            and len(some)
            and sum(v in known or PurePosixPath(v).name in known for v in some) >= 0.9 * len(some)
        ):
            return str(column)
    return None


def find_text(train: pd.DataFrame, skip: Collection[str] = ()) -> tuple[str, ...]:
    """The columns that hold natural language: long strings of several words, few of them repeated."""
    return tuple(c for c in train.columns if c not in skip and is_natural_language(train[c]))


def is_natural_language(values: pd.Series) -> bool:
    """Whether a column holds sentences rather than names, codes or categories (names have few words)."""
    if is_numeric_dtype(values) or is_bool_dtype(values) or not len(values):
        return False
    present = values.dropna()
    text = present.iloc[:: max(1, len(present) // _LOOK)].astype(str)
    if len(text) < 2 or text.nunique() < 0.3 * len(text):
        return False
    if text.str.fullmatch(r"[\d\s.,;:/+\-eE]*").mean() > 0.5:
        return False
    if text.str.contains(_WIDE_SCRIPTS).mean() > 0.5:
        return bool(text.str.len().median() >= 12)
    words = text.str.count(r"[^\W\d_]{2,}")
    letters = text.str.count(r"[^\W\d_]") / text.str.len().clip(lower=1)
    named = _TEXT_NAME.search(str(values.name)) is not None
    return bool(words.median() >= (3 if named else 6) and letters.median() > 0.5)


def order_kinds(
    media: Sequence[Media],
    text: Sequence[str],
    time: TimeColumn | None,
    features: int,
    numeric_target: bool,
) -> tuple[tuple[DataType, ...], str]:
    """All data types that hold, the leading one first, and in a few words why.

    features: how many columns train and test share beside ids, texts and file names. Media lead
    unless a wide table stands beside them; texts lead a few columns; a series leads with a numeric
    target (with classes it only says how to validate).
    """
    kinds: list[DataType] = []
    reasons: list[str] = []
    used = [m for m in media if m.column is not None]
    wide = features > _MANY_FEATURES
    if time is not None and time.series:
        reasons.append(time.found)
        if numeric_target and not used:
            kinds.append(DataType.TIME_SERIES)
    if text:
        reasons.append(f"natural language in {', '.join(text[:3])}")
    text_leads = bool(text) and features <= 4 * len(text)
    if wide:
        kinds.append(DataType.TABULAR)
    for found in used:
        kinds.append(found.kind)
        reasons.insert(0, f"{found.kind} files ({found.where}) named by {found.column}")
    if text_leads:
        kinds.append(DataType.TEXT)
    if features:
        kinds.append(DataType.TABULAR)
    if text:
        kinds.append(DataType.TEXT)
    if time is not None and time.series:
        kinds.append(DataType.TIME_SERIES)
    if features and (not reasons or DataType.TABULAR in kinds[:1]):
        reasons.append(f"{features} columns of features")
    return tuple(dict.fromkeys(kinds)), "; ".join(reasons)
