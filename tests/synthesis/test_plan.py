"""Plans: the schema allows only runnable plans, and repair makes any plan one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from linguacodus_core.synthesis.plan import (
    MOST_FEATURES,
    Feature,
    PipelinePlan,
    adapt,
    loose_plan,
    repair,
    schema_for,
)
from linguacodus_core.synthesis.prior import prior_plans
from linguacodus_core.synthesis.render import render
from linguacodus_core.synthesis.sample import random_plan
from linguacodus_core.taskfolder.profile import DataProfile, profile
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec


def make_task(folder: Path, kind: str) -> tuple[TaskSpec, DataProfile]:
    """A small task folder of one kind, read and profiled."""
    draw = np.random.default_rng(0)
    rows = 400
    table = pd.DataFrame(
        {
            "id": np.arange(rows),
            "latitude": draw.normal(size=rows),
            "longitude": draw.normal(size=rows),
            "colour": draw.choice(["red", "green", "blue"], rows),
            "name": [f"Mr. {draw.choice(['Ada', 'Bob'])} {n}" for n in range(rows)],
            "wide \"'\n": draw.normal(size=rows),
        }
    )
    wording = {
        "binary": "the area under the ROC curve",
        "regression": "the root mean squared error (RMSE)",
        "series": "SMAPE",
        "text": "F1 score",
    }[kind]
    target: Any = (table["latitude"] > 0).astype(int)
    if kind in ("regression", "series"):
        target = np.exp(draw.normal(size=rows)) * 10
    if kind == "series":
        table = table[["id", "colour"]].assign(
            date=pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d")
        )
    if kind == "text":
        words = ["storm", "sun", "rain", "bridge", "morning", "people", "house", "water", "fire", "help"]
        table = table[["id"]].assign(text=[" ".join(draw.choice(words, 12)) for _ in range(rows)])
    table["target"] = target
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text(
        f"# Task\n\n## Evaluation\n\nSubmissions are evaluated on {wording}.\n"
    )
    train, test = table.iloc[:300], table.iloc[300:]
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns="target").to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(target=0.5 if kind == "binary" else 0).to_csv(
        folder / "data" / "sample_submission.csv", index=False
    )
    spec = read_task(folder)
    return spec, profile(spec)


@pytest.fixture(scope="module", params=["binary", "regression", "series", "text"])
def task(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TaskSpec, DataProfile]:
    return make_task(tmp_path_factory.mktemp(request.param), request.param)


def instances(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a decoder constrained by the schema may answer."""
    if "anyOf" in schema:
        return st.one_of([instances(option) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(instances(schema["items"]), max_size=schema["maxItems"])
    if schema["type"] == "object":
        return st.fixed_dictionaries({name: instances(part) for name, part in schema["properties"].items()})
    return st.text(max_size=schema["maxLength"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_answer_of_a_constrained_decoder_renders(
    task: tuple[TaskSpec, DataProfile], data: st.DataObject
) -> None:
    spec, known = task
    raw = json.loads(json.dumps(data.draw(instances(schema_for(spec, known)))))
    plan = PipelinePlan.model_validate(raw)
    compile(render(plan, spec, effort="small"), "solution.py", "exec")


def test_the_schema_is_closed_short_and_starts_with_the_idea(task: tuple[TaskSpec, DataProfile]) -> None:
    schema = schema_for(*task)
    assert schema["additionalProperties"] is False
    assert next(iter(schema["properties"])) == "idea"
    assert list(schema["properties"]) == schema["required"]
    assert (
        len(json.dumps({name: part.get("enum", [0])[0] for name, part in schema["properties"].items()})) < 900
    )


def test_the_schema_has_only_the_fields_that_apply(tmp_path: Path) -> None:
    binary = schema_for(*make_task(tmp_path / "a", "binary"))["properties"]
    regression = schema_for(*make_task(tmp_path / "b", "regression"))["properties"]
    text = schema_for(*make_task(tmp_path / "c", "text"))["properties"]
    assert "class_weight" in binary
    assert "target" not in binary
    assert "target" in regression
    assert "class_weight" not in regression
    assert "text" in text
    assert "text" not in binary
    assert "catboost" not in text["family"]["enum"]
    assert "naive_bayes" not in regression["family"]["enum"]


def test_the_schema_names_at_most_forty_columns(tmp_path: Path) -> None:
    spec, known = make_task(tmp_path, "binary")
    one = known.features[0]
    many = tuple(
        one.model_copy(update={"name": f"c{n}", "kind": "numeric", "minimum": 0.0}) for n in range(400)
    )
    options = schema_for(spec, known.model_copy(update={"columns": many}))["properties"]["features"]["items"][
        "anyOf"
    ]
    assert max(len(option["properties"]["a"]["enum"]) for option in options) == 40


def test_only_installed_families_are_offered(
    task: tuple[TaskSpec, DataProfile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linguacodus_core.synthesis.plan.find_spec", lambda name: None)
    families = schema_for(*task)["properties"]["family"]["enum"]
    assert not {"lightgbm", "xgboost", "catboost"} & set(families)
    assert families


def test_a_plan_is_closed() -> None:
    with pytest.raises(ValidationError):
        PipelinePlan.model_validate({"family": "lightgbm", "gpu": True})
    with pytest.raises(ValidationError):
        PipelinePlan.model_validate({"features": [{"op": "log", "a": "x"}] * (MOST_FEATURES + 1)})


def test_repair_drops_features_of_absent_columns_and_says_so(tmp_path: Path) -> None:
    spec, known = make_task(tmp_path, "binary")
    features = (
        Feature(op="ratio", a="latitude", b="gone"),
        Feature(op="ratio", a="latitude", b="latitude"),
        Feature(op="log", a="target"),
        Feature(op="log", a="latitude", b="ignored"),
    )
    plan, notes = repair(PipelinePlan(features=features), spec, known)
    assert plan.features == (Feature(op="log", a="latitude"),)
    assert any("gone" in note for note in notes)
    assert any("twice" in note for note in notes)
    assert any("target" in note for note in notes)


def test_repair_resets_what_does_not_apply(tmp_path: Path) -> None:
    spec, known = make_task(tmp_path, "binary")
    plan, notes = repair(PipelinePlan(target="log1p", text="word", validation="time"), spec, known)
    assert (plan.target, plan.text, plan.validation) == ("auto", "none", "stratified")
    assert len(notes) == 3


def test_a_linear_model_gets_the_numbers_it_needs() -> None:
    plan, notes = adapt(PipelinePlan(family="linear", impute="native", encode="native", scale="none"))
    assert (plan.impute, plan.encode, plan.scale) == ("median", "onehot", "standard")
    assert len(notes) == 3


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"family": "gpt"},
        {"family": None, "folds": "5", "seeds": "many", "rare": [1]},
        {"features": "all of them"},
        {"features": [{"op": "explode"}, 7, None, {"op": "log", "a": "latitude"}]},
        {"idea": "x" * 5000, "nonsense": {"deep": [1, 2]}},
    ],
)
def test_anything_becomes_a_plan(raw: dict[str, Any], tmp_path: Path) -> None:
    spec, known = make_task(tmp_path, "binary")
    loose_plan(raw)
    plan, notes = repair(raw, spec, known)
    assert plan == PipelinePlan.model_validate(plan.model_dump())
    assert bool(notes) == (raw != {})
    if "folds" in raw:
        assert plan.folds == 5


def test_repair_leaves_a_fitting_plan_alone(task: tuple[TaskSpec, DataProfile]) -> None:
    for plan in prior_plans(*task):
        assert repair(plan, *task) == (plan, ())


def test_the_priors_start_with_a_fast_floor_and_differ(task: tuple[TaskSpec, DataProfile]) -> None:
    plans = prior_plans(*task)
    assert len(plans) >= 4
    assert (plans[0].folds, plans[0].seeds) == (3, 1)
    assert len({plan.model_dump_json() for plan in plans}) == len(plans)
    assert len({plan.family for plan in plans[:6]}) >= 3
    assert all(plan.idea for plan in plans)
    assert plans == prior_plans(*task)


def test_the_priors_use_coordinates_and_titles(tmp_path: Path) -> None:
    features = [feature for plan in prior_plans(*make_task(tmp_path, "binary")) for feature in plan.features]
    assert Feature(op="rotate", a="latitude", b="longitude") in features
    assert Feature(op="title", a="name") in features


def test_random_plans_are_valid_reproducible_and_varied(task: tuple[TaskSpec, DataProfile]) -> None:
    plans = [random_plan(*task, seed) for seed in range(30)]
    assert plans == [random_plan(*task, seed) for seed in range(30)]
    assert len({plan.family for plan in plans}) >= 4
    assert all(repair(plan, *task)[1] == () for plan in plans)


def test_the_corpus_says_which_family_comes_first_behind_the_floor(
    task: tuple[TaskSpec, DataProfile],
) -> None:
    by_hand = prior_plans(*task)
    last = by_hand[-1].family
    led = prior_plans(*task, {last: 100_000})
    assert led[0] == by_hand[0]
    assert led[1].family == last
    assert sorted(plan.model_dump_json() for plan in led) == sorted(
        plan.model_dump_json() for plan in by_hand
    )


def test_few_solutions_do_not_overrule_the_order_by_hand(task: tuple[TaskSpec, DataProfile]) -> None:
    by_hand = list(dict.fromkeys(plan.family for plan in prior_plans(*task)[1:]))
    led = list(dict.fromkeys(plan.family for plan in prior_plans(*task, {by_hand[-1]: 1})[1:]))
    assert led[:4] == by_hand[:4]
