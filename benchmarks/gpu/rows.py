"""Which examples are trained on and held out: those of a dataset version, repeated where more are needed.

A small version has fewer rows than a measurement needs steps. A repeated competition gets its description in
another order of sentences and so is a competition of its own: no prompt is shared by more rows than in the
version, and by `PER_COMPETITION` at most.
"""

import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from linguacodus_core.dataset.version import open_version

PER_COMPETITION = 18
"""Rows of one competition: the paper's corpus has 7,023 instructions for 396 descriptions."""
SENTENCE = 20
"""Letters that a sentence has; what is shorter (a tag, a heading) stays where it is."""
COLUMNS = ["example", "split", "competition", "place", "prompt", "completion", "prompt_set"]

Row = dict[str, Any]


def read(dataset: str) -> list[Row]:
    """The examples of a version (its name, `latest`, or its folder), in the set that generation asks with.

    Raises DatasetError: there is no such version. Raises SystemExit: it has no such examples.
    """
    folder = Path(dataset)
    if folder.is_dir():
        found = pq.read_table(folder / "examples.parquet", columns=COLUMNS)
    else:
        found = open_version(dataset).table("examples", COLUMNS)
    rows = [row for row in found.to_pylist() if row.pop("prompt_set") == "default"]
    if {row["split"] == "train" for row in rows} != {True, False}:
        raise SystemExit(f"{dataset} needs examples of the prompt set default, for training and held out")
    return sorted(rows, key=lambda row: row["example"])


def chosen(rows: list[Row], split: str, count: int) -> list[Row]:
    """`count` rows of a split (`train`, or all others for `heldout`), repeated as told above."""
    groups = list(_groups([row for row in rows if (row["split"] == "train") == (split == "train")]))
    made: list[Row] = []
    turn = 0
    while len(made) < count:
        for group in groups:
            made += _again(group, turn) if turn else group
        turn += 1
    return made[:count]


def as_examples(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table of a job folder."""
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def _groups(rows: list[Row]) -> "list[list[Row]]":
    """Rows of one competition each, at most PER_COMPETITION; a larger competition becomes several."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row["competition"], []).append(row)
    made = []
    for name in sorted(by_name):
        for number, start in enumerate(range(0, len(by_name[name]), PER_COMPETITION)):
            part = by_name[name][start : start + PER_COMPETITION]
            made.append(_again(part, number, "part") if number else part)
    return made


def _again(group: list[Row], turn: int, what: str = "turn") -> list[Row]:
    """The rows of a competition, what their prompts share in another order of sentences."""
    contents = [row["prompt"][-1]["content"] for row in group]
    first, last = min(contents), max(contents)  # what these two share, all share
    shared = next((at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), 0)
    head = first[: first.rfind("\n", 0, shared or len(first)) + 1]
    pieces = re.split(r"(?<=[.!?] )|(?<=\n)", head)
    movable = [at for at, piece in enumerate(pieces) if len(piece) >= SENTENCE]
    moved = random.Random(f"{what} {turn}").sample(movable, len(movable))
    places = dict(zip(movable, moved, strict=True))
    other = "".join(pieces[places.get(at, at)] for at in range(len(pieces)))
    return [
        {
            **row,
            "example": f"{row['example']}-{what}{turn}",
            "competition": f"{row['competition']}-{what}{turn}",
            "prompt": [
                *row["prompt"][:-1],
                {**row["prompt"][-1], "content": other + row["prompt"][-1]["content"][len(head) :]},
            ],
        }
        for row in group
    ]
