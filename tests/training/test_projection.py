"""What a dry run says."""

from pathlib import Path
from typing import Any

import pytest

from linguacodus_core import store
from linguacodus_core.tables import table
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job
from linguacodus_core.training.projection import machine, project
from linguacodus_core.training.tables import TRAINING
from tests.training.jobs import job_in

SHARED = "The task is to tell apples from pears by weight, colour and smell. " * 20


def example(number: int, competition: str = "fruit", prompt: str = "") -> dict[str, Any]:
    return {
        "example": f"{competition}-{number}",
        "competition": competition,
        "place": number,
        "prompt": [{"role": "user", "content": f"{prompt or SHARED}Place {number}."}],
        "completion": [{"role": "assistant", "content": "Fit a linear model on all columns. " * 3}],
    }


@pytest.fixture(autouse=True)
def _no_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate is asked, whether the model is here or not."""
    monkeypatch.setattr("linguacodus_core.training.projection._tokenizer", lambda base: "")


def job_of(folder: Path, rows: list[dict[str, Any]], **training: Any) -> Job:
    job = job_in(folder, training=training)
    for name, content in (("train", rows), ("heldout", rows[:1]), ("pairs", [])):
        store.write_table(job.folder / f"{name}.parquet", table(name, content, TRAINING))
    return job


def test_steps_follow_from_batch_accumulation_and_epochs(tmp_path: Path) -> None:
    rows = [example(number) for number in range(20)]
    seen = project(job_of(tmp_path / "a", rows, batching="by_length", batch=4, accumulation=2, epochs=2.0))
    assert (seen.examples, seen.competitions, seen.heldout) == (20, 1, 1)
    assert (seen.rows, seen.steps) == (20, 5)
    capped = project(job_of(tmp_path / "b", rows, batching="plain", batch=4, max_steps=3))
    assert capped.steps == 3
    assert capped.tokens < seen.tokens


def test_packs_share_the_beginning_of_a_competitions_prompts(tmp_path: Path) -> None:
    rows = [example(number) for number in range(8)]
    alone = project(job_of(tmp_path / "a", rows, batching="by_length", batch=1))
    packed = project(job_of(tmp_path / "b", rows, batching="shared_prefix", pack_length=2048, batch=1))
    assert (alone.rows, packed.rows) == (8, 1)
    assert packed.tokens < alone.tokens / 3


def test_competitions_do_not_share_a_pack(tmp_path: Path) -> None:
    rows = [example(number, name) for name in ("fruit", "ships", "stars") for number in range(3)]
    assert project(job_of(tmp_path / "a", rows, batching="shared_prefix", batch=1)).rows == 3


def test_what_is_longer_than_the_limit_is_counted_as_left_out(tmp_path: Path) -> None:
    rows = [example(number) for number in range(4)] + [example(9, prompt=SHARED * 20)]
    seen = project(job_of(tmp_path / "a", rows, max_length=2048))
    assert seen.left_out == 1
    assert any("1 of them are longer than training.max_length" in line for line in seen.lines())


def test_lines_name_base_configuration_and_counts(tmp_path: Path) -> None:
    said = "\n".join(project(job_of(tmp_path / "a", [example(1)])).lines())
    for words in (
        "configuration small",
        "smollm2-135m-instruct-q4_1",
        "1 examples of 1 competitions",
        "steps",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hardware": {"device": "cuda"}}, "hardware.device asks for one"),
        ({"quantization": {"bits": 4}}, "4-bit weights train slowly"),
    ],
)
def test_a_machine_without_a_card_says_what_does_not_fit_it(
    fields: dict[str, Any], words: str, monkeypatch
) -> None:
    monkeypatch.setattr("linguacodus_core.training.projection._cards", list)
    config = FinetuneConfig.model_validate({"name": "small", "base": "owner/name"} | fields)
    assert any(words in line for line in machine(config))


def test_cards_are_those_that_the_drivers_tool_names(tmp_path: Path, monkeypatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA A100-SXM4-80GB, 81920 MiB, 80000 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = FinetuneConfig.model_validate({"name": "small", "base": "owner/name"})
    said = list(machine(config))
    assert said[0] == "GPU: NVIDIA A100-SXM4-80GB, 81920 MiB, 80000 MiB"
    assert not any("no GPU" in line for line in said)
