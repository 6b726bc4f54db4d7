"""Code4ML (arXiv 2210.16018, Zenodo 6607065 and 11213783): a release's CSV files as a source.

    code_blocks.csv         one row a cell: kernel, place in the kernel, code
    kernels_meta.csv        one row a kernel: competition, score (release 2.0: or rank), votes, comments, link
    competitions_meta.csv   one row a competition: description, metric, data type, subject, problem type
    markup_data.csv         a sample of cells that people labelled with the number of a taxonomy vertex
    vertices.csv            those numbers -> class and subclass

A cell gets the label of the labelled cell with the same code. Without vertices.csv a label stays a number:
the list of names that the authors publish apart (taxonomy_names_graph_v7.txt) has 61 lines without numbers,
while the labels are 70 different numbers up to 88, so that the order of its lines is not the numbering.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.csv_columns import Column, CsvColumns, find_file
from linguacodus_core.sources.markup import Labels
from linguacodus_core.sources.notes import Problem, note, problem
from linguacodus_core.sources.text_columns import counts, ids, links, numbers, texts
from linguacodus_core.tables import DATASET, table

STEMS = {
    "code_blocks": ("code_blocks",),
    "kernels": ("kernels_meta", "kernels", "notebooks"),
    "competitions": ("competitions_meta", "competitions"),
    "markup": ("markup_data", "murkup_data"),
    "vertices": ("vertices", "actual_graph"),
}
"""How the file of each role begins, the usual name first."""

COLUMNS = {
    "code_blocks": (
        Column("kernel_id", ("kaggle_id", "notebook_id"), required=True),
        Column("code_block_id", ("block_id", "cell_id"), required=True),
        Column("code_block", ("code_blocks", "code"), required=True),
    ),
    "kernels": (
        Column("kernel_id", ("kaggle_id", "notebook_id", "id"), required=True),
        Column("comp_name", ("competition", "competition_name", "comp"), required=True),
        Column("kaggle_score", ("score", "public_score", "best_public_score")),
        Column("rank", ("kaggle_rank", "place"), usual=False),
        Column("kaggle_comments", ("comments",)),
        Column("kaggle_upvotes", ("upvotes", "kaggle_votes", "votes")),
        Column("kernel_link", ("kaggle_link", "link", "ref_link", "ref")),
    ),
    "competitions": (
        Column("comp_name", ("competition", "competition_name", "comp", "slug"), required=True),
        Column("description", ("comp_description", "task"), required=True),
        Column("metric", ("evaluation_metric", "metric_name", "metrics"), required=True),
        Column("title", ("comp_title", "competition_title"), usual=False),
        Column("ref_link", ("ref", "comp_link", "competition_link", "link")),
        Column("comp_type", ("competition_type",)),
        Column("data_type", ("type_of_data",)),
        Column("subject", ("comp_subject",)),
        Column("problem_type", ("task_type",)),
    ),
    "markup": (
        Column("code_block", ("code_blocks", "code"), required=True),
        Column("graph_vertex_id", ("vertex_id", "vertex"), required=True),
        Column("marks", ("mark",)),
    ),
    "vertices": (
        Column("graph_vertex_id", ("id", "vertex_id", "vertices_id"), required=True),
        Column("graph_vertex", ("graph_vertex_class", "class", "vertex_name", "name"), required=True),
        Column("graph_vertex_subclass", ("subclass",)),
    ),
}
"""The columns of each role under our names, and what releases call them."""


class Code4MLSource:
    """A folder with the CSV files of a Code4ML release, `.gz` allowed.

    A folder that holds only the labelled sample is one too: its cells belong to no kernel that could be told
    from another, so that `kernels` and `competitions` are empty and the cells' kernel is null.
    """

    name = "code4ml"

    def __init__(self, folder: Path) -> None:
        """Raises CorpusError, at once, for a missing file or column; only the headers are read."""
        if not folder.is_dir():
            raise CorpusError(f"{folder} is not a folder", "give the folder that holds code_blocks.csv")
        self._files: dict[str, CsvColumns] = {}
        self._unread: list[Path] = []
        self._block_problems: list[Problem] = []
        for role, stems in STEMS.items():
            path, unread = find_file(folder, stems)
            if path is not None:
                self._files[role] = CsvColumns(path, COLUMNS[role], role)
            self._unread += unread
        main = ("code_blocks", "kernels", "competitions")
        missing = [STEMS[role][0] + ".csv" for role in main if role not in self._files]
        if missing and not (len(missing) == len(main) and "markup" in self._files):
            present = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
            raise CorpusError(
                f"{folder} has no {' and no '.join(missing)}; it has {present}",
                "give the folder of a release: code_blocks.csv, kernels_meta.csv and competitions_meta.csv",
            )
        if "kernels" in self._files:
            self._files["kernels"].need_one_of("kaggle_score", "rank")

    def fingerprint(self) -> str:
        """The SHA-256 (hex) of the files' contents by role, and of the names of files that stay unread."""
        whole = hashlib.sha256()
        for role, file in sorted(self._files.items()):
            try:
                with file.path.open("rb") as stream:
                    whole.update(f"{role} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
            except OSError as error:
                raise CorpusError(f"{file.path} cannot be read: {error.strerror}") from error
        for path in self._unread:
            whole.update(f"unread {path.name}\n".encode())
        return whole.hexdigest()

    def competitions(self) -> pa.Table:
        """Table `competitions`; a name that occurs again is in `unreadable`.

        `metric_name` and `data_types` are as the release writes them; `tags` hold the competition's type,
        subject and kind of problem.
        """
        return self._competitions()[0]

    def kernels(self) -> pa.Table:
        """Table `kernels`; `listed` is release 2.0's rank. An id that occurs again is in `unreadable`."""
        return self._kernels()[0]

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Table `code_blocks` in the file's order, all of kind code.

        Raises CorpusError, possibly after the last batch, where the file is cut or badly quoted.
        """
        self._block_problems = []
        labels = Labels(self._files.get("markup"), self._files.get("vertices"))
        if "code_blocks" not in self._files:
            yield from labels.blocks()
            self._block_problems = labels.problems
            return
        file = self._files["code_blocks"]
        found: list[Problem] = []
        for batch in file.batches():
            kernel, block = ids(batch["kernel_id"]), counts(batch["code_block_id"])
            whole = pc.and_(pc.is_valid(kernel), pc.is_valid(block))
            if not pc.all(whole).as_py():
                found += _nameless(batch.filter(pc.invert(whole)))
                kernel, block, batch = kernel.filter(whole), block.filter(whole), batch.filter(whole)
            code = batch["code_block"]
            yield pa.RecordBatch.from_arrays(
                [kernel, block, pa.repeat("code", batch.num_rows), code, labels.of(code)],
                schema=DATASET["code_blocks"],
            )
        self._block_problems = [*labels.problems, *file.problems, *found]

    def unreadable(self) -> pa.Table:
        """Table `dropped`; rows of the table named "note" are remarks, nothing was dropped there."""
        rows: list[Problem] = [
            note(path.name, "file not read", "another file has its role") for path in self._unread
        ]
        rows += [*self._competitions()[1], *self._kernels()[1], *self._block_problems]
        return table("dropped", [dict(row) for row in rows], DATASET)

    def _competitions(self) -> tuple[pa.Table, list[Problem]]:
        file = self._files.get("competitions")
        if file is None:
            return DATASET["competitions"].empty_table(), []
        read = file.table_of_text()
        firsts, problems = _firsts(read, texts(read["comp_name"]), "competitions", file.path.name)
        rows: list[dict[str, Any]] = []
        for row in firsts.set_column(
            firsts.schema.get_field_index("ref_link"), "ref_link", links(firsts["ref_link"])
        ).to_pylist():
            said = {key: (value or "").strip() or None for key, value in row.items()}
            name = said["comp_name"] or ""
            rows.append(
                {
                    "competition": name,
                    "title": said["title"] or (name if " " in name else None),
                    "description": said["description"],
                    "link": said["ref_link"],
                    "data_types": _several(said["data_type"]),
                    "metric_name": said["metric"],
                    "tags": [said[key] for key in ("comp_type", "subject", "problem_type") if said[key]],
                }
            )
        return table("competitions", rows, DATASET), [*file.problems, *problems]

    def _kernels(self) -> tuple[pa.Table, list[Problem]]:
        file = self._files.get("kernels")
        schema = DATASET["kernels"]
        if file is None:
            return schema.empty_table(), []
        read = file.table_of_text()
        firsts, problems = _firsts(read, ids(read["kernel_id"]), "kernels", file.path.name)
        known = {
            "kernel": ids(firsts["kernel_id"]),
            "competition": texts(firsts["comp_name"]),
            "link": links(firsts["kernel_link"]),
            "language": pa.repeat("python", firsts.num_rows),
            "kind": pa.repeat("notebook", firsts.num_rows),
            "score": numbers(firsts["kaggle_score"]),
            "listed": counts(firsts["rank"]),
            "votes": counts(firsts["kaggle_upvotes"]),
            "comments": counts(firsts["kaggle_comments"]),
        }
        columns = [known.get(field.name, pa.nulls(firsts.num_rows, field.type)) for field in schema]
        return pa.table(columns, schema=schema), [*file.problems, *problems]


def _firsts(read: pa.Table, key: Any, name: str, file: str) -> tuple[pa.Table, list[Problem]]:
    """The first row of each key, in the file's order, and what is said of the other rows."""
    rows = pa.table({"key": key, "row": pa.array(range(read.num_rows), pa.int64())})
    first = (
        rows.filter(pc.is_valid(rows["key"])).group_by("key").aggregate([("row", "min")])["row_min"].sort()
    )
    others = rows.filter(pc.invert(pc.is_in(rows["row"], value_set=first))).to_pylist()
    problems = [
        problem(name, each["key"], "duplicate id", file)
        if each["key"]
        else problem(name, f"{file} row {each['row'] + 1}", "no id")
        for each in others
    ]
    return read.take(first), problems


def _nameless(rows: pa.RecordBatch) -> list[Problem]:
    return [
        problem(
            "code_blocks",
            f"{row['kernel_id']} {row['code_block_id']}",
            "no kernel id or no block number",
            row["code_block"],
        )
        for row in rows.to_pylist()
    ]


def _several(text: str | None) -> list[str] | None:
    """The values in a cell that names one or several."""
    if text is None:
        return None
    for separator in (";", "|"):
        text = text.replace(separator, ",")
    return [part.strip() for part in text.split(",") if part.strip()]
