"""From versions to a job."""

from pathlib import Path
from typing import Any

import pytest

from linguacodus_core.adapters.registry import register
from linguacodus_core.errors import DatasetError, TrainingError
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.examples import TABLES, prepare
from linguacodus_core.training.job import Job, open_job
from linguacodus_core.training.request import FinetuneRequest
from linguacodus_core.training.tables import TRAINING
from tests.training.versions import publish, solved

SIDES = {"rain": "train", "snow": "train", "wind": "validation", "fog": "test"}
BASE = "embedded:smollm2-135m-instruct-q4_1"


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    pass


def config(**fields: Any) -> FinetuneConfig:
    return FinetuneConfig.model_validate({"name": "small", "base": BASE} | fields)


def prepared(*names: str, prompt_set: str = "default", **fields: Any) -> Job:
    request = FinetuneRequest(datasets=names or ("latest",), **fields)
    return prepare(request, config(prompt_set=prompt_set))


def rows(job: Job, name: str) -> list[dict[str, Any]]:
    return list(job.table(name).to_pylist())


def competitions(job: Job, name: str) -> set[str]:
    return {row["competition"] for row in rows(job, name)}


def test_both_held_out_splits_are_held_out() -> None:
    version = publish(SIDES)
    job = prepared()
    assert job.datasets == (version.name,)
    assert competitions(job, "train") == {"rain", "snow"}
    for name in ("heldout", "asked", "references", "prior"):
        assert competitions(job, name) == {"wind", "fog"}
    assert job.table("train").num_rows == 6
    assert job.table("asked").num_rows == 6
    for name in TABLES:
        assert job.table(name).schema.equals(TRAINING[name])


def test_examples_are_those_of_the_prompt_set() -> None:
    publish(SIDES)
    default, paper = prepared(), prepared(prompt_set="paper")
    assert [message["role"] for message in rows(default, "train")[0]["prompt"]] == ["system", "user"]
    assert [message["role"] for message in rows(paper, "train")[0]["prompt"]] == ["user"]
    assert rows(paper, "asked")[0]["prompt"][0]["content"].startswith("Get the main information")
    assert default.key != paper.key


def test_the_prior_counts_the_training_side_alone() -> None:
    publish(SIDES)
    counts = {row["value"]: row["count"] for row in rows(prepared(), "prior") if row["competition"] == "wind"}
    assert counts == {"xgboost": 4, "linear": 2, "kfold": 4, "holdout": 2}


def test_the_same_request_finds_the_same_job_and_writes_nothing() -> None:
    publish(SIDES)
    first = prepared()
    times = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    again = prepared()
    assert again == first == open_job(first.folder)
    assert {path: path.stat().st_mtime_ns for path in again.folder.iterdir()} == times


def test_rows_come_in_the_same_order_from_any_order_of_versions() -> None:
    one = publish({"rain": "train", "wind": "validation"}).name
    two = publish({"snow": "train", "fog": "test"}, source="b").name
    assert rows(prepared(one, two), "train") == rows(prepared(two, one), "train")


def test_what_changes_the_work_makes_another_job() -> None:
    one, other = publish(SIDES).name, publish(SIDES, each=4).name
    jobs = [prepared(one), prepared(one, seed=1), prepared(one, max_steps=2)]
    jobs += [prepared(one, shuffle_completions=True), prepared(other)]
    assert len({job.key for job in jobs}) == len(jobs)
    assert jobs[1].config.training.seed == 1
    assert jobs[2].config.preferences.max_steps == 2


def test_a_name_and_a_description_are_no_other_work() -> None:
    publish(SIDES)
    request = FinetuneRequest()
    one, other = prepare(request, config()), prepare(request, config(name="other", description="words"))
    assert one.key == other.key


def test_a_job_whose_table_is_gone_is_written_again() -> None:
    publish(SIDES)
    job = prepared()
    (job.folder / "prior.parquet").unlink()
    assert prepared().table("prior").num_rows
    with pytest.raises(TrainingError, match="is missing"):
        job.table("measure/losses")


def test_several_versions_are_joined_and_each_example_counts_once() -> None:
    one = publish({"rain": "train", "wind": "validation"}).name
    two = publish({"rain": "train", "snow": "train", "wind": "validation"}).name
    job = prepared(one, two)
    assert job.datasets == (one, two)
    assert job.table("train").num_rows == 6
    assert job.table("references").num_rows == 3


def test_no_version_is_named_twice() -> None:
    version = publish(SIDES)
    with pytest.raises(TrainingError, match=f"{version.name} is named 2 times"):
        prepared(version.name, "latest")
    with pytest.raises(ValueError, match="named twice"):
        FinetuneRequest(datasets=("latest", "latest"))
    with pytest.raises(DatasetError, match="there is no dataset version 'zzz'"):
        prepared("zzz")


@pytest.mark.parametrize("source", ["", "b"])
def test_a_competition_on_both_sides_is_refused_by_name(source: str) -> None:
    """Whether its solutions in the two versions are the same or others."""
    one = publish({"rain": "train", "wind": "validation"}).name
    two = publish({"wind": "train", "fog": "validation"}, source=source).name
    with pytest.raises(TrainingError, match=r"on both sides of the split.*: wind\n") as caught:
        prepared(one, two)
    assert "as one version" in caught.value.remedy


def test_a_version_without_examples_says_so() -> None:
    publish({})
    with pytest.raises(TrainingError, match="has no examples at all"):
        prepared()


def test_a_prompt_set_without_examples_says_which_there_are_and_why() -> None:
    publish(SIDES, ranked=False)
    with pytest.raises(
        TrainingError, match=r"no examples of the prompt set paper; there are: default \(12\)"
    ) as caught:
        prepared(prompt_set="paper")
    assert "takes ranked solutions only" in caught.value.remedy


def test_both_sides_are_needed() -> None:
    only = publish({"rain": "train", "snow": "train"}).name
    with pytest.raises(TrainingError, match="no held-out competition") as caught:
        prepared(only)
    assert "--held-out" in caught.value.remedy
    none = publish({"wind": "validation"}).name
    with pytest.raises(TrainingError, match="no examples to train on: all 3 are held out"):
        prepared(none)


def test_code_of_the_held_out_side_is_not_trained_on(caplog: pytest.LogCaptureFixture) -> None:
    one = publish({"rain": "train", "snow": "train"}).name
    copied = solved("wind", 9, 9, code_sha256="code of rain-1")
    two = publish({"wind": "validation"}, more={"wind": [copied]}, source="b").name
    with caplog.at_level("WARNING", logger="linguacodus"):
        job = prepared(one, two)
    assert job.table("train").num_rows == 5
    assert "1 training examples left out" in caplog.text


def test_the_control_gives_every_prompt_the_completion_of_another_competition() -> None:
    publish(SIDES)
    job = prepared(shuffle_completions=True)
    assert job.shuffled
    for row in rows(job, "train"):
        assert f" {row['competition']} " not in row["completion"][0]["content"]
    for row in rows(job, "heldout"):
        assert f" {row['competition']} " in row["completion"][0]["content"]
    with pytest.raises(ValueError, match="the control must fail"):
        FinetuneRequest(shuffle_completions=True, promote=True)


def test_preferences_by_place_become_pairs() -> None:
    publish(SIDES, each=6)
    assert prepared().table("pairs").num_rows == 0
    job = prepared(preferences=("places",))
    assert job.preferences == ("places",)
    pairs = rows(job, "pairs")
    assert {pair["competition"] for pair in pairs if pair["split"] == "heldout"} == {"wind", "fog"}
    assert {pair["competition"] for pair in pairs if pair["split"] == "train"} == {"rain", "snow"}


def test_preferences_by_sharded_processes_are_refused_before_anything_is_done() -> None:
    publish(SIDES, each=6)
    sharded = config(hardware={"processes": 2, "strategy": "fsdp"})
    prepare(FinetuneRequest(), sharded)
    with pytest.raises(TrainingError, match=r"hardware\.strategy is fsdp"):
        prepare(FinetuneRequest(preferences=("places",)), sharded)


def adapter(folder: Path, base: str) -> str:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    fields = {
        "name": f"parent-{folder.name}",
        "kind": "sft",
        "base": BASE,
        "base_identity": base,
        "architecture": "llama",
        "datasets": ["v"],
        "config": "small",
        "prompt_set": "default",
        "passed": True,
    }
    return register(folder, fields).name


def test_going_on_from_an_adapter_takes_one_of_the_same_base(tmp_path: Path) -> None:
    publish(SIDES)
    name = adapter(tmp_path / "good", "smollm2-135m-instruct-q4_1")
    job = prepared(from_adapter="latest")
    assert job.from_adapter == name
    assert job.key != prepared().key
    adapter(tmp_path / "bad", "another")
    with pytest.raises(
        TrainingError, match="parent-bad was made for another; this configuration tunes smollm2"
    ):
        prepared(from_adapter="parent-bad")


def test_nothing_half_written_is_a_job(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(SIDES)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("linguacodus_core.store.write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            prepared()
    (folder,) = (home / "training").iterdir()
    with pytest.raises(TrainingError, match="is no fine-tune"):
        open_job(folder)
    assert open_job(prepared().folder).table("train").num_rows == 6
