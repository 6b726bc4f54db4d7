"""Reading the tables of a task folder: CSV files as people really save them, and where they lie."""

import csv
import gzip
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import pandas as pd
from pandas.errors import EmptyDataError, ParserError, ParserWarning

from linguacodus_core.errors import TaskError

_HEAD = 65_536
_DELIMITERS = (",", ";", "\t")
_ENDINGS = (".csv", ".csv.gz", ".csv.zip")
_MAGIC = {
    b"\x1f\x8b": "is compressed with gzip",
    b"PK\x03\x04": "is a zip archive or an Excel workbook",
    b"%PDF": "is a PDF document",
    b"PAR1": "is a Parquet file",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook",
}
_SAMPLE_NAMES = (
    r"sample_?submissions?",
    r"submission_?sample",
    r"example_?submission",
    r"submission_?(example|format|template)",
    r"[a-z]+_submission",
    r"sample",
)

Table = Literal["train", "test", "sample"]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written: the arguments that pandas.read_csv needs to read it."""

    encoding: str
    delimiter: str
    decimal: str

    @property
    def plain(self) -> bool:
        """Whether pandas reads it with no arguments at all."""
        return not self.options

    @property
    def options(self) -> dict[str, str]:
        """What pandas.read_csv has to be told to read it: nothing when it is plain."""
        usual = {"encoding": ("utf-8", "utf-8-sig"), "sep": (",",), "decimal": (".",)}
        found = {"encoding": self.encoding, "sep": self.delimiter, "decimal": self.decimal}
        return {name: value for name, value in found.items() if value not in usual[name]}

    def __str__(self) -> str:
        name = {",": "comma", ";": "semicolon", "\t": "tab"}[self.delimiter]
        return f"{self.encoding}, {name}-separated" + (", decimal comma" if self.decimal == "," else "")


def read_csv(path: Path, nrows: int | None = None) -> pd.DataFrame:
    """The table in a .csv, .csv.gz or .zip file with a single CSV; at most `nrows` rows of it.

    Delimiter (comma, semicolon, tab), encoding (UTF-8 with or without a mark, UTF-16, Windows or
    ISO Latin) and decimal comma are recognised. Raises TaskError, naming the file, when it is
    missing, unreadable, empty, no text, or when its lines differ in length.
    """
    return read_table(path, nrows)[0]


def read_table(path: Path, nrows: int | None = None) -> tuple[pd.DataFrame, Dialect]:
    """read_csv, with the dialect that was found."""
    with readable(path):
        with _opened(path) as stream:
            head = stream.read(_HEAD)
        dialect = _sniff(path, head)
        try:
            frame = _parse(path, dialect, nrows)
        except UnicodeDecodeError:
            dialect = _sniff(path, head, fallback=True)
            try:
                frame = _parse(path, dialect, nrows)
            except UnicodeDecodeError:
                dialect = Dialect("latin-1", dialect.delimiter, dialect.decimal)
                frame = _parse(path, dialect, nrows)
        if nrows is None and len(frame.columns) > 1 and bool(frame.iloc[:, -1].isna().any()):
            _check_widths(path, dialect, len(frame.columns))
    return frame, dialect


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what the file system can answer into a TaskError that names the file."""
    name = path.name
    try:
        yield
    except FileNotFoundError as error:
        raise TaskError(f"{path} does not exist", "check the path, or put the file there") from error
    except PermissionError as error:
        raise TaskError(
            f"{path} may not be read by this user", f"give read permission: chmod +r {path}"
        ) from error
    except IsADirectoryError as error:
        raise TaskError(
            f"{path} is a folder, a file was expected", f"replace it by a file named {name}"
        ) from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise TaskError(
            f"{name} is damaged or not compressed as its name says ({error})",
            "download it again, or rename it to what it is",
        ) from error
    except OSError as error:
        raise TaskError(
            f"{path} cannot be read: {error.strerror or error}", "check the file and its disk"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The uncompressed bytes of the file, by its ending."""
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            members = _csv_members(archive)
            if len(members) != 1:
                raise TaskError(
                    f"{path.name} holds {len(members)} CSV files, one was expected",
                    f"unpack it beside {path.name} and remove the archive",
                )
            with archive.open(members[0]) as stream:
                yield stream
    elif name.endswith(".gz"):
        with gzip.open(path) as unzipped:
            yield cast(IO[bytes], unzipped)
    else:
        with path.open("rb") as plain:
            yield plain


def _csv_members(archive: zipfile.ZipFile) -> list[str]:
    names = [m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX")]
    return [m for m in names if m.lower().endswith((".csv", ".tsv", ".txt"))]


def _sniff(path: Path, head: bytes, *, fallback: bool = False) -> Dialect:
    """The dialect of a file from its first bytes; `fallback`: it is known not to be UTF-8."""
    if not head.strip():
        raise TaskError(f"{path.name} is empty", "a table needs a line of column names and rows below it")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise TaskError(
                f"{path.name} is no CSV file: it {what}", "export it as CSV, or rename it to what it is"
            )
    encoding = _encoding(head, fallback)
    text = head.decode(encoding, errors="replace")
    controls = sum(c < " " and c not in "\t\r\n\f" for c in text[:10_000])
    if controls > 0.01 * min(len(text), 10_000):
        raise TaskError(f"{path.name} is no text: it looks like a binary file", "replace it by a CSV file")
    lines = text.splitlines(keepends=True)
    whole = lines[:-1] if len(head) == _HEAD and len(lines) > 1 else lines
    delimiter, rows = _delimiter(whole[:200])
    if len(rows) > 1 and len(rows[1]) > len(rows[0]):
        raise _ragged(path, 2, len(rows[1]), len(rows[0]))
    return Dialect(encoding, delimiter, _decimal(rows[1:]) if delimiter != "," else ".")


def _encoding(head: bytes, fallback: bool) -> str:
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1:400:2].count(0) > 150 or (len(head) < 400 and head[1::2].count(0) > 0.4 * len(head)):
        return "utf-16-le"
    if head[0:400:2].count(0) > 150 or (len(head) < 400 and head[0::2].count(0) > 0.4 * len(head)):
        return "utf-16-be"
    return "cp1252" if fallback else "utf-8"


def _delimiter(lines: list[str]) -> tuple[str, list[list[str]]]:
    """The delimiter under which the header has most fields and the lines agree best, and the rows."""
    best: tuple[tuple[float, int], str, list[list[str]]] | None = None
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if not rows:
            continue
        width = len(rows[0])
        agree = sum(len(row) == width for row in rows) / len(rows)
        key = (agree if width > 1 else 0.0, width)
        if best is None or key > best[0]:
            best = key, delimiter, rows
    return (",", []) if best is None else best[1:]


def _decimal(rows: list[list[str]]) -> str:
    """ "," when numbers are written with a decimal comma."""
    cells = [cell.strip() for row in rows for cell in row]
    commas = sum(re.fullmatch(r"-?\d+,\d+", cell) is not None for cell in cells)
    points = sum(re.fullmatch(r"-?\d+\.\d+", cell) is not None for cell in cells)
    return "," if commas > points else "."


def _parse(path: Path, dialect: Dialect, nrows: int | None) -> pd.DataFrame:
    try:
        with _opened(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            source: IO[bytes] | io.TextIOWrapper = stream
            if dialect.encoding.startswith("utf-16"):
                source = io.TextIOWrapper(stream, encoding=dialect.encoding, newline="")
            frame = pd.read_csv(
                source,  # type: ignore[arg-type]
                sep=dialect.delimiter,
                encoding=dialect.encoding,
                decimal=dialect.decimal,
                nrows=nrows,
                index_col=False,
                low_memory=False,
            )
    except EmptyDataError as error:
        raise TaskError(
            f"{path.name} is empty", "a table needs a line of column names and rows below it"
        ) from error
    except (ParserError, ParserWarning) as error:
        raise _unparsable(path, str(error)) from error
    frame.columns = [str(c) for c in frame.columns]
    return frame


def _unparsable(path: Path, message: str) -> TaskError:
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message):
        return _ragged(path, int(found[2]), int(found[3]), int(found[1]))
    if "EOF inside string" in message:
        return TaskError(
            f"{path.name}: a quotation mark is opened and never closed",
            'double the quotes inside a field: ""',
        )
    return TaskError(f"{path.name} is no readable CSV file: {message}", "export it again as CSV")


def _ragged(path: Path, line: int, fields: int, header: int) -> TaskError:
    return TaskError(
        f"{path.name}, line {line}: {fields} fields, but the header has {header}",
        "mend that line, or quote fields that hold the delimiter",
    )


def _check_widths(path: Path, dialect: Dialect, width: int) -> None:
    """Raises TaskError at the first line that is cut short (pandas fills such lines silently)."""
    with _opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding=dialect.encoding, errors="replace", newline="")
        reader = csv.reader(text, delimiter=dialect.delimiter)
        try:
            for row in reader:
                if row and len(row) < width and not (len(row) == 1 and not row[0].strip()):
                    raise _ragged(path, reader.line_num, len(row), width)
        except csv.Error:
            return


def find_table(data: Path, table: Table) -> Path:
    """The file of data/ that holds the table "train", "test" or "sample" (the sample submission).

    Accepts .csv, .csv.gz and .csv.zip in any case, and Kaggle's several names of the sample
    submission. Raises TaskError that lists what is there instead.
    """
    with readable(data):
        files = sorted(p for p in data.iterdir() if p.is_file() and not p.name.startswith("."))
    patterns = _SAMPLE_NAMES if table == "sample" else (table,)
    for pattern in patterns:
        matching = [p for p in files if re.fullmatch(pattern, _stem(p))]
        for ending in _ENDINGS:
            if found := [p for p in matching if p.name.lower().endswith(ending)]:
                return _only(found)
    raise _missing(data, table, files)


def _only(found: list[Path]) -> Path:
    if len(found) > 1:
        names = " and ".join(p.name for p in found)
        raise TaskError(f"data/ holds {names}: it is not clear which one to read", "keep one of them")
    return found[0]


def _stem(path: Path) -> str:
    """The file's name in lower case without its table ending, camelCase as snake_case ("" for others)."""
    name = path.name
    for ending in reversed(_ENDINGS):
        if name.lower().endswith(ending):
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[: -len(ending)])
            return re.sub(r"[\s\-.]+", "_", snake).lower()
    return ""


def _missing(data: Path, table: Table, files: list[Path]) -> TaskError:
    what = {
        "train": ("train.csv", "one row an example: an id, the features and the target columns"),
        "test": ("test.csv", "the columns of train.csv without the targets"),
        "sample": (
            "sample_submission.csv",
            "the id column and one column a target, a row for each row of test.csv",
        ),
    }[table]
    there = ", ".join(p.name for p in files[:8]) + (" ..." if len(files) > 8 else "") or "no file"
    like = [p.name for p in files if table in p.name.lower() and p.name.lower().endswith(_ENDINGS)]
    rename = f"rename {like[0]} to {what[0]}, or add " if like else "add "
    return TaskError(
        f"{data} has no {what[0]} (there is: {there})", f"{rename}{what[0]} (or .gz) with {what[1]}"
    )
