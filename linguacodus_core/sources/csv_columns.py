"""Named columns of large CSV files, streamed as Arrow text, whatever way a release spells their names."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.notes import Problem, note, problem

ENDINGS = (".csv", ".csv.gz")
_BLOCK_BYTES = 4 << 20
"""Rows may not be larger; Arrow holds up to some thirty blocks at a time, so that memory grows with it."""
_HEADER_BYTES = 1 << 20
_AGAIN = "download the file again, or write it anew with pandas (`pd.read_csv(...).to_csv(...)`)"


@dataclass(frozen=True)
class Column:
    """A column by our name and by the names that files give it; the earlier spelling wins where several are.

    Case, spaces, underscores and other punctuation do not matter. `required`: a file without it cannot be
    read; without another one the values are null, and a remark says so where the column is a `usual` one.
    """

    name: str
    spellings: tuple[str, ...] = ()
    required: bool = False
    usual: bool = True

    def find(self, header: Sequence[str]) -> int | None:
        """The place of this column in a header, None where it has none."""
        folded = [_fold(each) for each in header]
        for spelling in (self.name, *self.spellings):
            if _fold(spelling) in folded:
                return folded.index(_fold(spelling))
        return None


def find_file(folder: Path, stems: Sequence[str]) -> tuple[Path | None, list[Path]]:
    """The CSV file in `folder` for the first stem that names one, and others of that stem that stay unread.

    `code_blocks` finds code_blocks.csv and code_blocks.csv.gz, else the only file whose name begins so
    (code_blocks_clean.csv). Raises CorpusError where several begin so and none has exactly the name.
    """
    files = sorted(
        path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS) and path.is_file()
    )
    for stem in stems:
        fitting = [path for path in files if path.name.lower().startswith(stem)]
        exact = [path for path in fitting if path.name.lower() in {stem + ending for ending in ENDINGS}]
        if len(exact) == 1 or len(fitting) == 1:
            chosen = (exact or fitting)[0]
            return chosen, [path for path in fitting if path != chosen]
        if fitting:
            raise CorpusError(
                f"{folder} has {len(fitting)} files that could be {stem}.csv: "
                + ", ".join(path.name for path in fitting),
                f"leave one of them there, or name the one to read {stem}.csv",
            )
    return None, []


class CsvColumns:
    """Some columns of one CSV file (comma-separated, UTF-8, `.gz` allowed), cells as text.

    Raises CorpusError, at once, for a file that is empty or unreadable or lacks a required column.
    """

    def __init__(self, path: Path, columns: Sequence[Column], table: str) -> None:
        """table: the name under which rows that cannot be read are reported."""
        self.path = path
        self.table = table
        self.columns = columns
        self.problems: list[Problem] = []
        """Rows that `batches` could not read, and remarks: complete once it has been read to its end."""
        header = _header(path)
        self._places = {column.name: column.find(header) for column in columns}
        missing = [column for column in columns if column.required and self._places[column.name] is None]
        if missing:
            raise self._lacks(missing, header)
        self._header = header

    def need_one_of(self, *names: str) -> None:
        """Raises CorpusError where the file has none of these columns."""
        if not any(map(self.has, names)):
            raise self._lacks([column for column in self.columns if column.name in names], self._header)

    def _lacks(self, missing: Sequence[Column], header: Sequence[str]) -> CorpusError:
        return CorpusError(
            f"{self.path} has no column {' and no column '.join(repr(each.name) for each in missing)}; "
            f"it has {', '.join(repr(name) for name in header)}",
            "; ".join(
                f"{each.name} may also be spelled {', '.join(each.spellings) or 'no other way'}"
                for each in missing
            ),
        )

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return self._places[name] is not None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of text columns under our names, in the file's order; a column that is not there is null.

        Rows with too many or too few cells, with bytes that are no UTF-8, or with NUL bytes are left out and
        stand in `problems`. Raises CorpusError where a quoted cell is never closed or the file is cut.
        """
        self.problems = [
            note(self.path.name, "column missing", column.name)
            for column in self.columns
            if column.usual and self._places[column.name] is None
        ]
        present = {name: place for name, place in self._places.items() if place is not None}
        stream = _Watched(self.path)
        try:
            with (
                stream,
                arrow_csv.open_csv(
                    stream,
                    read_options=arrow_csv.ReadOptions(
                        block_size=_BLOCK_BYTES,
                        use_threads=False,
                        column_names=_places(len(self._header)),
                        skip_rows=1,
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        newlines_in_values=True, invalid_row_handler=self._wrong_cells
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        include_columns=_places(present.values()),
                        column_types=dict.fromkeys(_places(present.values()), pa.binary()),
                        strings_can_be_null=False,
                    ),
                ) as reader,
            ):
                for raw in reader:
                    yield self._named(self._readable(raw, stream.nul), list(present))
        except (pa.ArrowException, OSError, EOFError) as error:
            raise CorpusError(f"{self.path} cannot be read as CSV: {_reason(error)}", _AGAIN) from error
        if stream.quotes % 2:
            raise CorpusError(
                f"{self.path} has an odd number of double quotes: a quoted cell is never closed, "
                "the file is cut or badly quoted",
                _AGAIN,
            )
        if stream.last not in b"\r\n":
            self.problems.append(note(self.path.name, "no line end after the last row", "it may be cut"))

    def table_of_text(self) -> pa.Table:
        """All batches as one table, for files that fit into memory."""
        schema = pa.schema([(column.name, pa.string()) for column in self.columns])
        return pa.Table.from_batches(self.batches(), schema=schema)

    def _named(self, batch: pa.RecordBatch, present: list[str]) -> pa.RecordBatch:
        found = dict(zip(present, batch.columns, strict=True))
        empty = pa.nulls(batch.num_rows, pa.string())
        names = [column.name for column in self.columns]
        return pa.RecordBatch.from_arrays([found.get(name, empty) for name in names], names=names)

    def _wrong_cells(self, row: arrow_csv.InvalidRow) -> str:
        detail = f"{row.actual_columns} cells instead of {row.expected_columns}: {row.text}"
        self.problems.append(problem(self.table, self._where(row.number), "wrong number of cells", detail))
        return "skip"

    def _where(self, number: int | None) -> str:
        return self.path.name if number is None else f"{self.path.name} row {number}"

    def _readable(self, batch: pa.RecordBatch, nul: bool) -> pa.RecordBatch:
        """The batch as text, without the rows that are none."""
        if nul:
            batch = self._without(batch, [_has_nul(column) for column in batch.columns], "NUL bytes")
        try:
            return _as_text(batch)
        except pa.ArrowInvalid:
            broken = [
                pa.array([not _is_utf8(cell) for cell in column.to_pylist()]) for column in batch.columns
            ]
            return _as_text(self._without(batch, broken, "bytes that are no UTF-8"))

    def _without(self, batch: pa.RecordBatch, masks: list[Any], reason: str) -> pa.RecordBatch:
        broken = masks[0]
        for mask in masks[1:]:
            broken = pc.or_(broken, mask)
        for row in batch.filter(broken).to_pylist():
            text = b",".join(row.values()).decode(errors="replace").replace("\0", "\ufffd")
            self.problems.append(problem(self.table, self.path.name, reason, text))
        return batch.filter(pc.invert(broken))


class _Watched(io.RawIOBase):
    """The file's bytes, uncompressed, counting on their way what Arrow's parser does not mind."""

    def __init__(self, path: Path) -> None:
        self._stream = pa.input_stream(str(path), compression="detect")
        self.quotes = 0
        self.nul = False
        self.last = b"\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        chunk: bytes = self._stream.read(None if size < 0 else size)
        if chunk:
            self.quotes += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord('"')))
            self.nul = self.nul or b"\0" in chunk
            self.last = chunk[-1:]
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()


def _header(path: Path) -> list[str]:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            start: bytes = stream.read(_HEADER_BYTES)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{path} cannot be read: {_reason(error)}", _AGAIN) from error
    try:
        text = re.split(rb"\r\n|\n|\r", start, maxsplit=1)[0].decode("utf-8-sig")
        names = next(csv.reader([text]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} does not begin with a line of column names in UTF-8", _AGAIN) from error
    if not names:
        raise CorpusError(f"{path} is empty", _AGAIN)
    return names


def _places(places: Any) -> list[str]:
    """Names for columns that no file repeats: their places."""
    return [str(place) for place in (range(places) if isinstance(places, int) else places)]


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [column.cast(pa.string()) for column in batch.columns], names=batch.schema.names
    )


def _has_nul(column: pa.Array) -> pa.Array:
    return pc.match_substring(column, "\0")


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reason(error: BaseException) -> str:
    text = str(error)
    if "straddling" in text:
        return f"a row is larger than {_BLOCK_BYTES >> 20} MB, or a quoted cell is never closed"
    return text or type(error).__name__


def _fold(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())
