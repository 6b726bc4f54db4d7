"""The staged route: what the model wrote, what was repaired, what fell back; in the real sandbox."""

import ast
import shutil
import threading
import time
from pathlib import Path

import pytest

from linguacodus_core.errors import (
    BudgetExceeded,
    EndpointError,
    LinguacodusError,
    PromptTooLong,
    UnusableReply,
)
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.harness import evaluate
from linguacodus_core.synthesis.dryrun import DryRun
from linguacodus_core.synthesis.skeleton import STAGES, render_skeleton
from linguacodus_core.synthesis.staged import stage_code, write_staged
from linguacodus_core.taskfolder.spec import DataType
from tests.replay import RECORDINGS, Replay
from tests.shop import shop

needs_sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

PREPROCESS = """```python
def preprocess(train, test):
    for frame in (train, test):
        frame["age"] = frame["age"].fillna(train["age"].median())
        frame["income"] = frame["income"].fillna(0)
    X = pd.get_dummies(train[["age", "income", "city"]])
    X_test = pd.get_dummies(test[["age", "income", "city"]])
    return X, train[TARGET], X_test
```"""
BUILD = "```python\ndef build_model(X, y):\n    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5))\n```"
TRAIN = "def train_model(model, X, y):\n    model.fit(X, y)\n    return model\n"
PREDICT = "Here you are:\n\ndef predict(fitted, X_test):\n    return fitted.predict_proba(X_test)\n"
GOOD = {
    "stage_preprocess": [PREPROCESS],
    "stage_build_model": [BUILD],
    "stage_train_model": [TRAIN],
    "stage_predict": [PREDICT],
}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory):
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def dry(task, tmp_path_factory: pytest.TempPathFactory):
    spec, _, split = task
    with DryRun(spec, split, tmp_path_factory.mktemp("dry")) as made:
        yield made


def staged(client: Replay, task, tmp_path: Path, **more):
    spec, profile, split = task
    return write_staged(client, None, spec, profile, split=split, work=tmp_path / "work", seed=0, **more)


@pytest.mark.slow
@needs_sandbox
def test_four_good_stages_are_the_models_and_the_program_scores(task, tmp_path: Path) -> None:
    client = Replay(GOOD)
    candidate = staged(client, task, tmp_path)
    assert candidate.origin == dict.fromkeys(STAGES, "model")
    assert candidate.label == "staged, no instruction: 4 of 4 stages by the model"
    assert len(candidate.calls) == 4
    assert "LogisticRegression(C=0.5)" in candidate.program
    spec, _, split = task
    found = evaluate(
        candidate, spec, split, Limits(wall_seconds=90), work=tmp_path / "w", predictions_dir=tmp_path / "p"
    )
    assert found.status == "scored", found.error
    assert found.score is not None
    assert found.score > 0.6
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.slow
@needs_sandbox
def test_a_stage_sees_its_own_traceback_twice_and_then_falls_back(task, tmp_path: Path) -> None:
    broken = "def build_model(X, y):\n    return LogisticRegression(C=X['no such column'].sum() + {})\n"
    client = Replay(
        GOOD | {"stage_build_model": [broken.format(0), broken.format(2)], "repair": [broken.format(1)]}
    )
    candidate = staged(client, task, tmp_path)
    assert candidate.origin["build_model"].startswith("fallback: ")
    assert "no such column" in candidate.origin["build_model"]
    assert candidate.origin["preprocess"] == "model"
    (first, anew), (mend,) = client.asked["stage_build_model"], client.asked["repair"]
    assert "KeyError" not in first["text"]
    assert "KeyError" in mend["text"]
    assert "sum() + 0" in mend["text"]
    assert "KeyError" in anew["text"]
    assert first["temperature"] < mend["temperature"] < anew["temperature"]
    assert "LGBMClassifier(**settings)" in candidate.program


@pytest.mark.slow
@needs_sandbox
def test_a_stage_that_is_mended_says_so(task, tmp_path: Path) -> None:
    scaled = "def preprocess(train, test):\n    scaler = StandardScaler()\n    X = scaler.fit_transform(train.drop([TARGET], axis=1))\n    return X, train[TARGET], scaler.transform(test.drop([TARGET], axis=1))\n"
    client = Replay(
        GOOD
        | {
            "stage_preprocess": [scaled],
            "stage_build_model": ["def build_model(X, y):\n    retrn LogisticRegression()\n"],
            "repair": [BUILD],
        }
    )
    candidate = staged(client, task, tmp_path)
    assert "text encoded" in candidate.origin["preprocess"]
    assert "target dropped from test" in candidate.origin["preprocess"]
    assert candidate.origin["build_model"].startswith("model, repaired: 1 time from its traceback")
    assert "SyntaxError" in client.asked["repair"][0]["text"]
    assert any(note.startswith("preprocess: ") for note in candidate.repairs)


@needs_sandbox
@pytest.mark.parametrize(
    ("stage", "code", "sign"),
    [
        (
            "preprocess",
            "def preprocess(train, test):\n    return train[['age']], train[TARGET]\n",
            "three values",
        ),
        (
            "preprocess",
            "def preprocess(train, test):\n    return train[['age']].head(50), train['age'].head(50), test[['age']]\n",
            "unchanged",
        ),
        (
            "preprocess",
            "def preprocess(train, test):\n    return train[['age']], train[TARGET], test[['age']].head(3)\n",
            "3 rows",
        ),
        ("train_model", "def train_model(model, X, y):\n    return 'fitted'\n", "AttributeError"),
        (
            "predict",
            "def predict(fitted, X_test):\n    return np.full(len(X_test), np.nan)\n",
            "missing or infinite",
        ),
        (
            "predict",
            "def predict(fitted, X_test):\n    return fitted.predict_proba(X_test)[:5]\n",
            "5 predictions",
        ),
        (
            "build_model",
            "def build_model(X, y):\n    os.system('cp /etc/passwd ./submission.csv')\n    return None\n",
            "returned nothing",
        ),
        (
            "build_model",
            "def build_model(X, y):\n    import socket\n    return socket.create_connection(('1.1.1.1', 80), 3)\n",
            "rror",
        ),
    ],
)
def test_a_broken_contract_is_named(stage: str, code: str, sign: str, dry: DryRun) -> None:
    body, _, wrong = stage_code(code, stage)
    assert wrong == ""
    assert sign in dry.run(render_skeleton(dry.spec, dry.columns, {stage: body}))


@needs_sandbox
@pytest.mark.parametrize("reply", ["", "I cannot do that. " * 300, "```python\n" + "(" * 2000 + "\n```"])
def test_a_model_that_answers_nonsense_gives_no_candidate(reply: str, task, tmp_path: Path) -> None:
    names = [f"stage_{stage}" for stage in STAGES] + ["repair"]
    with pytest.raises(UnusableReply, match="none of the four stages"):
        staged(Replay({name: [reply] for name in names}), task, tmp_path)
    assert not list((tmp_path / "work").iterdir())


@needs_sandbox
def test_when_the_time_is_up_the_rest_falls_back(task, tmp_path: Path) -> None:
    with pytest.raises(UnusableReply, match="the time was up"):
        staged(Replay(GOOD), task, tmp_path, seconds=1.0)


def refusing(stage: str, error: Exception) -> tuple[Replay, list[str]]:
    """A model that is out of reach from a stage on, and the prompts that it was asked."""
    client, asked = Replay(GOOD), []
    complete = client.complete

    def refuse(role, rendered, **more):
        asked.append(rendered.prompt)
        if f"stage_{stage}" in rendered.prompt:
            raise error
        return complete(role, rendered, **more)

    client.complete = refuse  # type: ignore[method-assign]
    return client, asked


@needs_sandbox
def test_when_the_budget_is_spent_the_rest_falls_back_unasked(task, tmp_path: Path) -> None:
    client, asked = refusing("build_model", BudgetExceeded("the budget is spent", ""))
    candidate = staged(client, task, tmp_path)
    for stage in ("build_model", "train_model", "predict"):
        assert candidate.origin[stage] == "fallback: the budget is spent"
    assert candidate.origin["preprocess"].startswith("model")
    assert len(asked) == 2


@needs_sandbox
def test_an_endpoint_that_is_gone_from_the_first_stage_on_is_said_as_such(task, tmp_path: Path) -> None:
    client, asked = refusing("preprocess", EndpointError("cannot reach it", "start it"))
    with pytest.raises(EndpointError, match="cannot reach it"):
        staged(client, task, tmp_path)
    assert len(asked) == 1


@needs_sandbox
def test_a_stage_whose_prompt_is_too_long_leaves_the_others_to_the_model(task, tmp_path: Path) -> None:
    client, _ = refusing("build_model", PromptTooLong("too long", ""))
    candidate = staged(client, task, tmp_path)
    assert candidate.origin["build_model"] == "fallback: too long"
    assert candidate.origin["predict"].startswith("model")


SLEEPY = "def preprocess(train, test):\n    import time\n    time.sleep(50)\n"


@needs_sandbox
def test_closing_the_client_ends_a_stage_that_is_running(task, tmp_path: Path) -> None:
    client = Replay(GOOD | {"stage_preprocess": [SLEEPY + PREPROCESS.split("\n", 2)[2].removesuffix("```")]})
    complete, asked = client.complete, []

    def answer_and_close(*given, **more):
        asked.append(time.monotonic())
        threading.Timer(1.0, client.closing.set).start()
        return complete(*given, **more)

    client.complete = answer_and_close  # type: ignore[method-assign]
    with pytest.raises(LinguacodusError, match="the run ended while"):
        staged(client, task, tmp_path)
    assert len(asked) == 1
    assert time.monotonic() - asked[0] < 8
    assert not list((tmp_path / "work").iterdir())


@needs_sandbox
def test_a_dry_run_takes_no_longer_than_the_time_that_is_left(task, tmp_path: Path) -> None:
    spec, _, split = task
    began = time.monotonic()
    with DryRun(spec, split, tmp_path, until=began + 2.0) as dry:
        assert "wall time is up" in dry.run("import time\ntime.sleep(50)\n")
        assert "the time was up" in dry.run("import time\ntime.sleep(50)\n")
    assert time.monotonic() - began < 8


def test_several_targets_of_named_classes_are_not_for_this_route(task, tmp_path: Path) -> None:
    spec, profile, split = task
    several = spec.model_copy(update={"target_classes": (("no", "yes"), ("low", "mid", "high"))})
    with pytest.raises(LinguacodusError, match="several targets"):
        write_staged(Replay(GOOD), None, several, profile, split=split, work=tmp_path, seed=0)


def test_images_are_not_for_this_route(task, tmp_path: Path) -> None:
    spec, profile, split = task
    pictures = spec.model_copy(update={"data_types": (DataType.IMAGE,), "image_column": "name"})
    with pytest.raises(LinguacodusError, match="image"):
        write_staged(Replay(GOOD), None, pictures, profile, split=split, work=tmp_path, seed=0)


@pytest.mark.parametrize(
    ("reply", "stage", "code"),
    [
        ("def f(x, z):\n    return x\n", "predict", "def predict(x, z):\n    return x\n"),
        (
            "train = pd.read_csv('a.csv')\nK = 3\ndef predict(a, b):\n    return K\nprint(predict(1, 2))\n",
            "predict",
            "K = 3\n\ndef predict(a, b):\n    return K\n",
        ),
        (
            "TARGET = 'x'\ndef predict(a, b):\n    return TARGET\n",
            "predict",
            "def predict(a, b):\n    return TARGET\n",
        ),
        (
            "def train_model(model, X, y):\n    model.fit(X, y)\n",
            "train_model",
            "def train_model(model, X, y):\n    model.fit(X, y)\n    return model\n",
        ),
        (
            "def build_model(X, y):\n    model = Ridge(\n        alpha=1,\n",
            "build_model",
            "def build_model(X, y):\n    model = Ridge(\n        alpha=1\n)\n    return model\n",
        ),
    ],
)
def test_the_function_is_found_in_a_reply(reply: str, stage: str, code: str) -> None:
    found, _, wrong = stage_code(reply, stage)
    assert wrong == ""
    body = found if stage != "build_model" else found.replace("from sklearn.linear_model import Ridge\n", "")
    assert body == code


@pytest.mark.parametrize(
    ("reply", "sign"),
    [
        ("def predict(a):\n    return a\n", "parameters"),
        ("def a(x, y):\n    return x\ndef b(x, y):\n    return y\n", "no function predict"),
        ("def predict(a, b):\n    print(a)\n", "returns nothing"),
        ("x = 1", "no function"),
        ("", "no function"),
    ],
)
def test_what_is_wrong_with_a_reply_is_said(reply: str, sign: str) -> None:
    assert sign in stage_code(reply, "predict")[2]


@pytest.mark.slow
@needs_sandbox
@pytest.mark.parametrize("model", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_the_recorded_stages_of_a_real_model_end_in_a_program(model: str, task, tmp_path: Path) -> None:
    candidate = staged(Replay.recorded(model), task, tmp_path)
    ast.parse(candidate.program)
    assert sum(value.startswith("model") for value in candidate.origin.values()) >= 2
