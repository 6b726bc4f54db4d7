"""The plan route with recorded and made-up replies."""

import ast
import json

import pytest

from linguacodus_core.errors import UnusableReply
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.synthesis.fields import describe
from linguacodus_core.synthesis.plan import PipelinePlan, schema_for
from linguacodus_core.synthesis.plan_route import write_plan
from tests.replay import RECORDINGS, Replay
from tests.shop import shop

INSTRUCTION = Instruction(
    id="place-2-x", kind="raw", place=2, text="Use CatBoost.", model="m", prompt="default/instruction@1"
)
PLAN = {"idea": "boost", "family": "catboost", "size": "low"}


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict:
    spec, profile, _ = shop(tmp_path_factory.mktemp("shop"))
    return {"spec": spec, "profile": profile, "seed": 0}


def test_a_plan_becomes_a_program_that_says_where_it_came_from(about) -> None:
    client = Replay({"plan": [json.dumps(PLAN)]})
    candidate = write_plan(client, INSTRUCTION, history=("floor: accuracy 0.7",), **about)
    assert (candidate.route, candidate.label) == ("plan", "plan of second place: catboost")
    assert candidate.instruction == "place-2-x"
    assert candidate.plan is not None
    assert PipelinePlan.model_validate(candidate.plan).family == "catboost"
    assert candidate.calls == ("plan-1",)
    ast.parse(candidate.program)
    (asked,) = client.asked["plan"]
    assert "Use CatBoost." in asked["text"]
    assert "floor: accuracy 0.7" in asked["text"]
    assert "higher is better" in asked["text"]
    assert asked["temperature"] == 0.7


def test_without_instruction_or_history_the_prompt_does_not_speak_of_them(about) -> None:
    client = Replay({"plan": [json.dumps(PLAN)]})
    assert write_plan(client, None, **about).label == "plan of no instruction: catboost"
    text = client.asked["plan"][0]["text"]
    assert "<instruction>" not in text
    assert "Tried so far" not in text


def test_wrong_fields_are_mended_and_noted(about) -> None:
    wrong = PLAN | {
        "size": "gigantic",
        "surprise": 1,
        "features": [{"op": "ratio", "a": "age", "b": "no such column"}],
    }
    candidate = write_plan(Replay({"plan": [json.dumps(wrong)]}), None, **about)
    assert candidate.repairs
    assert candidate.origin["plan"].startswith("model; ")
    assert candidate.plan is not None
    assert candidate.plan["family"] == "catboost"
    ast.parse(candidate.program)


def test_no_plan_is_asked_again_and_then_given_up(about) -> None:
    client = Replay({"plan": ["I would use LightGBM.", json.dumps(PLAN)]})
    assert write_plan(client, None, **about).plan is not None
    assert len({call["seed"] for call in client.asked["plan"]}) == 2
    for reply in ("", "nonsense", "{}"):
        with pytest.raises(UnusableReply, match="no plan"):
            write_plan(Replay({"plan": [reply]}), None, **about)


def test_the_fields_are_told_in_few_words(about) -> None:
    text = describe(schema_for(about["spec"], about["profile"]))
    assert "- family: lightgbm" in text
    assert "income" in text
    assert len(text) < 4000


@pytest.mark.parametrize("model", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_recorded_plans_of_real_models_render(about, model: str) -> None:
    client = Replay.recorded(model)
    for _ in range(2):
        candidate = write_plan(client, INSTRUCTION, **about)
        ast.parse(candidate.program)
