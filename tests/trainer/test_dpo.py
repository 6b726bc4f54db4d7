# ruff: noqa: E402
"""The stage `dpo` on a tiny model: what it prefers, what it is held against, what it leaves."""

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

from safetensors.torch import load, load_file

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer import base, dpo
from linguacodus_core.trainer.likelihood import likelihoods
from linguacodus_core.trainer.load import load_base, tokenizer_of, with_adapter
from linguacodus_core.trainer.pairs import encode_pairs
from linguacodus_core.training import history
from linguacodus_core.training.job import Job
from linguacodus_core.training.launch import run_stage
from tests.trainer.conftest import ADVICE, MakeJob
from tests.trainer.tuned import Row, adapter_bytes, pair, with_adapter_of, write

ROOT = Path(__file__).parents[2]
PAIRS = [
    *(pair(number, "train", ADVICE[0], ADVICE[1 + number % 4]) for number in range(10)),
    *(pair(number, "heldout", ADVICE[0], ADVICE[1 + number % 4]) for number in range(10, 14)),
]


def job_with(
    make_job: MakeJob, folder: Path, pairs: Sequence[Row] = PAIRS, *, preferences: Any = None, **changes: Any
) -> Job:
    settings = {"max_steps": 6, "batch": 2, "accumulation": 2, "learning_rate": 2e-3} | (preferences or {})
    job = make_job(folder, preferences=settings, **changes)
    return write(with_adapter_of(job), pairs=pairs)


def trained(job: Job) -> dict[str, Any]:
    dpo.run(job)
    done = job.done("dpo")
    assert done is not None
    return done


def events(job: Job, kind: str) -> list[dict[str, Any]]:
    return [event for event in history.events(job.stage("dpo")) if event["event"] == kind]


def log_ratios(job: Job, stage: str, split: str) -> list[float]:
    """How much likelier the model holds what is preferred than what is not, for each pair."""
    folder = base.folder_of(job)
    tokenizer = tokenizer_of(folder)
    model = with_adapter(
        load_base(job, folder, for_training=False), job.stage(stage) / "adapter", trainable=False
    )
    rows = [row for row in job.table("pairs").to_pylist() if row["split"] == split]
    both = [each for item in encode_pairs(tokenizer, rows, 512, print) for each in item.both]
    nll = likelihoods(model, both, tokenizer.pad_token_id)
    return [rejected - chosen for chosen, rejected in zip(nll[::2], nll[1::2], strict=True)]


def test_what_is_preferred_becomes_likelier_against_the_supervised_model(
    tiny: Path, make_job: MakeJob
) -> None:
    job = job_with(make_job, tiny)
    start = adapter_bytes(job)
    done = trained(job)

    before, after = log_ratios(job, "sft", "train"), log_ratios(job, "dpo", "train")
    assert all(late > early + 1 for early, late in zip(before, after, strict=True))
    assert sum(log_ratios(job, "dpo", "heldout")) > sum(log_ratios(job, "sft", "heldout"))
    assert adapter_bytes(job) == start

    steps = {event["step"]: event for event in events(job, "step")}
    assert sorted(steps) == [1, 2, 3, 4, 5, 6]
    assert steps[1]["loss"] == pytest.approx(math.log(2), abs=1e-4)  # it is its own reference
    assert steps[6]["loss"] == done["loss"] < 0.6
    begin = events(job, "begin")[0]
    assert (begin["examples"], begin["rows"], begin["steps"]) == (10, 10, 6)
    assert begin["tokens"] == done["tokens"] == steps[6]["tokens"]
    assert [event["step"] for event in events(job, "checkpoint")] == [3, 6]
    assert (done["steps"], done["left_out"], done["resumed"]) == (6, 0, 0)

    adapter = job.stage("dpo") / "adapter"
    weights, parent = load_file(adapter / "adapter_model.safetensors"), load(start)
    assert set(weights) == set(parent)
    assert all(weight.dtype == torch.float32 for weight in weights.values())
    assert (adapter / "adapter.gguf").stat().st_size > 0
    assert tokenizer_of(adapter).chat_template == tokenizer_of(tiny).chat_template
    assert not list((job.stage("dpo") / "checkpoints").rglob("ref"))


def test_the_loss_is_that_of_dpo_by_its_definition(tiny: Path, make_job: MakeJob) -> None:
    """After one step over all pairs, the loss of the next: from the likelihoods under both adapters."""
    settings = {"max_steps": 1, "batch": 10, "accumulation": 1, "beta": 0.3}
    one = job_with(make_job, tiny, preferences=settings, training={"schedule": "constant"})
    two = job_with(make_job, tiny, preferences=settings | {"max_steps": 2}, training={"schedule": "constant"})
    trained(one)
    trained(two)
    second = next(event["loss"] for event in events(two, "step") if event["step"] == 2)
    margins = [
        0.3 * (late - early)
        for early, late in zip(log_ratios(one, "sft", "train"), log_ratios(one, "dpo", "train"), strict=True)
    ]
    expected = sum(math.log1p(math.exp(-margin)) for margin in margins) / len(margins)
    assert second == pytest.approx(expected, abs=1e-3)
    assert expected < 0.68


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(tiny: Path, make_job: MakeJob) -> None:
    unbroken, broken = job_with(make_job, tiny), job_with(make_job, tiny)
    trained(unbroken)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dying.py")), "dpo", str(broken.folder), "5", "step"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 9, done.stderr
    assert broken.done("dpo") is None
    assert trained(broken)["resumed"] == 1
    assert events(broken, "begin")[-1]["resumed_from"] == 3
    assert len(events(broken, "progress")) == len(events(unbroken, "progress")) == 1  # the reference was kept
    one, other = (load(adapter_bytes(job, "dpo")) for job in (unbroken, broken))
    for name, weight in one.items():
        assert torch.allclose(weight, other[name], atol=1e-6), name


def test_the_reference_of_another_adapter_is_not_taken(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny, preferences={"max_steps": 1})
    trained(job)
    first = store.read_table(job.stage("dpo") / dpo.REFERENCE)
    (job.stage("dpo") / "finished.json").unlink()
    with_adapter_of(job, seed=4)
    trained(job)
    again = store.read_table(job.stage("dpo") / dpo.REFERENCE)
    assert again["pair"] == first["pair"]
    assert again["chosen"] != first["chosen"]


@pytest.mark.slow
def test_with_4_bit_weights_it_starts_at_exactly_the_supervised_adapter(
    tiny: Path, make_job: MakeJob
) -> None:
    """TRL rounds such an adapter to bfloat16; checkpointed activations, as the cards' configurations have it."""
    job = job_with(
        make_job,
        tiny,
        preferences={"max_steps": 1, "learning_rate": 1e-12},
        quantization={"bits": 4},
        training={"gradient_checkpointing": True, "weight_decay": 0.0},
    )
    trained(job)
    start, end = load(adapter_bytes(job)), load(adapter_bytes(job, "dpo"))
    assert any(not torch.equal(weight, weight.bfloat16().float()) for weight in start.values())
    for name, weight in start.items():
        assert torch.allclose(weight, end[name], atol=1e-8, rtol=0), name
    (step,) = events(job, "step")
    assert step["loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert step["grad_norm"] > 0


@pytest.mark.slow
def test_asking_4_bit_weights_for_the_reference_leaves_their_gradients_alone(
    tiny: Path, make_job: MakeJob
) -> None:
    """Some CPUs repack such weights for reading; a training that finds the reference written asks nothing."""
    changes: dict[str, Any] = {"quantization": {"bits": 4}, "lora": {"dropout": 0.3}}
    asking = job_with(make_job, tiny, preferences={"max_steps": 2}, **changes)
    knowing = job_with(make_job, tiny, preferences={"max_steps": 2}, **changes)
    trained(asking)
    written = store.read_table(asking.stage("dpo") / dpo.REFERENCE)
    store.write_table(knowing.stage("dpo") / dpo.REFERENCE, written)
    trained(knowing)
    assert events(asking, "progress")
    assert not events(knowing, "progress")
    for key in ("loss", "grad_norm"):
        one, other = ([event[key] for event in events(job, "step")] for job in (asking, knowing))
        assert one == pytest.approx(other, rel=1e-4), key
    assert events(asking, "step")[0]["loss"] == pytest.approx(math.log(2), abs=1e-3)


def test_pairs_that_are_too_long_are_left_out_and_said(tiny: Path, make_job: MakeJob) -> None:
    long = pair(0, "train", ADVICE[0], " ".join(ADVICE * 9))
    job = job_with(make_job, tiny, [long, *PAIRS[1:]], preferences={"max_steps": 1, "max_length": 128})
    assert trained(job)["left_out"] == 1
    assert any(
        "1 of 10 pairs are longer than preferences.max_length = 128" in event["text"]
        for event in events(job, "note")
    )
    nothing = job_with(make_job, tiny, [long, *PAIRS[10:]], preferences={"max_length": 128})
    with pytest.raises(
        TrainingError, match=r"no pair is left to train on \(1 in the job, 1 of them too long\)"
    ):
        dpo.run(nothing)


def test_it_needs_a_supervised_adapter_and_a_whole_model(tiny: Path, make_job: MakeJob) -> None:
    job = write(make_job(tiny), pairs=PAIRS)
    base.run(job)
    with pytest.raises(TrainingError, match="has no supervised adapter yet"):
        dpo.run(job)
    with pytest.raises(TrainingError, match="is not sharded"):
        dpo.run(make_job(tiny, hardware={"device": "auto", "processes": 2, "strategy": "fsdp"}))


def test_epochs_decide_where_no_number_of_steps_is_given(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny, preferences={"max_steps": 0, "epochs": 2.0, "batch": 3, "accumulation": 1})
    assert trained(job)["steps"] == 7  # 20 pairs in rows of 3
    assert events(job, "step")[-1]["epoch"] == pytest.approx(2.1)


@pytest.mark.slow
def test_two_processes_divide_the_pairs_and_the_reference(tiny: Path, make_job: MakeJob) -> None:
    one = job_with(make_job, tiny)
    two = job_with(make_job, tiny, preferences={"accumulation": 1}, hardware={"processes": 2})
    trained(one)
    done = run_stage(two, "dpo", lambda event: None)
    assert done["tokens"] == events(one, "begin")[0]["tokens"] == events(two, "begin")[0]["tokens"]
    curves = [[event["loss"] for event in events(job, "step")] for job in (one, two)]
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)
    kept = [store.read_table(job.stage("dpo") / dpo.REFERENCE) for job in (one, two)]
    assert kept[1]["pair"] == kept[0]["pair"]
    assert kept[1]["chosen"].to_pylist() == pytest.approx(kept[0]["chosen"].to_pylist(), abs=1e-3)
    assert [(event["done"], event["of"]) for event in events(two, "progress")] == [(5, 5)]
