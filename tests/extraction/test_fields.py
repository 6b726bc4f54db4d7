"""The record of an instruction, the schema that a model fills, and the text that is made of it."""

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from linguacodus_core.extraction.fields import (
    MOST_WORDS,
    InstructionFields,
    as_text,
    from_reply,
    instruction_schema,
)
from linguacodus_core.extraction.vocabulary import FAMILIES, VALIDATIONS
from linguacodus_core.synthesis.plan import Family


def reply(**changes: Any) -> dict[str, Any]:
    return {
        "preprocessing": "Age is filled with the median.",
        "architecture": "A LightGBM classifier with 31 leaves.",
        "training": "5-fold cross-validation.",
        "libraries": ["scikit-learn", "LightGBM", "tensorflow.keras"],
        "families": ["lightgbm"],
        "validation": "kfold",
        "features": ["Title from Name"],
        "hyperparameters": [{"name": "num_leaves", "value": "31"}],
    } | changes


def objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        own = [schema] if schema.get("type") == "object" else []
        return own + [found for value in schema.values() for found in objects(value)]
    return [found for value in schema for found in objects(value)] if isinstance(schema, list) else []


def test_the_families_of_plans_are_among_the_families() -> None:
    assert set(get_args(Family)) <= set(FAMILIES)
    assert all(FAMILIES.values())
    assert all(VALIDATIONS.values())


def test_the_schema_is_strict_and_bounded() -> None:
    schema = instruction_schema()
    Draft202012Validator.check_schema(schema)
    assert objects(schema)
    for found in objects(schema):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])
    text = json.dumps(schema)
    assert text.count('"type": "array"') == text.count('"maxItems"')
    assert "patternProperties" not in text


def test_a_reply_under_the_schema_is_a_record() -> None:
    raw = reply(
        hyperparameters=[
            {"name": "num_leaves", "value": "31"},
            {"name": "learning_rate", "value": "0.05"},
            {"name": "bagging", "value": "true"},
            {"name": "objective", "value": "binary"},
            {"name": " ", "value": "7"},
        ]
    )
    assert not list(Draft202012Validator(instruction_schema()).iter_errors(raw))
    fields = from_reply(raw)
    assert fields.hyperparameters == {
        "num_leaves": 31,
        "learning_rate": 0.05,
        "bagging": True,
        "objective": "binary",
    }
    assert fields.libraries == ("sklearn", "lightgbm", "tensorflow")
    assert fields.families == ("lightgbm",)


def test_headings_and_doubles_of_a_reply_are_dropped() -> None:
    fields = from_reply(
        reply(training="Model training:  it is\nfitted.", families=["svm", "svm"], features=["a", "a", ""])
    )
    assert fields.training == "it is fitted."
    assert fields.families == ("svm",)
    assert fields.features == ("a",)


@pytest.mark.parametrize("changes", [{"families": ["boosting"]}, {"validation": "cv"}])
def test_words_outside_the_vocabularies_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        from_reply(reply(**changes))


def test_the_record_is_frozen_and_takes_no_other_field() -> None:
    fields = from_reply(reply())
    with pytest.raises(ValidationError):
        fields.training = "else"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        InstructionFields(preprocessing="", architecture="", training="", idea="x")  # type: ignore[call-arg]


def test_the_text_has_three_paragraphs_in_order() -> None:
    assert as_text(from_reply(reply())) == (
        "Data preprocessing: Age is filled with the median.\n\n"
        "Model architecture: A LightGBM classifier with 31 leaves.\n\n"
        "Model training: 5-fold cross-validation."
    )


def test_a_section_that_is_empty_is_left_out() -> None:
    assert as_text(from_reply(reply(preprocessing=""))).startswith("Model architecture:")


@pytest.mark.parametrize(
    "long",
    [
        "A step is done here. " * 200,
        "New columns are made: " + "; ".join(f"a{n} = b{n} + c{n}" for n in range(200)) + ".",
    ],
)
def test_a_long_text_gives_up_its_ends(long: str) -> None:
    text = as_text(from_reply(reply(preprocessing=long)))
    assert len(text.split()) <= MOST_WORDS + 10
    assert "Model architecture: A LightGBM classifier with 31 leaves." in text
    assert text.split("\n\n")[0].endswith(".")
