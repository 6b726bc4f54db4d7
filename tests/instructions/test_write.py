"""Instructions of a place and the refined one, with recorded and made-up replies."""

import pytest

from linguacodus_core.errors import UnusableReply
from linguacodus_core.instructions.refine import refine
from linguacodus_core.instructions.write import write_instruction
from tests.replay import RECORDINGS, Replay
from tests.shop import shop

GOOD = "Data preprocessing: fill age with its median. Model architecture: LightGBM with 300 trees. Model training: five folds."
OTHER = "Data preprocessing: drop the name. Model architecture: a forest of 500 trees. Model training: one fit on all rows."
CRITIQUE = "Option 1 ignores the city column. Option 2 has no validation at all. Best option: 1"


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict:
    spec, profile, _ = shop(tmp_path_factory.mktemp("shop"))
    return {"spec": spec, "profile": profile, "prompt_set": "default", "seed": 3}


def test_places_are_asked_for_at_temperature_07_with_seeds_of_their_own(about) -> None:
    client = Replay({"instruction": [GOOD, OTHER]})
    first, second = (write_instruction(client, place=place, **about) for place in (1, 2))
    assert (first.kind, first.place, first.text, first.calls) == ("raw", 1, GOOD, ("instruction-1",))
    assert first.id != second.id
    asked = client.asked["instruction"]
    assert [call["temperature"] for call in asked] == [0.7, 0.7]
    assert asked[0]["seed"] != asked[1]["seed"]
    assert "first place" in asked[0]["text"]
    assert "second place" in asked[1]["text"]
    assert "income" in asked[0]["text"]


def test_nonsense_is_asked_again_with_another_seed(about) -> None:
    client = Replay({"instruction": ["0 0 0 0", GOOD]})
    made = write_instruction(client, place=1, **about)
    assert made.text == GOOD
    assert len(made.calls) == 2
    assert len({call["seed"] for call in client.asked["instruction"]}) == 2


@pytest.mark.parametrize("reply", ["", "%%%% ####", "Fill it with the median. " * 50])
def test_nonsense_twice_is_an_error_that_says_so(about, reply: str) -> None:
    client = Replay({"instruction": [reply]})
    with pytest.raises(UnusableReply, match="instruction of the third place is no use"):
        write_instruction(client, place=3, **about)
    assert len(client.asked["instruction"]) == 2


def test_the_resolver_sees_task_options_and_critique(about) -> None:
    client = Replay(
        {"instruction": [GOOD, OTHER], "critique": [CRITIQUE], "resolve": [GOOD + " Seeds are averaged."]}
    )
    raw = [write_instruction(client, place=place, **about) for place in (1, 2)]
    refined = refine(client, raw=raw, **about)
    (asked,) = client.asked["resolve"]
    for part in (GOOD, OTHER, CRITIQUE, "Who comes back?"):
        assert part in asked["text"]
    assert (refined.kind, refined.place, refined.critique) == ("refined", None, CRITIQUE)
    assert refined.parents == tuple(item.id for item in raw)
    assert refined.calls == ("critique-1", "resolve-1")


def test_refining_fails_in_words(about) -> None:
    client = Replay({"instruction": [GOOD], "critique": ["..."]})
    raw = [write_instruction(client, place=1, **about)]
    with pytest.raises(UnusableReply, match="critique"):
        refine(client, raw=raw, **about)
    with pytest.raises(UnusableReply, match="no instruction to refine"):
        refine(client, raw=[], **about)


def test_the_papers_prompts_do_too(about) -> None:
    client = Replay({"instruction": [GOOD, OTHER], "critique": [CRITIQUE], "resolve": [GOOD]})
    paper = about | {"prompt_set": "paper"}
    raw = [write_instruction(client, place=place, **paper) for place in (1, 2)]
    assert raw[0].prompt.startswith("paper/instruction@")
    assert refine(client, raw=raw, **paper).prompt.startswith("paper/critique@")


def test_a_long_description_in_another_language_is_no_trouble(about) -> None:
    spec = about["spec"].model_copy(update={"description": "Предсказать, вернётся ли клиент. " * 4000})
    client = Replay({"instruction": [GOOD]})
    write_instruction(client, place=1, **(about | {"spec": spec}))
    assert len(client.asked["instruction"][0]["text"]) < 8000


@pytest.mark.parametrize("model", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_recorded_replies_of_real_models_become_instructions(about, model: str) -> None:
    client = Replay.recorded(model)
    raw = [write_instruction(client, place=place, **about) for place in (1, 2, 3)]
    assert len({item.text for item in raw}) == 3
    assert refine(client, raw=raw, **about).critique
