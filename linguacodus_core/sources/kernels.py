"""A folder of pulled kernels (`kaggle kernels pull -m`), at any depth, as a source."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.competition_files import CompetitionFiles
from linguacodus_core.sources.kernel_folders import (
    METADATA,
    NOTEBOOKS,
    Pulled,
    PulledKernel,
    find_kernels,
    language,
)
from linguacodus_core.sources.notebook import Cell, NotReadable, read_notebook, read_script
from linguacodus_core.sources.notes import Problem, problem
from linguacodus_core.sources.stated_score import stated_score
from linguacodus_core.sources.text_columns import KAGGLE
from linguacodus_core.tables import DATASET, table

_BATCH_CHARACTERS = 8 << 20


class KernelsSource:
    """Kernels in folders with kernel-metadata.json and a code file, and what `competition_files` finds there.

    Competitions are those that the kernels are of, and those whose folder has a competition.json.
    """

    name = "kernels"

    def __init__(self, folder: Path, competitions_file: Path | None = None) -> None:
        """competitions_file: a CSV of competitions, read instead of <folder>/competitions.csv.

        Raises CorpusError, at once, for a folder without kernels and for a CSV that names no competitions.
        """
        if not folder.is_dir():
            raise CorpusError(
                f"{folder} is not a folder", f"give the folder with the pulled kernels ({METADATA})"
            )
        self._root = folder
        self._about = CompetitionFiles(folder, competitions_file)
        if not self._pulled.kernels and not self._pulled.problems:
            raise CorpusError(
                f"{folder} has no kernels: no {METADATA} anywhere below it",
                "pull some there with `kaggle kernels pull -m`, or give another folder",
            )

    def fingerprint(self) -> str:
        """The SHA-256 (hex) of all files read: metadata, code, what is said of competitions."""
        whole = hashlib.sha256()
        files = {str(path): self._root / path for path in self._pulled.files}
        files |= {path.relative_to(self._root).as_posix(): path for path in self._about.files()}
        for name, path in sorted(files.items()):
            whole.update(f"{name} {_sha256(path)}\n".encode(errors="surrogateescape"))
        if self._about.catalogue is not None:
            whole.update(f"competitions {_sha256(self._about.catalogue)}\n".encode())
        return whole.hexdigest()

    def competitions(self) -> pa.Table:
        """Table `competitions`, by name; `metric_name` is that of the metadata or among the tags."""
        named = {row["competition"] for row in self._rows[0] if row["competition"]}
        names = sorted(named | set(self._about.folders))
        return table("competitions", [self._about.competition(name) for name in names], DATASET)

    def kernels(self) -> pa.Table:
        """Table `kernels`, by path: every kernel whose code could be read; `link` if Kaggle numbered it."""
        return table("kernels", self._rows[0], DATASET)

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Table `code_blocks`, kernel after kernel: code and markdown cells; a script is one code block."""
        rows: list[tuple[str, int, str, str]] = []
        held = 0
        for kernel, _, cells in self._read([]):
            for number, cell in enumerate(cells):
                rows.append((kernel.kernel, number, cell.kind, cell.text))
                held += len(cell.text)
                if held >= _BATCH_CHARACTERS:
                    yield _batch(rows)
                    rows, held = [], 0
        if rows:
            yield _batch(rows)

    def unreadable(self) -> pa.Table:
        """Table `dropped`; rows of the table named "note" are remarks, nothing was dropped there."""
        problems = [*self._pulled.problems, *self._rows[1], *self._about.problems()]
        return table("dropped", [dict(each) for each in problems], DATASET)

    @cached_property
    def _pulled(self) -> Pulled:
        return find_kernels(self._root)

    @cached_property
    def _rows(self) -> tuple[list[dict[str, Any]], list[Problem]]:
        """The rows of table `kernels`, and the kernels whose code could not be read."""
        rows: list[dict[str, Any]] = []
        problems: list[Problem] = []
        listings: dict[str, dict[str, dict[str, Any]]] = {}
        for kernel, spoken, cells in self._read(problems):
            listed: dict[str, Any] = {}
            if kernel.competition:
                if kernel.competition not in listings:
                    listings[kernel.competition] = self._about.listing(kernel.competition)
                listed = listings[kernel.competition].get(kernel.reference.lower(), {})
            votes = listed.get("votes")
            title = kernel.title or listed.get("title")
            rows.append(
                {
                    "kernel": kernel.kernel,
                    "competition": kernel.competition,
                    "title": title,
                    "link": f"{KAGGLE}code/{kernel.reference}" if kernel.on_kaggle else None,
                    "language": spoken,
                    "kind": kernel.kind,
                    "score": listed.get("score"),
                    "listed": listed.get("listed"),
                    "stated_score": stated_score(title or "", ((cell.kind, cell.text) for cell in cells)),
                    "votes": kernel.votes if votes is None else votes,
                    "comments": listed.get("comments"),
                }
            )
        return rows, problems

    def _read(self, problems: list[Problem]) -> Iterator[tuple[PulledKernel, str | None, list[Cell]]]:
        """Every kernel with its language and cells; those that cannot be read are added to `problems`."""
        for kernel in self._pulled.kernels:
            try:
                content = (self._root / kernel.path).read_bytes()
                if kernel.path.suffix.lower() in NOTEBOOKS:
                    book = read_notebook(content)
                    yield kernel, kernel.language or language(book.language), book.cells
                else:
                    yield kernel, kernel.language, [Cell("code", read_script(content))]
            except (NotReadable, OSError) as error:
                reason = "broken notebook" if kernel.path.suffix.lower() in NOTEBOOKS else "broken script"
                problems.append(
                    problem("kernels", kernel.kernel, reason, f"{kernel.path}: {error}", kernel.competition)
                )


def _batch(rows: list[tuple[str, int, str, str]]) -> pa.RecordBatch:
    columns = [list(column) for column in zip(*rows, strict=True)]
    schema = DATASET["code_blocks"]
    arrays = [
        pa.array(column, field.type)
        for column, field in zip([*columns, [None] * len(rows)], schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
