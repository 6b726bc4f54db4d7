"""The whole and the direct route, with made-up and recorded replies, in the real sandbox."""

import shutil
import threading
import time
from pathlib import Path

import pytest

from linguacodus_core.errors import LinguacodusError, UnusableReply
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.harness import evaluate
from linguacodus_core.synthesis.whole import write_direct, write_whole
from tests.replay import Replay
from tests.shop import shop

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

GOOD = """```python
import pandas as pd
train = pd.read_csv('train.csv')
test = pd.read_csv('/kaggle/input/shop/test.csv')
features = ['age', 'income', 'city']
X = train[features].copy()
X['city'] = X['city'].fillna('none')
model = RandomForestClassifier(n_estimators=20, random_state=0, max_features='auto')
encoder = OneHotEncoder(sparse=False)
A = np.column_stack([X[['age', 'income']].fillna(0), encoder.fit_transform(X[['city']])])
T = test[features].fillna({'city': 'none', 'age': 0, 'income': 0})
B = np.column_stack([T[['age', 'income']], encoder.transform(T[['city']])])
model.fit(A, train['returns'])
pd.DataFrame({'customer': test['customer'], 'returns': model.predict(B)}).to_csv('out.csv')
```"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory):
    return shop(tmp_path_factory.mktemp("shop"))


def whole(client: Replay, task, tmp_path: Path, **more):
    spec, profile, split = task
    return write_whole(client, None, spec, profile, split=split, work=tmp_path / "work", seed=0, **more)


def test_a_program_that_only_needs_repairs_costs_one_call_and_scores(task, tmp_path: Path) -> None:
    client = Replay({"whole": [GOOD]})
    candidate = whole(client, task, tmp_path)
    assert candidate.route == "whole"
    assert candidate.origin == {"program": "model"}
    assert len(candidate.calls) == 1
    assert any("RandomForestClassifier" in note for note in candidate.repairs)
    spec, _, split = task
    found = evaluate(
        candidate, spec, split, Limits(wall_seconds=90), work=tmp_path / "w", predictions_dir=tmp_path / "p"
    )
    assert found.status == "scored", found.error
    assert not list((tmp_path / "work").iterdir())


def test_the_model_sees_its_own_traceback_at_a_higher_temperature(task, tmp_path: Path) -> None:
    client = Replay(
        {"whole": ["```python\nimport pandas as pd\nraise KeyError('Cabin')\n```"], "repair": [GOOD]}
    )
    candidate = whole(client, task, tmp_path)
    assert candidate.origin == {"program": "model"}
    assert any("round 1" in note for note in candidate.repairs)
    (question,) = client.asked["repair"]
    assert "KeyError: 'Cabin'" in question["text"]
    assert question["temperature"] > client.asked["whole"][0]["temperature"]


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("import os\nos.system('echo hi > /etc/x')\nraise SystemExit(3)\n", "Read-only"),
        ("import socket\nsocket.create_connection(('example.org', 80), timeout=5)\n", "rror"),
        ("x ===== 1\n", "SyntaxError"),
        ("x = 1\n", "submission"),
    ],
)
def test_a_program_that_stays_broken_comes_back_with_its_fault(
    task, tmp_path: Path, code: str, sign: str
) -> None:
    client = Replay({"whole": [f"```python\n{code}```"], "repair": [f"```python\n{code}```"]})
    candidate = whole(client, task, tmp_path, rounds=1)
    assert "fails on a sample" in candidate.origin["program"]
    assert sign in candidate.origin["program"]


def test_no_time_left_means_no_repair(task, tmp_path: Path) -> None:
    client = Replay({"whole": ["```python\nraise ValueError('x')\n```"]})
    candidate = whole(client, task, tmp_path, seconds=5.0)
    assert "repair" not in client.asked
    assert "ValueError" in candidate.origin["program"]


def test_closing_the_client_ends_the_program_that_is_running(task, tmp_path: Path) -> None:
    client = Replay({"whole": ["```python\nimport time\ntime.sleep(50)\n```"]})
    threading.Timer(2.0, client.closing.set).start()
    began = time.monotonic()
    with pytest.raises(LinguacodusError, match="the run ended while"):
        whole(client, task, tmp_path)
    assert time.monotonic() - began < 10


def test_a_program_that_hangs_takes_no_longer_than_the_time_that_is_left(task, tmp_path: Path) -> None:
    client = Replay({"whole": ["```python\nimport time\ntime.sleep(50)\n```"]})
    began = time.monotonic()
    candidate = whole(client, task, tmp_path, seconds=4.0)
    assert "time" in candidate.origin["program"].split("fails on a sample")[1]
    assert time.monotonic() - began < 12


def test_an_empty_reply_is_an_error_to_record(task, tmp_path: Path) -> None:
    with pytest.raises(UnusableReply):
        whole(Replay({"whole": [""]}), task, tmp_path)
    spec, profile, _ = task
    with pytest.raises(UnusableReply):
        write_direct(Replay({}), spec, profile, seed=0)


def test_the_paper_asks_for_sections_and_then_integrates_them(task, tmp_path: Path) -> None:
    sections = {
        f"code_{name}": [f"```python\n{name} = 1\n```"]
        for name in ("preprocessing", "architecture", "training", "submission")
    }
    client = Replay(sections | {"integration": [GOOD]})
    candidate = whole(client, task, tmp_path, prompt_set="paper")
    assert len(candidate.calls) == 5
    assert "architecture = 1" in client.asked["integration"][0]["text"]
    assert candidate.origin == {"program": "model"}


def test_direct_takes_the_program_as_it_is(task) -> None:
    spec, profile, _ = task
    candidate = write_direct(
        Replay({"direct": ["```python\nprint(undefined_name)\n```"]}), spec, profile, seed=0
    )
    assert (candidate.route, candidate.program, candidate.repairs) == (
        "direct",
        "print(undefined_name)\n",
        (),
    )
