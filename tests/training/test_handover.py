"""From judged stages to the registry."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from linguacodus_core import store
from linguacodus_core.adapters import registry
from linguacodus_core.errors import TrainingError
from linguacodus_core.tables import table
from linguacodus_core.training.config import load_config
from linguacodus_core.training.evaluation import compare
from linguacodus_core.training.gate import judge
from linguacodus_core.training.handover import found, joined, register
from linguacodus_core.training.job import Job, open_job
from linguacodus_core.training.tables import TRAINING
from linguacodus_core.training.verdict import Check, Verdict
from tests.training.jobs import job_in
from tests.training.measured import Subject, write_job

BASE = Subject()
GOOD = Subject(loss=1.4, gain=0.3, form=1.0, skill=0.95)
BETTER = Subject(loss=1.4, gain=0.3, form=1.0, skill=0.95, accuracy=0.95)


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    pass


def job_of(folder: Path, subjects: Mapping[str, Subject], *, preferences: tuple[str, ...] = ()) -> Job:
    """A job whose stages are finished, each with an adapter and a checkpoint."""
    job = job_in(folder).model_copy(update={"preferences": preferences})
    job.write()
    write_job(job.folder, subjects, pairs=8 if "dpo" in subjects else 0)
    for name in ("train", "heldout"):
        store.write_table(job.folder / f"{name}.parquet", table(name, [], TRAINING))
    store.write_json(job.stage("base") / "finished.json", {"folder": "/bases/small", "architecture": "llama"})
    for kind in subjects.keys() - {"base"}:
        adapter = job.stage(kind) / "adapter"
        adapter.mkdir(parents=True)
        (adapter / "adapter_model.safetensors").write_bytes(kind.encode())
        (adapter / "adapter_config.json").write_text('{"r": 4}')
        (job.stage(kind) / "checkpoints" / "checkpoint-3").mkdir(parents=True)
        store.write_json(job.stage(kind) / "finished.json", {"steps": 7, "loss": 1.5, "seconds": 3.0})
    return open_job(job.folder)


def handed_over(job: Job, base: str, tuned: str):
    comparison = compare(job.folder, base, tuned)
    return register(job, tuned, comparison, judge(comparison))


def test_an_adapter_that_beats_its_base_is_registered_as_passed_with_all_that_tells_so(
    tmp_path: Path,
) -> None:
    job = job_of(tmp_path / "job", {"base": BASE, "sft": GOOD})
    judged = handed_over(job, "base", "sft")
    adapter = judged.adapter
    manifest = adapter.manifest
    assert adapter.name == "small-sft-01234567"
    assert manifest.passed
    assert (manifest.kind, manifest.datasets, manifest.config) == ("sft", ("a",), "small")
    assert (manifest.architecture, manifest.base_folder, manifest.parent) == ("llama", "/bases/small", None)
    assert manifest.summary.startswith("completion loss 2.")
    assert registry.verify(adapter) == []
    assert set(manifest.files) >= {
        "report.html",
        "README.md",
        "metrics.json",
        "losses.parquet",
        "samples.parquet",
    }
    assert load_config(str(adapter.folder / "config.toml")) == job.config
    assert not (job.stage("sft") / "checkpoints").exists()
    result = judged.result(new=True, seconds=1.0)
    assert result.passed
    assert not result.promoted
    assert (result.steps, result.loss) == (7, 1.5)
    assert len(result.checks) == len(judged.verdict.checks) == 5


def test_one_that_does_not_is_registered_too_and_says_so(tmp_path: Path) -> None:
    judged = handed_over(job_of(tmp_path / "job", {"base": BASE, "sft": BASE}), "base", "sft")
    assert not judged.adapter.manifest.passed
    record = json.loads((judged.adapter.folder / "metrics.json").read_text())
    assert record["verdict"]["passed"] is False
    assert any(
        words.startswith("FAILED  completion loss lower")
        for words in judged.result(new=True, seconds=1).checks
    )


def test_what_is_registered_is_found_again_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    job = job_of(tmp_path / "job", {"base": BASE, "sft": GOOD})
    assert found(job) is None
    judged = handed_over(job, "base", "sft")
    again = found(job)
    assert again is not None
    assert (again.verdict, again.comparison, again.training) == (
        judged.verdict, judged.comparison, judged.training,
    )  # fmt: skip
    (judged.adapter.folder / "adapter_model.safetensors").write_bytes(b"other")
    assert found(job) is None
    handed_over(job, "base", "sft")
    assert found(job) is not None


def test_preferences_make_a_second_adapter_whose_verdict_holds_the_first_ones(tmp_path: Path) -> None:
    job = job_of(tmp_path / "job", {"base": BASE, "sft": GOOD, "dpo": BETTER}, preferences=("places",))
    first = handed_over(job, "base", "sft")
    assert found(job) is None
    second = handed_over(job, "sft", "dpo")
    assert second.adapter.manifest.parent == first.adapter.name
    assert second.verdict.passed
    assert {check.name.split(":")[0] for check in second.verdict.checks} == {"sft", "dpo"}
    assert "preferences.parquet" in second.adapter.manifest.files
    known = found(job)
    assert known is not None
    assert known.adapter.name == second.adapter.name


def test_better_preferences_do_not_pass_what_never_beat_its_base(tmp_path: Path) -> None:
    worse = {"base": BASE, "sft": BASE, "dpo": Subject(accuracy=0.95)}
    job = job_of(tmp_path / "job", worse, preferences=("places",))
    handed_over(job, "base", "sft")
    second = handed_over(job, "sft", "dpo")
    assert [check.passed for check in second.verdict.checks if check.name.startswith("dpo")] == [True] * 4
    assert not second.verdict.passed
    assert not second.adapter.manifest.passed


def test_a_stage_that_is_not_finished_gives_no_adapter(tmp_path: Path) -> None:
    job = job_of(tmp_path / "job", {"base": BASE, "sft": GOOD})
    comparison = compare(job.folder)
    (job.stage("sft") / "finished.json").unlink()
    with pytest.raises(TrainingError, match="sft of small-01234567 is not finished"):
        register(job, "sft", comparison, judge(comparison))
    assert registry.list_adapters() == []


def test_damaged_measures_of_a_whole_adapter_are_an_error_not_a_crash(tmp_path: Path) -> None:
    job = job_of(tmp_path / "job", {"base": BASE, "sft": GOOD})
    adapter = handed_over(job, "base", "sft").adapter
    content = b'{"comparison": {}}'
    (adapter.folder / "metrics.json").write_bytes(content)
    manifest = json.loads((adapter.folder / "manifest.json").read_text())
    manifest["files"]["metrics.json"] = hashlib.sha256(content).hexdigest()
    (adapter.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(TrainingError, match=r"metrics\.json is damaged"):
        found(job)


def test_joined_verdicts_pass_together_only() -> None:
    passed = Verdict(passed=True, checks=(Check(name="loss", passed=True, words="a"),))
    failed = Verdict(passed=False, checks=(Check(name="loss", passed=False, words="b"),))
    assert joined({"sft": passed, "dpo": passed}).passed
    both = joined({"sft": passed, "dpo": failed})
    assert not both.passed
    assert [check.name for check in both.checks] == ["sft: loss", "dpo: loss"]
