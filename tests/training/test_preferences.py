"""Pairs to prefer by: by place, and by what runs of generate scored."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from linguacodus_core import store
from linguacodus_core.dataset.version import Version
from linguacodus_core.errors import TrainingError
from linguacodus_core.tables import table
from linguacodus_core.training.preferences import MOST, pairs
from linguacodus_core.training.tables import TRAINING
from tests.training.versions import publish, solved

pytestmark = pytest.mark.usefixtures("home")

Row = dict[str, Any]


def ranked(name: str, scores: Sequence[float | None], **changes: Any) -> list[tuple[Row, Row]]:
    """Solutions of the places 1, 2, ... with these scores."""
    made = [solved(name, place, place, **changes) for place in range(1, len(scores) + 1)]
    return [(row | {"score": score}, told) for (row, told), score in zip(made, scores, strict=True)]


def version(**solutions: list[tuple[Row, Row]]) -> Version:
    """Competitions rain, snow (training) and wind (held out) with those solutions."""
    sides = {"rain": "train", "snow": "train", "wind": "validation"}
    return publish(sides, each=0, more=solutions)


def found(versions: Sequence[Version], *sources: str | Path, prompt_set: str = "default") -> list[Row]:
    made = pairs(versions, [str(source) for source in sources], prompt_set)
    assert made.schema.equals(TRAINING["pairs"])
    return list(made.to_pylist())


def said(messages: Sequence[Row]) -> str:
    return str(messages[-1]["content"])


def number(messages: Sequence[Row]) -> int:
    """The place of the solution that an instruction of versions.solved() was made from."""
    return int(said(messages).split("model ")[1].split()[0])


def test_the_better_place_is_preferred_and_its_prompt_asked() -> None:
    made = version(rain=ranked("rain", [0.9, 0.8, 0.7]), wind=ranked("wind", [0.5, 0.4]))
    rows = found([made], "places")
    assert {(row["competition"], number(row["chosen"]), number(row["rejected"]), row["gap"]) for row in rows} == {
        ("rain", 1, 2, 1.0), ("rain", 1, 3, 2.0), ("rain", 2, 3, 1.0), ("wind", 1, 2, 1.0),
    }  # fmt: skip
    assert {row["competition"]: row["split"] for row in rows} == {"rain": "train", "wind": "heldout"}
    assert {row["origin"] for row in rows} == {"places"}
    for row in rows:
        place = {1: "first", 2: "second"}[number(row["chosen"])]
        assert f"took the {place} place" in said(row["prompt"])
        assert f"The {row['competition']} challenge" in said(row["prompt"])
    assert len({row["pair"] for row in rows}) == len(rows)


def test_a_gap_that_is_not_clear_gives_no_pair() -> None:
    """Equal scores; neighbours without scores; unranked ones; the same words."""
    tied = ranked("rain", [0.9, 0.9, 0.7])
    listed = ranked("snow", [None, None, None])
    same = [(row, told | {"text": "The same words."}) for row, told in ranked("wind", [0.5, 0.4])]
    unranked = [solved("wind", 8, None), solved("wind", 9, None)]
    rows = found([version(rain=tied, snow=listed, wind=same + unranked)], "places")
    assert {(row["competition"], number(row["chosen"]), number(row["rejected"])) for row in rows} == {
        ("rain", 1, 3), ("rain", 2, 3), ("snow", 1, 3),
    }  # fmt: skip


def test_a_large_competition_gives_no_more_than_its_share_and_all_its_best_are_preferred() -> None:
    made = version(rain=ranked("rain", [1 - 0.01 * place for place in range(30)]))
    rows = found([made], "places")
    assert len(rows) == MOST
    assert {number(row["chosen"]) for row in rows} == set(range(1, MOST + 1))
    assert all(number(row["chosen"]) < number(row["rejected"]) for row in rows)
    gaps = [row["gap"] for row in rows]
    assert max(gaps) > 10  # not neighbours alone
    assert rows == found([made], "places")


def test_prompts_are_those_of_the_job_s_prompt_set() -> None:
    made = version(rain=ranked("rain", [0.9, 0.8]))
    (row,) = found([made], "places", prompt_set="paper")
    assert said(row["prompt"]).startswith("Get the main information")


def test_places_of_two_versions_are_not_compared() -> None:
    one = publish({"rain": "train"}, each=0, more={"rain": ranked("rain", [0.9, 0.8])})
    more = [(row | {"score": 0.2}, told) for row, told in [solved("rain", 3, 1, source="b")]]
    two = publish({"rain": "train"}, each=0, more={"rain": more}, source="b")
    assert len(found([one, two], "places")) == 1


def test_without_sources_there_is_no_pair_and_with_sources_one_to_train_on_is_needed() -> None:
    made = version(wind=ranked("wind", [0.5, 0.4]))
    assert found([made]) == []
    with pytest.raises(TrainingError, match="all 1 pairs are of held-out competitions"):
        found([made], "places")
    with pytest.raises(TrainingError, match="no competition has two ranked solutions"):
        found([version(rain=ranked("rain", [0.5]))], "places")


def instruction(name: str, place: int | None, text: str, *calls: str, parents: Sequence[str] = ()) -> Row:
    return {
        "instruction": name,
        "kind": "raw" if place else "refined",
        "place": place,
        "text": text,
        "parents": json.dumps(parents),
        "prompt": "default/instruction@2" if place else "default/critique@1 + default/resolve@1",
        "calls": json.dumps(calls),
    }


ASKED = (
    instruction("i1", 1, "First idea.", "nonsense", "k1"),
    instruction("i2", 2, "Second idea.", "k2"),
    instruction("i3", 3, "Third idea.", "k3"),
    instruction("r", None, "All ideas.", "critique", "resolve", parents=["i3", "i2"]),
)


def run(
    folder: Path,
    scores: Sequence[tuple[str | None, float | None]],
    *,
    direction: str = "max",
    slug: str = "task",
    title: str = "Sun",
    description: str = "Will the sun shine tomorrow?",
    instructions: Sequence[Row] = ASKED,
) -> Path:
    """The results of a run. scores: of each candidate, the instruction it was made from and what it scored."""
    candidates = [
        {
            "candidate": f"c{at}",
            "instruction": name,
            "score": score,
            "status": "scored" if score is not None else "crashed",
        }
        for at, (name, score) in enumerate(scores)
    ]
    keys = [key for row in instructions for key in json.loads(row["calls"])]
    calls = []
    for key in keys:
        asked = (
            f"<task>\nTitle: {title}\n<description>\n{description}\n</description>\n</task>\nasked as {key}"
        )
        messages = [{"role": "system", "content": "You advise."}, {"role": "user", "content": asked}]
        calls.append({"key": key, "messages": json.dumps(messages)})
    store.write_table(folder / "candidates.parquet", table("candidates", candidates))
    store.write_table(
        folder / "instructions.parquet", table("instructions", [dict(row) for row in instructions])
    )
    store.write_table(folder / "llm_calls.parquet", table("llm_calls", calls))
    store.write_json(folder / "run.json", {"direction": direction, "task": {"slug": slug, "title": title}})
    return folder


def train_on(**more: Any) -> Version:
    """A version whose own pairs do not matter."""
    return version(rain=ranked("rain", [0.9, 0.8]), **more)


SCORES = (("i1", 0.7), ("i1", 0.2), ("i2", 0.8), ("i3", None), (None, 0.99))


@pytest.mark.parametrize(("direction", "better"), [("max", "Second idea."), ("min", "First idea.")])
def test_the_instruction_whose_best_program_scored_better_is_preferred(
    tmp_path: Path, direction: str, better: str
) -> None:
    (row,) = found([train_on()], run(tmp_path / "out", SCORES, direction=direction))
    worse = ({"First idea.", "Second idea."} - {better}).pop()
    assert (said(row["chosen"]), said(row["rejected"])) == (better, worse)
    assert row["chosen"][0]["role"] == "assistant"
    assert row["gap"] == pytest.approx(0.1 if direction == "max" else 0.6)
    assert (row["origin"], row["competition"]) == ("runs", "task")
    asked = {"Second idea.": "asked as k2", "First idea.": "asked as k1"}[better]
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert said(row["prompt"]).endswith(asked)


def test_equal_scores_give_no_pair(tmp_path: Path) -> None:
    rows = found([train_on()], run(tmp_path, [("i1", 0.7), ("i2", 0.7), ("i3", 0.5)]))
    assert {(said(row["chosen"]), said(row["rejected"])) for row in rows} == {
        ("First idea.", "Third idea."), ("Second idea.", "Third idea."),
    }  # fmt: skip


def test_a_refined_instruction_is_asked_for_as_the_best_of_those_it_came_from(tmp_path: Path) -> None:
    (row,) = found([train_on()], run(tmp_path, [("r", 0.9), ("i1", 0.5)]))
    assert said(row["chosen"]) == "All ideas."
    assert said(row["prompt"]).endswith("asked as k2")


def test_a_folder_of_several_runs_gives_the_pairs_of_all_and_each_once(tmp_path: Path) -> None:
    run(tmp_path / "a", [("i1", 0.7), ("i2", 0.8)])
    run(tmp_path / "b" / "deep", [("i1", 0.7), ("i2", 0.8)], title="Moon", slug="moon")
    run(tmp_path / "copy", [("i1", 0.7), ("i2", 0.8)])
    rows = found([train_on()], tmp_path, tmp_path / "a")
    assert {row["competition"] for row in rows} == {"task", "moon"}
    assert len(rows) == 2


def test_a_run_on_a_held_out_competition_is_held_out_whatever_its_folder_was_called(tmp_path: Path) -> None:
    """Known by its name, its title, or its description; the data profile of a prompt does not hide that."""
    about = "Predict the wind of each row. Submissions are evaluated on AUC.\n\nThe data are of 1999, from a tower."
    known = publish(
        {"rain": "train", "snow": "train", "wind": "validation"},
        each=2,
        about={"wind": {"title": "How strong a wind", "description": about}},
    )
    run(tmp_path / "name", SCORES, slug="wind")
    run(tmp_path / "title", SCORES, title="how strong a Wind")
    run(tmp_path / "words", SCORES, description=about.replace("\n\n", "\n[...]\n\n"))
    other = "Predict the gravity of each planet. Submissions are evaluated on AUC.\n\nThe data are of 1999, from afar."
    run(tmp_path / "other", SCORES, slug="planet", title="Gravity", description=other)
    sides = {(row["competition"], row["split"]) for row in found([known], tmp_path)}
    assert sides == {("wind", "heldout"), ("planet", "train")}


def test_a_task_that_no_version_knows_is_drawn_as_a_version_would_draw_it(tmp_path: Path) -> None:
    """By its name, so that it is the same every time, and some are held out."""
    names = [f"task-{at}" for at in range(40)]
    for name in names:
        run(
            tmp_path / name,
            [("i1", 0.7), ("i2", 0.8)],
            slug=name,
            title=name,
            description=f"About {name} itself alone.",
        )
    rows = found([train_on()], tmp_path)
    sides = {row["competition"]: row["split"] for row in rows}
    assert set(sides) == set(names)
    held_out = {name for name, side in sides.items() if side == "heldout"}
    drawn = publish(dict.fromkeys(names, "train"), each=0)
    from linguacodus_core.dataset.split import splits

    expected = splits(drawn.table("competitions", ["competition", "description"]), 0.1, 0.8)
    assert held_out == {name for name in names if expected[name] != "train"}
    assert 0 < len(held_out) < len(names)


def test_a_run_with_one_scored_instruction_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path / "good", [("i1", 0.7), ("i2", 0.8)])
    run(tmp_path / "poor", [("i1", 0.7), (None, 0.9)])
    with caplog.at_level("WARNING", logger="linguacodus"):
        assert len(found([train_on()], tmp_path)) == 1
    assert f"{tmp_path / 'poor'} has 1 scored instructions" in caplog.text
    with pytest.raises(TrainingError, match="holds no run with two instructions that scored differently"):
        found([train_on()], tmp_path / "poor")
    assert len(found([train_on()], tmp_path / "poor", "places")) == 1


def test_runs_of_another_prompt_set_are_left_out(tmp_path: Path) -> None:
    run(tmp_path, [("i1", 0.7), ("i2", 0.8)])
    with pytest.raises(TrainingError, match="there is no pair"):
        found([train_on()], tmp_path, prompt_set="paper")


def test_an_instruction_whose_call_is_not_known_gives_no_pair(tmp_path: Path) -> None:
    folder = run(tmp_path, [("i1", 0.7), ("i2", 0.8), ("i3", 0.9)])
    calls = store.read_table(folder / "llm_calls.parquet").to_pylist()
    store.write_table(
        folder / "llm_calls.parquet", table("llm_calls", [row for row in calls if row["key"] != "k3"])
    )
    assert [said(row["chosen"]) for row in found([train_on()], folder)] == ["Second idea."]


def test_a_source_without_results_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=rf"{tmp_path} holds no results of generate"):
        found([train_on()], tmp_path)
    with pytest.raises(TrainingError, match="is no folder"):
        found([train_on()], tmp_path / "gone")


def test_damaged_results_are_refused_by_name(tmp_path: Path) -> None:
    folder = run(tmp_path / "out", SCORES)
    (folder / "candidates.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TrainingError, match=rf"the results in {folder} are damaged"):
        found([train_on()], tmp_path)


def test_pairs_come_in_one_order_from_any_order_of_sources(tmp_path: Path) -> None:
    one, two = run(tmp_path / "a", SCORES), run(tmp_path / "b", SCORES, slug="b", title="Moon")
    made = train_on()
    rows = found([made], one, two, "places")
    assert rows == found([made], "places", two, one)
    assert all(a["competition"] <= b["competition"] for a, b in pairwise(rows))
