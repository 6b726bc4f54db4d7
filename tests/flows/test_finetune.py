"""The flow on a tiny Llama with random weights: killed in training, resumed, judged, found again.

One fine-tune is made by the command line, for all tests; the others look at what it left, or go on from there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from linguacodus_core.adapters import registry
from linguacodus_core.errors import GateRefused, TrainingError
from linguacodus_core.training import launch
from linguacodus_core.training.history import events
from linguacodus_core.training.job import Job, open_job
from linguacodus_core.training.request import FinetuneRequest
from linguacodus_core.training.verdict import Check, Verdict
from tests.trainer.conftest import build, configuration
from tests.training.versions import publish

pytest.importorskip("torch", reason="the training extra is not installed")

from flows.finetune import finetune

pytestmark = pytest.mark.flow
LINGUACODUS = str(Path(sys.executable).with_name("linguacodus"))
STEPS = 40
CHECKPOINT = 4


@dataclass
class Tuned:
    """What the command left: its exit status and lines, the job, and the steps that were done at the kill."""

    home: Path
    config: Path
    status: int
    said: str
    job: Job
    killed_after: int

    @property
    def request(self) -> FinetuneRequest:
        return FinetuneRequest(config=str(self.config), preferences=("places",))


@pytest.fixture(scope="module", autouse=True)
def _prefect() -> Iterator[None]:
    with (
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuned]:
    place = tmp_path_factory.mktemp("finetune")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINGUACODUS_HOME", str(place / "home"))
        publish({"rain": "train", "snow": "train", "wind": "validation", "fog": "test"}, each=3)
        config = place / "tiny.toml"
        config.write_text(
            configuration(
                build(place / "tiny-llama", "llama"),
                training={
                    "max_steps": STEPS,
                    "save_steps": CHECKPOINT,
                    "batch": 1,
                    "accumulation": 1,
                    "max_length": 1024,
                    "pack_length": 1024,
                },
                preferences={"max_steps": 2, "batch": 1, "accumulation": 1, "max_length": 1024},
                evaluation={"samples": 1, "max_tokens": 12, "examples_per_competition": 2},
            ).as_toml()
        )
        killed_after = _killed_in_training(command(config, place))
        process = command(config, place)
        said, _ = process.communicate(timeout=300)
        (folder,) = (place / "home" / "training").iterdir()
        yield Tuned(place / "home", config, process.returncode, said, open_job(folder), killed_after)


def command(config: Path, place: Path) -> "subprocess.Popen[str]":
    """The command itself, in a process group of its own, with a server of its own."""
    environment = {
        **os.environ,
        "LINGUACODUS_HOME": str(place / "home"),
        "PREFECT_HOME": str(place / "prefect"),
    }
    environment.pop("PREFECT_API_URL", None)
    return subprocess.Popen(
        [LINGUACODUS, "finetune", "--config", str(config), "--preferences", "places"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _killed_in_training(process: "subprocess.Popen[str]") -> int:
    """Kill the whole process group once a checkpoint is whole; no trainer outlives it. The steps done by then."""
    stages = Path(process.args[3]).parent / "home" / "training"  # type: ignore[index]
    until = time.monotonic() + 240
    while not (whole := list(stages.glob("*/sft/checkpoints/checkpoint-*/whole.json"))):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    trainers = [child for child in children if "linguacodus_core.trainer" in " ".join(child.cmdline())]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert trainers
    assert psutil.wait_procs(trainers, timeout=30)[1] == []
    folder = whole[0].parents[3]
    assert not (folder / "sft" / "finished.json").exists()
    return max(event["step"] for event in events(folder / "sft") if event["event"] == "step")


def again(request: FinetuneRequest) -> tuple[bool, str]:
    """Run the flow here. Whether the gate passed it, and its words."""
    try:
        result = finetune(request)
    except GateRefused as refused:
        return False, str(refused)
    assert result.passed
    return True, "\n".join(result.checks)


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_number_of_steps(tuned: Tuned) -> None:
    done = tuned.job.done("sft")
    assert done is not None
    assert tuned.killed_after < STEPS
    assert (done["steps"], done["resumed"]) == (STEPS, 1)
    begun = [event for event in events(tuned.job.stage("sft")) if event["event"] == "begin"]
    assert begun[0]["resumed_from"] is None
    assert begun[1]["resumed_from"] >= CHECKPOINT
    assert begun[1]["resumed_from"] % CHECKPOINT == 0
    assert f"going on after step {begun[1]['resumed_from']}" in tuned.said
    assert re.search(rf"step {STEPS} of {STEPS}: loss \d", tuned.said)


def test_manifest_measures_and_exit_status_say_the_same(tuned: Tuned) -> None:
    second, first = registry.list_adapters()
    if first.manifest.kind == "dpo":
        first, second = second, first
    assert [first.manifest.kind, second.manifest.kind] == ["sft", "dpo"]
    assert second.manifest.parent == first.name
    for adapter in (first, second):
        assert registry.verify(adapter) == []
        verdict = json.loads((adapter.folder / "metrics.json").read_text())["verdict"]
        assert (
            verdict["passed"]
            == all(check["passed"] for check in verdict["checks"])
            == adapter.manifest.passed
        )
        assert {"report.html", "README.md", "config.toml", "adapter.gguf"} <= adapter.manifest.files.keys()
    assert tuned.status == (0 if second.manifest.passed else 3)


def test_a_random_model_is_refused_by_how_much_and_kept(tuned: Tuned) -> None:
    """Twelve tokens of a random model hold no sections and no decisions, whatever it was tuned on."""
    assert tuned.status == 3
    assert "Traceback" not in tuned.said
    assert "error: the gate refuses tiny-dpo-" in tuned.said
    assert "decisions nearer to the best kernels': decisions 0.00 -> 0.00" in tuned.said
    assert "it is kept with its report" in tuned.said
    assert "adapter tiny-dpo-" in tuned.said
    with pytest.raises(GateRefused):
        registry.promote("tiny-dpo")


def test_the_same_again_trains_nothing_and_the_verdict_stands(tuned: Tuned, monkeypatch) -> None:
    monkeypatch.setattr(launch, "run_stage", lambda *_, **__: pytest.fail("a stage was run"))
    passed, words = again(tuned.request)
    assert not passed
    assert words.splitlines()[0] in tuned.said


def test_finished_stages_are_found_and_one_that_passes_is_promoted(tuned: Tuned, monkeypatch) -> None:
    """The adapters are lost, the stages are not; and the gate, for once, is kind."""
    monkeypatch.setattr(launch.subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    kind = Verdict(passed=True, checks=(Check(name="everything", passed=True, words="is fine"),))
    monkeypatch.setattr("tasks.finetune.judge", lambda comparison: kind)
    kept = tuned.home / "adapters"
    shutil.move(kept, tuned.home / "kept")
    try:
        result = finetune(tuned.request.model_copy(update={"promote": True}))
        assert (result.passed, result.promoted, result.new, result.steps) == (True, True, True, 2)
        assert registry.promoted() == result.adapter
        assert result.checks == ("passed  sft: everything: is fine", "passed  dpo: everything: is fine")
        monkeypatch.setattr(launch, "run_stage", lambda *_, **__: pytest.fail("a stage was run"))
        second = finetune(tuned.request)
        assert (second.adapter, second.passed, second.new) == (result.adapter, True, False)
    finally:
        shutil.rmtree(kept)
        shutil.move(tuned.home / "kept", kept)


def test_what_cannot_be_tuned_is_an_error_and_leaves_no_adapter(tuned: Tuned, tmp_path: Path) -> None:
    """A projection that the base does not have."""
    before = {adapter.name for adapter in registry.list_adapters()}
    config = tmp_path / "odd.toml"
    config.write_text(
        tuned.config.read_text().replace('targets = "all-linear"', 'targets = ["query_key_value"]')
    )
    with pytest.raises(TrainingError, match="query_key_value"):
        finetune(FinetuneRequest(config=str(config)))
    assert {adapter.name for adapter in registry.list_adapters()} == before
