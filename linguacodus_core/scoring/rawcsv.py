"""CSV files as raw text, value by value, so that a part of a file can be written without changing it."""

import gzip
import io
import os
import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from linguacodus_core.errors import TaskError
from linguacodus_core.store import write_bytes
from linguacodus_core.taskfolder.frames import read_table, readable

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "nat"})
"""How files spell a missing value (lower case)."""


@dataclass(frozen=True)
class RawCsv:
    """A CSV file as strings ("" where a value is empty), with how it was written."""

    frame: pd.DataFrame
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."

    def with_points(self) -> pd.DataFrame:
        """The frame, its numbers with a decimal point whatever the file has."""
        return respell(self.frame, self.decimal, ".")

    def text(self, frame: pd.DataFrame) -> bytes:
        """Another frame in this file's encoding and delimiter."""
        text = frame.to_csv(None, index=False, sep=self.delimiter, lineterminator="\n")
        return text.encode(self.encoding)


def read_raw(path: Path, rows: int | None = None) -> RawCsv:
    """Read a CSV, CSV.gz or CSV.zip without interpreting a value: "001", "NA" and "1e3" stay as they are.

    rows: read at most so many. Raises TaskError for a file that is missing, empty or no CSV.
    """
    dialect = read_table(path, nrows=1)[1]
    with readable(path):
        content = path.read_bytes()
        if path.name.lower().endswith(".gz"):
            content = gzip.decompress(content)
        elif path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
                content = archive.read(next(name for name in names if not name.endswith("/")))
    encoding, text = _decode(content, dialect.encoding)
    frame = parse_raw(text, path.name, dialect.delimiter, rows)
    return RawCsv(frame, encoding, dialect.delimiter, dialect.decimal)


def respell(frame: pd.DataFrame, old: str, new: str) -> pd.DataFrame:
    """Raw values, the numbers with the decimal sign `new` instead of `old`; all else as it is."""
    if old == new:
        return frame
    number = rf"^(\s*[+-]?\d*){re.escape(old)}(\d+(?:[eE][+-]?\d+)?\s*)$"
    return frame.replace(number, rf"\g<1>{new}\g<2>", regex=True)


def parse_raw(text: str, name: str, delimiter: str = ",", rows: int | None = None) -> pd.DataFrame:
    """CSV text as a frame of strings. Raises TaskError, naming the file, when it is no CSV."""
    try:
        return pd.read_csv(
            io.StringIO(text, newline=""),
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            sep=delimiter,
            index_col=False,
            nrows=rows,
        ).rename(columns=str)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise TaskError(
            f"{name} is no CSV file: {str(error).strip()}", "write it as CSV with a header line"
        ) from error


def _decode(content: bytes, expected: str) -> tuple[str, str]:
    for encoding in (expected, "cp1252"):
        try:
            return encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return "latin-1", content.decode("latin-1")


def write_raw(path: Path, content: bytes) -> None:
    """Write CSV text, compressed as the name's ending says; the same bytes on every machine."""
    if path.suffix.lower() == ".gz":
        content = gzip.compress(content, 1, mtime=0)
    elif path.suffix.lower() == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(path.stem), content, zipfile.ZIP_DEFLATED)
        content = packed.getvalue()
    write_bytes(path, content)


def is_missing(values: pd.Series) -> pd.Series:
    """Which raw values stand for nothing."""
    return values.isna() | values.astype(str).str.strip().str.lower().isin(MISSING)


def room_for(sample: pd.DataFrame, cells: int = 0) -> int:
    """How many bytes a submission may have: 16 MB, 100 times the sample's, and 100 for each of `cells`."""
    size = sum(int(sample[name].astype(str).str.len().sum()) + len(sample) + 1 for name in sample)
    return (16 << 20) + 100 * (size + cells)


def parse_untrusted(path: Path, most_bytes: int, most_columns: int) -> pd.DataFrame:
    """A CSV file that untrusted code wrote, as strings; neither its bytes nor its columns exceed the limits.

    Raises OSError when it is missing, no plain file or too large, UnicodeDecodeError when it is no UTF-8,
    TaskError when it is no CSV or has too many columns.
    """
    text = read_untrusted(path, most_bytes).decode("utf-8-sig")
    head = text.lstrip()[: 1 << 20].partition("\n")[0]
    if (columns := head.count(",") + 1) > most_columns:
        raise TaskError(f"{path.name} has {columns:,} columns, at most {most_columns:,} are read", "")
    return parse_raw(text, path.name)


def read_untrusted(path: Path, most_bytes: int) -> bytes:
    """Content of a file that untrusted code wrote: no link is followed, no device opened.

    Raises OSError when it is missing, no plain file, or larger than most_bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise OSError(f"{path.name} is no plain file of its own")
        if status.st_size > most_bytes:
            raise OSError(f"{path.name} has {status.st_size:,} bytes, at most {most_bytes:,} are read")
        content = stream.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise OSError(f"{path.name} grew beyond {most_bytes:,} bytes while it was read")
        return content
