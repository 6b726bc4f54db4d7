"""Examples without a place: how they are asked for in training.

Generation asks for places. A model that meets them only in a small ranked corpus takes them for a sign of
that corpus: asked for the first place, it writes what stood there, whatever the competition. So solutions
that nothing ranks are asked for in turn without a place and in each of the places. They say nothing of rank,
and leave the places to differ in what the ranked ones tell.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from linguacodus_core.dataset.examples import asked
from linguacodus_core.training.heldout import PLACES

TURNS = (None, *PLACES)


def in_turn(
    rows: Iterable[Mapping[str, Any]],
    competitions: Mapping[str, Mapping[str, Any]],
    contexts: Mapping[str, int],
    prompt_set: str,
) -> Iterator[Mapping[str, Any]]:
    """The rows, those of place null with the prompt of the next turn, counted within each competition.

    competitions: rows of `competitions` by name; contexts: tokens that their prompts are made for.
    """
    turns: dict[str, int] = {}
    for row in rows:
        if row["place"] is not None:
            yield row
            continue
        name = row["competition"]
        turn = turns[name] = turns.get(name, -1) + 1
        prompt = asked(prompt_set, competitions[name], TURNS[turn % len(TURNS)], contexts[name])
        yield row if isinstance(prompt, str) else {**row, "prompt": prompt}
