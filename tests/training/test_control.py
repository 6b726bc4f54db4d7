from collections import Counter

import pytest

from linguacodus_core.errors import TrainingError
from linguacodus_core.training.control import shuffled


def rows(**sizes: int) -> list[dict[str, object]]:
    return [
        {
            "example": f"{name}{n}",
            "competition": name,
            "prompt": f"ask {name}{n}",
            "completion": f"{name} {n}",
        }
        for name, size in sizes.items()
        for n in range(size)
    ]


def kept(made: list[dict[str, object]]) -> int:
    return sum(str(row["completion"]).split()[0] == row["competition"] for row in made)


@pytest.mark.parametrize("seed", range(5))
def test_no_completion_stays_with_its_competition_where_that_can_be(seed: int) -> None:
    before = rows(a=7, b=5, c=2, d=1)
    made = shuffled(before, seed)
    assert kept(made) == 0
    assert Counter(row["completion"] for row in made) == Counter(row["completion"] for row in before)
    assert [(row["example"], row["prompt"]) for row in made] == [
        (row["example"], row["prompt"]) for row in before
    ]


def test_of_a_competition_with_most_rows_as_few_as_possible_stay() -> None:
    assert kept(shuffled(rows(a=8, b=3), 1)) == 5


def test_the_completions_of_one_competition_go_to_many() -> None:
    made = shuffled(rows(**dict.fromkeys("abcdef", 20)), 3)
    to = {row["competition"] for row in made if str(row["completion"]).startswith("a ")}
    assert len(to) == 5


def test_the_seed_decides() -> None:
    before = rows(a=6, b=6, c=6)
    assert shuffled(before, 1) == shuffled(before, 1) != shuffled(before, 2)


def test_one_competition_alone_cannot_be_shuffled() -> None:
    with pytest.raises(TrainingError, match="all training examples are of a"):
        shuffled(rows(a=3), 1)
