from collections import Counter
from typing import Any

import pytest

from linguacodus_core.dataset.examples import estimated, examples
from linguacodus_core.errors import TrainingError
from linguacodus_core.training.heldout import ENOUGH, prior, questions, references
from tests.training.versions import CONTEXT, competition, solved


@pytest.mark.parametrize("prompt_set", ["default", "paper"])
def test_a_question_is_word_for_word_the_prompt_of_an_example(prompt_set: str) -> None:
    row = competition("rain")
    made = list(questions({"rain": row}, {"rain": CONTEXT}, prompt_set))
    assert [question["place"] for question in made] == [1, 2, 3]
    pairs = [solved("rain", number, number) for number in (1, 2, 3)]
    table, _ = examples(row, pairs, "test", {}, [prompt_set], CONTEXT, estimated)
    assert [question["prompt"] for question in made] == table["prompt"].to_pylist()


def test_the_paper_cannot_ask_without_a_metric() -> None:
    row = competition("rain", metric=None)
    with pytest.raises(TrainingError, match="cannot ask about the held-out competition rain: no metric"):
        list(questions({"rain": row}, {"rain": CONTEXT}, "paper"))
    assert len(list(questions({"rain": row}, {"rain": CONTEXT}, "default"))) == 3


def test_a_reference_has_its_main_family_and_its_place() -> None:
    instruction = solved("rain", 1, 4)[1]
    none = solved("rain", 2, None)[1] | {"families": []}
    first, second = references([instruction, none], {"rain-1": 4})
    assert (first["family"], first["families"], first["place"]) == ("xgboost", ["xgboost", "linear"], 4)
    assert (second["family"], second["place"], second["validation"]) == (None, None, "holdout")


def done(name: str, family: str, count: int) -> list[dict[str, Any]]:
    return [solved(name, 1, None)[1] | {"competition": name, "families": [family]} for _ in range(count)]


def families(heldout: dict[str, Any], training: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, int]:
    made = list(prior({"x": heldout}, training, rows))
    assert {row["competition"] for row in made} == {"x"}
    return {row["value"]: row["count"] for row in made if row["kind"] == "family"}


def test_the_prior_is_of_the_nearest_kind_of_task_with_enough_solutions() -> None:
    training = {
        "same": competition("same"),
        "kind": competition("kind", metric_category="MSE"),
        "other": competition("other", data_types=["image"]),
    }
    asked = competition("x", data_types=["tabular", "image"])
    few, enough = ENOUGH - 1, ENOUGH
    rest = done("kind", "linear", 5) + done("other", "cnn", 3)
    assert families(asked, training, done("same", "svm", enough) + rest) == {"svm": enough}
    assert families(asked, training, done("same", "svm", few) + rest) == {"svm": few, "linear": 5}
    assert families(asked, training, done("same", "svm", 2) + rest) == {"svm": 2, "linear": 5, "cnn": 3}


def test_a_task_of_no_known_kind_gets_what_all_did() -> None:
    training = {"same": competition("same"), "other": competition("other", data_types=["image"])}
    rows = done("same", "svm", 30) + done("other", "cnn", 30)
    unknown = competition("x", data_types=None, metric_category=None)
    assert families(unknown, training, rows) == {"cnn": 30, "svm": 30}


def test_solutions_without_a_model_count_for_validation_only() -> None:
    row = competition("same")
    rows = [*done("same", "svm", 30), done("same", "svm", 1)[0] | {"families": []}]
    counts: Counter[str] = Counter()
    for made in prior({"x": competition("x")}, {"same": row}, rows):
        counts[made["kind"]] += made["count"]
    assert counts == {"family": 30, "validation": 31}
