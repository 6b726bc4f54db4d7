"""Small dataset versions, written table by table, as a rebuild would publish them."""

from collections.abc import Mapping, Sequence
from typing import Any

from linguacodus_core.dataset.examples import estimated, examples
from linguacodus_core.dataset.version import Version
from linguacodus_core.dataset.writer import VersionWriter
from linguacodus_core.tables import DATASET, table

CONTEXT = 4096
SETS = ("default", "paper")


def competition(name: str, **changes: Any) -> dict[str, Any]:
    """A row of `competitions`."""
    return {
        "competition": name,
        "title": f"The {name} challenge",
        "description": f"Predict the {name} of each row. Submissions are evaluated on AUC.",
        "data_types": ["tabular"],
        "metric": "auc",
        "metric_category": "AUC",
        "direction": "max",
    } | changes


def solved(
    name: str, number: int, place: int | None, *, source: str = "", **changes: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A solution of a competition and its instruction."""
    solution = f"{name}-{number}{source}"
    text = (
        f"Data preprocessing: the {name} column {number} is scaled.\n\n"
        f"Model architecture: model {number} of {name}.\n\nModel training: {number} folds."
    )
    row = {"solution": solution, "competition": name, "place": place, "code_sha256": f"code of {solution}"}
    instruction = {
        "instruction": f"i-{solution}",
        "solution": solution,
        "competition": name,
        "text": text,
        "families": ["xgboost", "linear"] if number % 2 else ["linear"],
        "validation": "kfold" if number % 2 else "holdout",
    }
    return row | {key: changes[key] for key in changes if key in row}, instruction | {
        key: changes[key] for key in changes if key in instruction
    }


def publish(
    sides: Mapping[str, str],
    *,
    each: int = 3,
    ranked: bool = True,
    sets: Sequence[str] = SETS,
    about: Mapping[str, Mapping[str, Any]] | None = None,
    more: Mapping[str, Sequence[tuple[dict[str, Any], dict[str, Any]]]] | None = None,
    source: str = "",
) -> Version:
    """A version with so many solutions of each competition. sides: competition -> split.

    about: other values of a competition's row; more: further solutions by competition; source: makes the
    solutions other ones.
    """
    competitions, solutions, instructions, parts = [], [], [], []
    for name, split in sides.items():
        row = competition(name, **(about or {}).get(name, {}))
        pairs = [
            solved(name, number, number if ranked else None, source=source) for number in range(1, each + 1)
        ]
        pairs += (more or {}).get(name, [])
        competitions.append(row)
        solutions += [solution for solution, _ in pairs]
        instructions += [instruction for _, instruction in pairs]
        parts.append(examples(row, pairs, split, {}, sets, CONTEXT, estimated)[0])
    made = {
        "competitions": [table("competitions", competitions, DATASET)],
        "solutions": [table("solutions", solutions, DATASET)],
        "instructions": [table("instructions", instructions, DATASET)],
        "examples": parts,
    }
    with VersionWriter() as writer:
        for name in DATASET:
            writer.add(name, made.get(name, []))
        return writer.publish({"source": source or "test", "extractor": "static", "context": CONTEXT})[0]
