from typing import Any

from linguacodus_core.dataset.examples import asked
from linguacodus_core.training.unranked import TURNS, in_turn

COMPETITIONS = {
    name: {
        "title": name,
        "data_types": ["tabular"],
        "metric": "auc",
        "metric_category": "AUC",
        "direction": "max",
        "description": "Predict which customers leave.",
        "competition": name,
    }
    for name in ("churn", "wine")
}
CONTEXTS = {"churn": 4096, "wine": 8192}


def row(competition: str, number: int, place: int | None) -> dict[str, Any]:
    prompt = asked("default", COMPETITIONS[competition], place, CONTEXTS[competition])
    return {"competition": competition, "example": str(number), "place": place, "prompt": prompt}


def test_ranked_examples_keep_their_prompts() -> None:
    rows = [row("churn", number, number) for number in range(1, 8)]
    assert list(in_turn(rows, COMPETITIONS, CONTEXTS, "default")) == rows


def test_unranked_ones_are_asked_for_without_a_place_and_in_each_in_turn() -> None:
    rows = [row(name, number, None) for number in range(9) for name in ("churn", "wine")]
    found = list(in_turn(rows, COMPETITIONS, CONTEXTS, "default"))
    for name in COMPETITIONS:
        own = [item for item in found if item["competition"] == name]
        assert [item["example"] for item in own] == [str(number) for number in range(9)]
        assert all(item["place"] is None for item in own)
        expected = [asked("default", COMPETITIONS[name], turn, CONTEXTS[name]) for turn in TURNS]
        assert [item["prompt"] for item in own] == [*expected, *expected, expected[0]]
    assert "first place" in str(found[2]["prompt"])


def test_a_prompt_set_that_cannot_ask_leaves_the_example_as_it_is() -> None:
    """The paper's pair needs a metric."""
    unknown = {"churn": {**COMPETITIONS["churn"], "metric": None}}
    rows = [row("churn", number, None) for number in range(4)]
    assert list(in_turn(rows, unknown, CONTEXTS, "paper")) == rows
