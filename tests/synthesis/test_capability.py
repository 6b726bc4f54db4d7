"""Which models may write whole programs."""

import shutil
import threading
import time
from pathlib import Path

import pytest

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.synthesis.capability import check
from tests.replay import RECORDINGS, Replay

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

ABLE = """```python
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
def table(frame):
    return pd.DataFrame({"age": frame["age"].fillna(50), "income": frame["income"].fillna(50000), "lima": frame["city"] == "Lima"})
model = RandomForestClassifier(random_state=0).fit(table(train), train["bought"])
pd.DataFrame({"id": test["id"], "bought": model.predict_proba(table(test))[:, 1]}).to_csv("submission.csv", index=False)
```"""


def verdict(reply: str, tmp_path: Path):
    return check(Replay({"capability": [reply]}), work=tmp_path)


def test_a_right_program_opens_every_route(tmp_path: Path) -> None:
    found = verdict(ABLE, tmp_path)
    assert (found.whole, found.staged) == (True, True), found.evidence
    assert found.able == {"staged", "whole"}
    assert found.calls == ("capability-1",)
    assert not list(tmp_path.iterdir())


def test_closing_the_client_ends_the_trial_without_a_verdict(tmp_path: Path) -> None:
    client = Replay({"capability": ["```python\nimport time\ntime.sleep(50)\n```"]})
    threading.Timer(1.0, client.closing.set).start()
    began = time.monotonic()
    with pytest.raises(LinguacodusError, match="the run ended while"):
        check(client, work=tmp_path)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("reply", "staged", "sign"),
    [
        (ABLE.replace(".fillna(50)", ".fillna(nothing)"), True, "NameError"),
        (
            ABLE.replace(
                "model.predict_proba(table(test))[:, 1]", "1 - model.predict_proba(table(test))[:, 1]"
            ),
            True,
            "right",
        ),
        (ABLE.replace("submission.csv", "out.csv"), True, "no ./submission.csv"),
        (ABLE.replace('"id": test["id"]', '"id": test["id"] + 1'), True, "other ids"),
        ("```python\nimport os\nos.system('reboot')\n```", False, "submission"),
        ("def f(:\n", False, "does not parse"),
        ("", False, "empty reply"),
        ("I am a teapot.", False, "parse"),
    ],
)
def test_anything_less_closes_the_whole_route(reply: str, staged: bool, sign: str, tmp_path: Path) -> None:
    found = verdict(reply, tmp_path)
    assert (found.whole, found.staged) == (False, staged)
    assert sign in found.evidence


@pytest.mark.parametrize("model", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_the_recorded_small_models_are_too_weak_for_whole_programs(model: str, tmp_path: Path) -> None:
    found = check(Replay.recorded(model), work=tmp_path)
    assert found.staged
    assert not found.whole
