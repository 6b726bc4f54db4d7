"""Pairs by execution: of two instructions of a run of `generate`, the one whose program scored better."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core import store
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.dataset.split import splits
from linguacodus_core.dataset.version import Version
from linguacodus_core.errors import TrainingError
from linguacodus_core.instructions.context import defused
from linguacodus_core.progress import warn

RECORD = "run.json"
TABLES = ("candidates", "instructions", "llm_calls")
HELD_OUT = 0.1
"""The share of competitions a split holds out, where no version says otherwise."""
SAME = 0.8
"""Share of a run's description (by sentences) found in a competition's, from which they are the same task."""
_DESCRIPTION = re.compile(r"<description>\n(.*?)\n</description>", re.DOTALL)

Row = dict[str, Any]


@dataclass(frozen=True)
class _Scored:
    """An instruction, the best score of its programs, and the prompt that asks for such a one."""

    text: str
    score: float
    prompt: list[dict[str, str]]


@dataclass(frozen=True)
class _Run:
    folder: Path
    slug: str
    title: str
    direction: str
    scored: tuple[_Scored, ...]

    @property
    def description(self) -> str:
        """What the prompts say of the task."""
        asked = self.scored[0].prompt[-1]["content"] if self.scored else ""
        found = _DESCRIPTION.search(asked)
        return found[1] if found else asked


def run_pairs(
    source: str, versions: Sequence[Version], sides: Mapping[str, str], prompt_set: str
) -> Iterator[Row]:
    """Rows of `pairs` (without their names) from a folder of results, or all that lie below it.

    An instruction counts by its best program. sides: competition -> train or heldout, for the competitions of
    the versions; a run on another task gets its side as a dataset version would draw it. A run without two
    scored instructions, or one of another prompt set, is left out with a warning.
    Raises TrainingError for a folder without results, or with damaged ones.
    """
    runs = [run for folder in _folders(source) if (run := _read(folder, prompt_set))]
    names = _names(runs, versions, sides)
    for run, (competition, side) in zip(runs, names, strict=True):
        for one, other in combinations(run.scored, 2):
            if one.score == other.score or one.text == other.text:
                continue
            first = (one.score > other.score) == (run.direction == "max")
            better, worse = (one, other) if first else (other, one)
            yield {
                "split": side,
                "competition": competition,
                "prompt": better.prompt,
                "chosen": [{"role": "assistant", "content": better.text}],
                "rejected": [{"role": "assistant", "content": worse.text}],
                "origin": "runs",
                "gap": abs(one.score - other.score),
            }


def _folders(source: str) -> list[Path]:
    place = Path(source).expanduser()
    found = sorted(
        record.parent
        for record in place.rglob(RECORD)
        if all((record.parent / f"{name}.parquet").is_file() for name in TABLES)
    )
    if not found:
        problem = "holds no results of generate" if place.is_dir() else "is no folder"
        raise TrainingError(
            f"{place} {problem}",
            f'give the --out folder of a run ({RECORD} and its tables), a folder of several, or "places"',
        )
    return found


def _read(folder: Path, prompt_set: str) -> _Run | None:
    """The run in that folder; None, with a warning, where no two of its instructions can be compared."""
    try:
        record = store.read_json(folder / RECORD)
        tables = {name: store.read_table(folder / f"{name}.parquet") for name in TABLES}
        rows = {name: table.to_pylist() if table else [] for name, table in tables.items()}
        run = _Run(
            folder,
            slug=record["task"]["slug"],
            title=record["task"]["title"],
            direction=record["direction"],
            scored=tuple(_scored(rows, record["direction"], prompt_set)),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise TrainingError(
            f"the results in {folder} are damaged: {type(error).__name__}: {error}",
            "leave that folder out, or run generate there again",
        ) from error
    if len(run.scored) < 2:
        warn(
            f"preferences: {folder} has {len(run.scored)} scored instructions of the prompt set "
            f"{prompt_set}; a pair takes two"
        )
        return None
    return run


def _scored(rows: Mapping[str, Sequence[Row]], direction: str, prompt_set: str) -> Iterator[_Scored]:
    """The instructions of a run whose programs were scored."""
    best: dict[str, float] = {}
    choose = max if direction == "max" else min
    for row in rows["candidates"]:
        name, score = row["instruction"], row["score"]
        if name and row["status"] == "scored" and score is not None and math.isfinite(score):
            best[name] = choose(score, best.get(name, score))
    by_name = {row["instruction"]: row for row in rows["instructions"]}
    messages = {row["key"]: json.loads(row["messages"]) for row in rows["llm_calls"]}
    for name, score in best.items():
        asked = _asking(by_name[name], by_name) if name in by_name else None
        if asked is None or not asked["prompt"].startswith(f"{prompt_set}/"):
            continue
        known = [messages[key] for key in json.loads(asked["calls"]) if key in messages]
        if known:
            yield _Scored(by_name[name]["text"], score, known[-1])


def _asking(instruction: Row, by_name: Mapping[str, Row]) -> Row | None:
    """The instruction whose prompt asks for such a one: itself, or the best of those it was refined from.

    What refines is another role's model; the tuned one is asked for an instruction, from the task alone.
    """
    if instruction["kind"] == "raw":
        return instruction
    parents = [by_name[name] for name in json.loads(instruction["parents"]) if name in by_name]
    raw = [row for row in parents if row["kind"] == "raw"]
    return min(raw, key=lambda row: (row["place"] or math.inf, row["instruction"]), default=None)


def _names(
    runs: Sequence[_Run], versions: Sequence[Version], sides: Mapping[str, str]
) -> list[tuple[str, str]]:
    """(competition, side) of each run.

    A run on a task that a version knows, by name, title or description, stands on that competition's side,
    whatever the task's folder was called: else a held-out competition would be trained on.
    """
    known = [
        row
        for version in versions
        for row in version.table("competitions", ["competition", "title", "description"]).to_pylist()
        if row["competition"] in sides
    ]
    found = [_known(run, known) for run in runs]
    drawn = _drawn([run for run, name in zip(runs, found, strict=True) if not name], versions, known)
    return [
        (name, sides[name]) if name else (run.slug, drawn[run.slug])
        for run, name in zip(runs, found, strict=True)
    ]


def _known(run: _Run, known: Sequence[Row]) -> str | None:
    title, said = run.title.casefold(), _sentences(run.description)
    for row in known:
        if run.slug == row["competition"] or title == (row["title"] or "").casefold():
            return str(row["competition"])
        there = _sentences(defused(row["description"] or ""))
        if said and len(said & there) >= SAME * len(said):
            return str(row["competition"])
    return None


def _sentences(text: str) -> set[str]:
    parts = re.split(r"(?<=[.!?])\s+|\n\s*\n", text)
    return {words for part in parts if len(words := " ".join(part.casefold().split())) >= 20}


def _drawn(runs: Sequence[_Run], versions: Sequence[Version], known: Sequence[Row]) -> dict[str, str]:
    """The side of each run's task that no version knows, as the versions' own split would have drawn it."""
    if not runs:
        return {}
    inputs = versions[0].manifest.inputs if versions else {}
    tasks = {row["competition"]: row["description"] for row in known}
    tasks |= {run.slug: run.description for run in runs}
    split = splits(
        pa.table({"competition": list(tasks), "description": pa.array(tasks.values(), pa.string())}),
        float(inputs.get("held_out", HELD_OUT)),
        float(inputs.get("curation", {}).get("similarity", CurationOptions().similarity)),
    )
    return {run.slug: "train" if split[run.slug] == "train" else "heldout" for run in runs}
