"""What the measurement is held against: the questions on held-out competitions, what was done there, the
prior."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from linguacodus_core.dataset.examples import asked
from linguacodus_core.errors import TrainingError

PLACES = (1, 2, 3)
"""The places that generation asks for."""

ENOUGH = 20
"""Solutions that a cell of the prior must count; with fewer, a wider one is taken."""


def questions(
    competitions: Mapping[str, Mapping[str, Any]], contexts: Mapping[str, int], prompt_set: str
) -> Iterator[dict[str, Any]]:
    """Rows of table `asked`: each held-out competition, each place.

    competitions: rows of `competitions` by name; contexts: tokens that their prompts are made for. Raises
    TrainingError for one that the prompt set cannot ask about.
    """
    for name, competition in sorted(competitions.items()):
        for place in PLACES:
            prompt = asked(prompt_set, competition, place, contexts[name])
            if isinstance(prompt, str):
                raise TrainingError(
                    f"the prompt set {prompt_set} cannot ask about the held-out competition {name}: {prompt}",
                    'tune with prompt_set = "default", or rebuild the dataset with that competition known',
                )
            yield {"competition": name, "place": place, "prompt": prompt}


def references(
    instructions: Iterable[Mapping[str, Any]], places: Mapping[str, int | None]
) -> Iterator[dict[str, Any]]:
    """Rows of table `references` of instructions of held-out competitions. places: by solution."""
    for row in instructions:
        families = list(row["families"] or ())
        yield {
            "competition": row["competition"],
            "instruction": row["instruction"],
            "place": places.get(row["solution"]),
            "family": families[0] if families else None,
            "families": families,
            "validation": row["validation"],
            "text": row["text"],
        }


def prior(
    heldout: Mapping[str, Mapping[str, Any]],
    training: Mapping[str, Mapping[str, Any]],
    done: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Rows of table `prior`: for each held-out competition, what solutions of its kind did on the training
    side.

    heldout, training: rows of `competitions` by name. done: instructions of training solutions. Of its kind:
    with its first data type among theirs, and its metric category; where those are fewer than ENOUGH, any
    metric; where those are, too, all.
    """
    for name, competition in sorted(heldout.items()):
        for kind, counts in _counts(_cell(competition, training, done)):
            for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                yield {"competition": name, "kind": kind, "value": value, "count": count}


def _cell(
    competition: Mapping[str, Any],
    training: Mapping[str, Mapping[str, Any]],
    done: Sequence[Mapping[str, Any]],
) -> Sequence[Mapping[str, Any]]:
    kind = next(iter(competition["data_types"] or ()), None)
    alike = {name for name, row in training.items() if kind in (row["data_types"] or ())}
    category = competition["metric_category"]
    nearest = {name for name in alike if category and training[name]["metric_category"] == category}
    for names in (nearest, alike):
        found = [row for row in done if row["competition"] in names]
        if len(found) >= ENOUGH:
            return found
    return done


def _counts(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, Counter[str]], ...]:
    families = Counter(str(row["families"][0]) for row in rows if row["families"])
    return ("family", families), ("validation", Counter(str(row["validation"]) for row in rows))
