"""The examples of one or several dataset versions joined: training side, held-out side, their
competitions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from linguacodus_core.dataset.version import Version, open_version
from linguacodus_core.errors import TrainingError
from linguacodus_core.progress import say, warn
from linguacodus_core.training.config import PromptSet

SHOWN = 5
"""Names that a message lists."""
CONTEXT = 8192
"""Tokens that a version's prompts are made for where its manifest does not say."""

WHY_NONE = {
    "paper": "the set paper names a place, a metric and a kind of data: it takes ranked solutions only; "
    'choose prompt_set = "default", or rebuild from kernels with scores',
    "default": "rebuild with --prompt-sets default,paper",
}


@dataclass(frozen=True)
class Material:
    """What a fine-tune is made from.

    train, heldout: rows of `examples`, by competition and example. competitions: rows of `competitions` by
    name; contexts: by name, tokens that its prompts are made for. instructions: rows of `instructions` of
    both sides' competitions, each once. places: by solution.
    """

    versions: tuple[str, ...]
    train: tuple[Mapping[str, Any], ...]
    heldout: tuple[Mapping[str, Any], ...]
    competitions: Mapping[str, Mapping[str, Any]]
    contexts: Mapping[str, int]
    instructions: tuple[Mapping[str, Any], ...]
    places: Mapping[str, int | None]

    def about(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """The competitions of some examples, by name."""
        return {name: self.competitions[name] for name in sorted({row["competition"] for row in rows})}


def opened(names: Sequence[str]) -> list[Version]:
    """The versions of those names. Raises DatasetError for an unknown one, TrainingError for one named
    twice."""
    versions = [open_version(name) for name in names]
    for version, count in Counter(version.name for version in versions).items():
        if count > 1:
            raise TrainingError(f"the dataset version {version} is named {count} times", "name it once")
    return versions


def read(versions: Sequence[Version], prompt_set: PromptSet) -> Material:
    """The examples of a prompt set out of these versions, each once; the first version that has it counts.

    Held out are validation and test together. A training example whose code stands in the held-out side of
    another version is left out. Raises TrainingError: no examples of that set, none to train on, none held
    out, a competition on both sides; DatasetError for a damaged version.
    """
    _refuse_both_sides(versions)
    rows = _examples(versions, prompt_set)
    train = [row for row in rows if row["split"] == "train"]
    heldout = [row for row in rows if row["split"] != "train"]
    competitions, contexts = _competitions(versions, {row["competition"] for row in rows})
    places, train = _without_held_out_code(versions, train, {row["competition"] for row in heldout})
    _refuse_empty_side(versions, train, heldout)
    for side, part in (("to train on", train), ("held out", heldout)):
        found = Counter(row["competition"] for row in part)
        say(f"{len(part):,} examples {side}, of {len(found)} competitions: {_listed(sorted(found))}")
    return Material(
        versions=tuple(version.name for version in versions),
        train=tuple(train),
        heldout=tuple(heldout),
        competitions=competitions,
        contexts=contexts,
        instructions=tuple(_instructions(versions, set(competitions))),
        places=places,
    )


def _examples(versions: Sequence[Version], prompt_set: str) -> list[dict[str, Any]]:
    columns = ["example", "split", "prompt_set", "competition", "solution", "instruction", "place"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    there: Counter[str] = Counter()
    for version in versions:
        table = version.table("examples", [*columns, "prompt", "completion"])
        there.update(table["prompt_set"].to_pylist())
        for row in table.filter(pc.field("prompt_set") == prompt_set).to_pylist():
            found.setdefault((row["solution"], row["completion"][-1]["content"]), row)
    if not there:
        raise TrainingError(
            f"{_named(versions)} no examples at all", "see why: linguacodus dataset card; then rebuild"
        )
    if not found:
        sets = ", ".join(f"{name} ({count:,})" for name, count in sorted(there.items()))
        raise TrainingError(
            f"{_named(versions)} no examples of the prompt set {prompt_set}; there are: {sets}",
            WHY_NONE[prompt_set],
        )
    return sorted(found.values(), key=lambda row: (row["competition"], row["example"]))


def _refuse_both_sides(versions: Sequence[Version]) -> None:
    sides: dict[str, set[bool]] = {}
    for version in versions:
        for row in version.table("examples", ["competition", "split"]).to_pylist():
            sides.setdefault(row["competition"], set()).add(row["split"] == "train")
    if both := sorted(name for name, found in sides.items() if len(found) == 2):
        raise TrainingError(
            f"on both sides of the split, to train on and held out: {_listed(both)}",
            "rebuild these sources as one version"
            if len(versions) > 1
            else "that version is damaged: rebuild it",
        )


def _refuse_empty_side(
    versions: Sequence[Version], train: Sequence[Mapping[str, Any]], heldout: Sequence[Mapping[str, Any]]
) -> None:
    if not train:
        raise TrainingError(
            f"{_named(versions)} no examples to train on: all {len(heldout):,} are held out",
            "rebuild with more competitions, or a smaller share of them held out (--held-out 0.1)",
        )
    if not heldout:
        raise TrainingError(
            f"{_named(versions)} no held-out competition, so nothing could tell whether tuning helps",
            "rebuild with three competitions or more, and a larger share of them held out (--held-out 0.2)",
        )


def _competitions(
    versions: Sequence[Version], names: set[str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, int]]:
    rows: dict[str, Mapping[str, Any]] = {}
    contexts: dict[str, int] = {}
    for version in versions:
        for row in version.table("competitions").to_pylist():
            if row["competition"] in names - rows.keys():
                rows[row["competition"]] = row
                contexts[row["competition"]] = int(version.manifest.inputs.get("context") or CONTEXT)
    if missing := sorted(names - rows.keys()):
        raise TrainingError(
            f"{_named(versions)} examples of competitions that they do not describe: {_listed(missing)}",
            "linguacodus dataset verify; then rebuild",
        )
    return rows, contexts


def _without_held_out_code(
    versions: Sequence[Version], train: Sequence[dict[str, Any]], held_out: set[str]
) -> tuple[dict[str, int | None], list[dict[str, Any]]]:
    """(place by solution, the training examples whose code is not that of a held-out solution)."""
    places: dict[str, int | None] = {}
    hashes: dict[str, str] = {}
    outside: set[str] = set()
    for version in versions:
        columns = ["solution", "competition", "place", "code_sha256"]
        for row in version.table("solutions", columns).to_pylist():
            places.setdefault(row["solution"], row["place"])
            hashes.setdefault(row["solution"], row["code_sha256"])
            if row["competition"] in held_out:
                outside.add(row["code_sha256"])
    kept = [row for row in train if hashes.get(row["solution"]) not in outside]
    if left_out := len(train) - len(kept):
        warn(f"{left_out:,} training examples left out: their code stands in the held-out side, too")
    return places, kept


def _instructions(versions: Sequence[Version], competitions: set[str]) -> list[dict[str, Any]]:
    columns = ["instruction", "solution", "competition", "text", "families", "validation"]
    found: dict[str, dict[str, Any]] = {}
    for version in versions:
        for row in version.table("instructions", columns).to_pylist():
            if row["competition"] in competitions:
                found.setdefault(row["instruction"], row)
    return sorted(found.values(), key=lambda row: (row["competition"], row["instruction"]))


def _named(versions: Sequence[Version]) -> str:
    names = ", ".join(version.name for version in versions)
    return f"the dataset version {names} has" if len(versions) == 1 else f"the dataset versions {names} have"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
