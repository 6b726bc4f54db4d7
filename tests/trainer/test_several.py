# ruff: noqa: E402
"""One training by two processes: the steps and the loss are those of one process with batches twice as large."""

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

from linguacodus_core.trainer import base, sft
from linguacodus_core.training import history
from linguacodus_core.training.job import Job
from linguacodus_core.training.launch import run_stage
from tests.trainer.conftest import MakeJob

pytestmark = pytest.mark.slow


def by_two(job: Job) -> dict[str, Any]:
    """Train as a user does with two processes: by accelerate's launcher, gloo between them."""
    return run_stage(job, "sft", lambda event: None)


def losses(job: Job) -> list[float]:
    steps = {e["step"]: e["loss"] for e in history.events(job.stage("sft")) if e["event"] == "step"}
    return [steps[step] for step in sorted(steps)]


def begins(job: Job) -> list[dict[str, Any]]:
    return [e for e in history.events(job.stage("sft")) if e["event"] == "begin"]


def test_two_processes_divide_the_packs(tiny: Path, make_job: MakeJob) -> None:
    one = make_job(tiny)
    two = make_job(tiny, training={"accumulation": 1}, hardware={"processes": 2})
    for job in (one, two):
        base.run(job)
    sft.run(one)
    done = by_two(two)

    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    assert len(begins(two)) == 1  # one of the two reports
    assert done["steps"] == 8
    assert done["tokens"] == begins(one)[0]["tokens"] == begins(two)[0]["tokens"]
    checkpoint = two.stage("sft") / "checkpoints" / "checkpoint-8"
    whole = json.loads((checkpoint / "whole.json").read_text())
    assert {"rng_state_0.pth", "rng_state_1.pth", "optimizer.pt"} <= set(whole["files"])

    for damaged in ("finished.json", "checkpoints/checkpoint-8/rng_state_1.pth"):
        (two.stage("sft") / damaged).unlink()
    resumed = by_two(two)
    assert begins(two)[1]["resumed_from"] == 6
    assert resumed["resumed"] == 1
    assert resumed["loss"] == pytest.approx(done["loss"], rel=1e-4)


@pytest.mark.parametrize("bits", [0, 4])
def test_two_processes_share_the_weights(tiny: Path, make_job: MakeJob, bits: int) -> None:
    """FSDP: whole and 4-bit weights, a checkpoint read back by both."""
    one = make_job(tiny, quantization={"bits": bits})
    two = make_job(
        tiny,
        quantization={"bits": bits},
        training={"accumulation": 1},
        hardware={"processes": 2, "strategy": "fsdp"},
    )
    for job in (one, two):
        base.run(job)
    sft.run(one)
    done = by_two(two)
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)

    adapters = [job.stage("sft") / "adapter" / "adapter_model.safetensors" for job in (one, two)]
    from safetensors.torch import load_file

    mine, theirs = (load_file(adapter) for adapter in adapters)
    assert mine.keys() == theirs.keys()
    for name, weight in mine.items():
        torch.testing.assert_close(theirs[name], weight, rtol=1e-3, atol=1e-5, msg=name)

    if bits:
        (two.stage("sft") / "finished.json").unlink()
        (two.stage("sft") / "checkpoints" / "checkpoint-8" / "whole.json").unlink()
        resumed = by_two(two)
        assert begins(two)[1]["resumed_from"] == 6
        assert resumed["loss"] == pytest.approx(done["loss"], rel=1e-3)
