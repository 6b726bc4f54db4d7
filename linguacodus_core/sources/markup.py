"""Labelled code cells: which vertex of the taxonomy people gave to which code (Code4ML's markup_data.csv)."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from linguacodus_core.sources.csv_columns import CsvColumns
from linguacodus_core.sources.notes import Problem, note, shorten
from linguacodus_core.sources.text_columns import ids, numbers
from linguacodus_core.tables import DATASET, TEXT


class Labels:
    """The labels of a markup file, by code: "class.subclass" where the names are known, else the number.

    markup: columns code_block, graph_vertex_id, marks (how sure they were, 5 is best); None: no labels.
    vertices: columns graph_vertex_id, graph_vertex, graph_vertex_subclass; None: the names are not known.
    """

    def __init__(self, markup: CsvColumns | None, vertices: CsvColumns | None) -> None:
        self._markup = markup
        self._vertices = vertices
        self.problems: list[Problem] = []
        """Rows that could not be read and codes with several labels: complete once a label was asked for."""

    def of(self, code: Any) -> Any:
        """The labels of an Arrow column of codes; null for a code that nobody labelled."""
        codes, labels = self._by_code
        if not len(codes):
            return pa.nulls(len(code), TEXT)
        return labels.take(pc.index_in(code, value_set=codes))

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """The labelled cells as table `code_blocks`: kernel null, `block` the row's number from 0."""
        labelled = self._read
        yield from pa.table(
            [
                pa.nulls(labelled.num_rows, TEXT),
                pa.array(range(labelled.num_rows), pa.int64()),
                pa.repeat("code", labelled.num_rows),
                labelled["code_block"],
                labelled["label"],
            ],
            schema=DATASET["code_blocks"],
        ).to_batches()

    @cached_property
    def _read(self) -> pa.Table:
        """Columns code_block, label, marks (0 where unknown), in the file's order."""
        if self._markup is None:
            return pa.table(
                {
                    "code_block": pa.array([], TEXT),
                    "label": pa.array([], TEXT),
                    "marks": pa.array([], pa.float64()),
                }
            )
        read = self._markup.table_of_text()
        self.problems += self._markup.problems
        label = ids(read["graph_vertex_id"])
        names = self._names()
        if names.num_rows:
            place = pc.index_in(label, value_set=names["number"].combine_chunks())
            label = pc.coalesce(names["name"].take(place), label)
        return pa.table(
            {
                "code_block": read["code_block"],
                "label": label,
                "marks": pc.fill_null(numbers(read["marks"]), 0.0),
            }
        )

    @cached_property
    def _by_code(self) -> tuple[Any, Any]:
        """Codes without repetition and their labels: of several, the one of highest marks, then the first."""
        best: dict[str, tuple[float, str]] = {}
        several: dict[str, set[str]] = {}
        for row in self._read.to_pylist():
            if row["label"] is None:
                continue
            several.setdefault(row["code_block"], set()).add(row["label"])
            if row["code_block"] not in best or row["marks"] > best[row["code_block"]][0]:
                best[row["code_block"]] = (row["marks"], row["label"])
        self.problems += [
            note(
                shorten(code, 80), "several labels", f"{', '.join(sorted(labels))}: {best[code][1]} is taken"
            )
            for code, labels in several.items()
            if len(labels) > 1
        ]
        return pa.array(best, TEXT), pa.array([label for _, label in best.values()], TEXT)

    def _names(self) -> pa.Table:
        """Columns number and name of the taxonomy's vertices."""
        if self._vertices is None:
            return pa.table({"number": pa.array([], TEXT), "name": pa.array([], TEXT)})
        read = self._vertices.table_of_text()
        self.problems += self._vertices.problems
        name = pc.if_else(
            pc.equal(pc.fill_null(read["graph_vertex_subclass"], ""), ""),
            read["graph_vertex"],
            pc.binary_join_element_wise(read["graph_vertex"], read["graph_vertex_subclass"], "."),
        )
        return pa.table({"number": ids(read["graph_vertex_id"]), "name": name})
