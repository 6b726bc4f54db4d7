"""The control that must fail: the training side with completions of other competitions."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from linguacodus_core.errors import TrainingError

MIXING = 20
"""Random exchanges a row, after which nothing is left of the order that they began with."""


def shuffled(rows: Sequence[Mapping[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The rows with their completions permuted: none keeps one of its own competition where that can be.

    It cannot for the surplus of a competition that has more than half of the rows; then as few as possible
    do. rows: of table `train`. Raises TrainingError when they are of one competition only.
    """
    owners = sorted({row["competition"] for row in rows})
    if len(owners) < 2:
        raise TrainingError(
            "the control needs completions of other competitions, and all training examples are of "
            f"{owners[0] if owners else 'none'}",
            "use a dataset with two training competitions or more",
        )
    draw = random.Random(seed)
    grouped = [row for owner in owners for row in rows if row["competition"] == owner]
    most = max(sum(row["competition"] == owner for row in rows) for owner in owners)
    given = [grouped[(place + most) % len(grouped)] for place in range(len(grouped))]
    for _ in range(MIXING * len(grouped)):
        one, other = draw.randrange(len(grouped)), draw.randrange(len(grouped))
        if _foreign(grouped[one], given[other]) and _foreign(grouped[other], given[one]):
            given[one], given[other] = given[other], given[one]
    completions = {id(row): donor["completion"] for row, donor in zip(grouped, given, strict=True)}
    return [{**row, "completion": completions[id(row)]} for row in rows]


def _foreign(row: Mapping[str, Any], donor: Mapping[str, Any]) -> bool:
    return bool(row["competition"] != donor["competition"])
