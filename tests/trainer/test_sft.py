# ruff: noqa: E402
"""The stage `sft` on a tiny model: what it leaves, and that a killed run goes on as if nothing had been."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

from safetensors.torch import load_file

from linguacodus_core.errors import AdapterError, TrainingError
from linguacodus_core.trainer import base, loop, sft
from linguacodus_core.trainer.load import load_base, tokenizer_of, with_adapter
from linguacodus_core.training import history
from linguacodus_core.training.job import Job
from tests.trainer.conftest import EXAMPLES, MakeJob, build

ROOT = Path(__file__).parents[2]


def trained(job: Job) -> dict[str, Any]:
    base.run(job)
    sft.run(job)
    done = job.done("sft")
    assert done is not None
    return done


def curve(job: Job) -> dict[int, dict[str, Any]]:
    return {event["step"]: event for event in events(job, "step")}


def events(job: Job, kind: str) -> list[dict[str, Any]]:
    return [event for event in history.events(job.stage("sft")) if event["event"] == kind]


def weights(job: Job) -> dict[str, Any]:
    return dict(load_file(job.stage("sft") / "adapter" / "adapter_model.safetensors"))


def killed(job: Job, step: int, where: str) -> None:
    """Start training in a child that dies at a step."""
    base.run(job)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dying.py")), "sft", str(job.folder), str(step), where],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 9, done.stderr
    assert job.done("sft") is None


def test_a_training_learns_and_leaves_an_adapter(tiny: Path, make_job: MakeJob) -> None:
    job = make_job(tiny)
    done = trained(job)

    steps = curve(job)
    assert sorted(steps) == list(range(1, 9))
    assert done["steps"] == 8
    assert done["resumed"] == 0
    assert done["loss"] == steps[8]["loss"] < 0.9 * steps[1]["loss"]
    assert all(step["grad_norm"] > 0 and step["memory"] > 1e8 for step in steps.values())
    assert steps[2]["lr"] > steps[8]["lr"] > 0
    begin, end = events(job, "begin")[0], events(job, "end")[0]
    assert begin["resumed_from"] is None
    assert begin["examples"] == 24
    assert begin["steps"] == 8
    assert begin["tokens"] == steps[8]["tokens"] == done["tokens"]
    assert steps[8]["epoch"] == pytest.approx(8 * 4 / begin["rows"], abs=1e-3)
    assert {key: end[key] for key in done} == done
    assert [event["step"] for event in events(job, "checkpoint")] == [3, 6, 8]
    kept = sorted(path.name for path in (job.stage("sft") / "checkpoints").glob("checkpoint-*"))
    assert kept == ["checkpoint-6", "checkpoint-8"]

    adapter = job.stage("sft") / "adapter"
    assert all(weight.dtype == torch.float32 for weight in weights(job).values())
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["r"] == 4
    assert config["target_modules"] == [
        "down_proj",
        "gate_proj",
        "k_proj",
        "o_proj",
        "q_proj",
        "up_proj",
        "v_proj",
    ]
    assert (adapter / "adapter.gguf").stat().st_size > 0
    assert tokenizer_of(adapter).chat_template == tokenizer_of(tiny).chat_template
    assert not list(job.stage("sft").glob(".adapter.part"))


def test_the_adapter_is_what_was_trained(tiny: Path, make_job: MakeJob) -> None:
    """Read back and put over the base, it gives the completions the loss that training ended with."""
    job = make_job(tiny, training={"batching": "plain", "learning_rate": 3e-2, "schedule": "constant"})
    done = trained(job)
    from linguacodus_core.trainer.collate import Collator
    from linguacodus_core.trainer.encode import encode_all
    from linguacodus_core.trainer.packs import alone

    examples, _ = encode_all(tokenizer_of(tiny), EXAMPLES, 256)
    batch = Collator((), 0).batch([alone(example) for example in examples])

    def loss(model: Any) -> float:
        with torch.no_grad():
            return float(model(**batch).loss)

    plain = loss(load_base(job, tiny, for_training=False))
    model = load_base(job, tiny, for_training=False)
    tuned = loss(with_adapter(model, job.stage("sft") / "adapter", trainable=False))
    assert tuned < 0.8 * plain
    assert tuned == pytest.approx(done["loss"], rel=0.25)  # that of one batch, a step before


@pytest.mark.slow
def test_killed_while_a_checkpoint_is_written_it_goes_on_at_the_one_before(
    tiny: Path, make_job: MakeJob
) -> None:
    """With dropout, so that a random state that is not restored shows."""
    changes: dict[str, Any] = {"lora": {"dropout": 0.2}, "training": {"max_steps": 10, "seed": 3}}
    unbroken, broken = make_job(tiny, **changes), make_job(tiny, **changes)
    trained(unbroken)
    killed(broken, 6, "save")
    half = broken.stage("sft") / "checkpoints" / "checkpoint-6"
    assert half.is_dir()
    assert not (half / "whole.json").exists()

    sft.run(broken)

    done = broken.done("sft")
    assert done is not None
    assert done["steps"] == 10
    assert done["resumed"] == 1
    assert "checkpoint-6 is damaged (it was not finished): removed, the one before it is used" in [
        event["text"] for event in events(broken, "note")
    ]
    assert [event["resumed_from"] for event in events(broken, "begin")] == [None, 3]
    assert [event["step"] for event in events(broken, "step")] == [*range(1, 7), *range(4, 11)]
    for step, event in curve(unbroken).items():
        again = curve(broken)[step]
        assert again["loss"] == pytest.approx(event["loss"], rel=1e-5), step
        assert (again["tokens"], again["lr"]) == (event["tokens"], event["lr"]), step
    assert done["loss"] == pytest.approx(curve(unbroken)[10]["loss"], rel=1e-5)
    for name, weight in weights(unbroken).items():
        torch.testing.assert_close(weights(broken)[name], weight, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
def test_killed_in_a_step_of_the_second_epoch_with_rows_grouped_by_length(
    tiny: Path, make_job: MakeJob
) -> None:
    changes: dict[str, Any] = {
        "training": {"max_steps": 0, "epochs": 2.0, "batching": "by_length", "save_steps": 4}
    }
    unbroken, broken = make_job(tiny, **changes), make_job(tiny, **changes)
    assert trained(unbroken)["steps"] == 12
    killed(broken, 10, "step")

    sft.run(broken)

    assert [event["resumed_from"] for event in events(broken, "begin")] == [None, 8]
    assert [curve(broken)[step]["loss"] for step in range(1, 13)] == pytest.approx(
        [curve(unbroken)[step]["loss"] for step in range(1, 13)], rel=1e-5
    )


def test_killed_after_the_last_step_only_the_adapter_is_written(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(tiny)
    base.run(job)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("linguacodus_core.trainer.gguf.convert", full)
        with pytest.raises(OSError, match="No space left"):
            sft.run(job)
    assert not list(job.stage("sft").glob("*adapter*"))
    assert job.done("sft") is None

    sft.run(job)
    assert len(events(job, "step")) == 8
    assert [e["resumed_from"] for e in events(job, "begin")] == [None, 8]
    done = job.done("sft")
    assert done is not None
    assert done["loss"] == curve(job)[8]["loss"]
    assert done["tokens"] == curve(job)[8]["tokens"]
    assert (job.stage("sft") / "adapter" / "adapter.gguf").is_file()


def test_a_damaged_checkpoint_is_said_and_the_one_before_is_used(tiny: Path, make_job: MakeJob) -> None:
    job = make_job(tiny)
    trained(job)
    (job.stage("sft") / "finished.json").unlink()
    optimizer = job.stage("sft") / "checkpoints" / "checkpoint-8" / "optimizer.pt"
    content = bytearray(optimizer.read_bytes())
    content[len(content) // 2] ^= 1
    optimizer.write_bytes(content)

    sft.run(job)

    notes = [event["text"] for event in events(job, "note")]
    assert any("checkpoint-8 is damaged (optimizer.pt has another content)" in note for note in notes)
    assert [event["resumed_from"] for event in events(job, "begin")] == [None, 6]


def test_quantized_weights_are_trained_with_an_adapter_of_float32(tiny: Path, make_job: MakeJob) -> None:
    job = make_job(
        tiny, quantization={"bits": 4, "double": True}, training={"optimizer": "paged_adamw_32bit"}
    )
    done = trained(job)
    model = load_base(job, tiny, for_training=False)
    kinds = {name: type(module).__name__ for name, module in model.named_modules()}
    assert kinds["model.layers.0.mlp.up_proj"] == "Linear4bit"
    assert kinds["lm_head"] == "Linear"
    assert all(weight.dtype == torch.float32 for weight in weights(job).values())
    assert done["loss"] < 0.9 * curve(job)[1]["loss"]
    assert len(done["replacements"]) == 1
    assert "paged_adamw_32bit" in done["replacements"][0]
    assert done["replacements"][0] in [event["text"] for event in events(job, "note")]


def test_checkpointed_activations_change_nothing(tiny: Path, make_job: MakeJob) -> None:
    kept, forgotten = make_job(tiny), make_job(tiny, training={"gradient_checkpointing": True})
    trained(kept)
    trained(forgotten)
    assert [curve(forgotten)[step]["loss"] for step in range(1, 9)] == pytest.approx(
        [curve(kept)[step]["loss"] for step in range(1, 9)], rel=1e-5
    )


def test_packs_learn_what_single_examples_learn(tiny: Path, make_job: MakeJob) -> None:
    """One step over all examples, in packs or one by one: the same loss, the same change of weights."""
    settings = {"max_steps": 2, "accumulation": 1, "warmup": 0.0, "max_grad_norm": 1e6}
    together = make_job(tiny, training={**settings, "batch": 4})
    apart = make_job(tiny, training={**settings, "batch": 24, "batching": "plain"})
    trained(together)
    trained(apart)
    assert events(together, "begin")[0]["rows"] == 4
    assert events(apart, "begin")[0]["rows"] == 24
    assert curve(together)[1]["loss"] == pytest.approx(curve(apart)[1]["loss"], rel=1e-5)
    assert curve(together)[2]["loss"] == pytest.approx(curve(apart)[2]["loss"], rel=1e-4)
    assert curve(together)[2]["tokens"] < 0.6 * curve(apart)[2]["tokens"]


def test_examples_that_are_too_long_are_counted_and_said(tiny: Path, make_job: MakeJob) -> None:
    long = {**EXAMPLES[0], "example": "long"}
    long["completion"] = [{"role": "assistant", "content": "fill the gaps " * 200}]
    job = make_job(tiny, [*EXAMPLES, long], training={"max_steps": 2})
    assert trained(job)["left_out"] == 1
    assert "1 of 25 examples are longer than training.max_length = 256 tokens and left out" in [
        event["text"] for event in events(job, "note")
    ]


def test_nothing_left_to_train_on_is_refused(tiny: Path, make_job: MakeJob) -> None:
    long = [{"role": "assistant", "content": "fill the gaps " * 200}]
    job = make_job(tiny, [{**row, "completion": long} for row in EXAMPLES[:3]])
    base.run(job)
    with pytest.raises(
        TrainingError, match=r"no example is left to train on \(3 in the job, 3 of them too long"
    ):
        sft.run(job)


def test_a_projection_that_the_base_has_not_is_refused_before_anything_else(
    tiny: Path, make_job: MakeJob
) -> None:
    job = make_job(tiny, lora={"targets": ["q_proj", "c_attn"]})
    with pytest.raises(TrainingError) as refused:
        base.run(job)
    assert "no projection c_attn" in refused.value.problem
    assert "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj" in refused.value.remedy
    assert job.done("base") is None


def test_a_loss_that_is_no_number_ends_the_training(tiny: Path, make_job: MakeJob) -> None:
    job = make_job(tiny)
    base.run(job)
    from safetensors.torch import save_file

    broken = build(job.folder / "broken", "llama")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"].fill_(float("nan"))
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    record = job.stage("base") / "finished.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"folder": str(broken)}))
    with pytest.raises(TrainingError, match="the loss is no number") as ended:
        sft.run(job)
    assert "learning_rate" in ended.value.remedy


def test_training_goes_on_from_an_adapter_of_the_same_base_only(
    tiny: Path, tiny_qwen: Path, make_job: MakeJob, home: Path
) -> None:
    from linguacodus_core.adapters.registry import register

    first = make_job(tiny, training={"schedule": "constant"})
    done = trained(first)
    fields = {
        "kind": "sft",
        "base": first.base,
        "base_identity": first.base_identity,
        "architecture": "llama",
        "datasets": first.datasets,
        "config": "tiny",
        "prompt_set": "default",
        "passed": True,
    }
    register(first.stage("sft") / "adapter", {**fields, "name": "tiny-sft-1"})

    second = make_job(tiny, from_adapter="tiny-sft-1", training={"max_steps": 2, "learning_rate": 1e-5})
    assert trained(second)["loss"] < 1.02 * done["loss"]
    assert any("goes on from the adapter tiny-sft-1" in event["text"] for event in events(second, "note"))

    other = make_job(tiny_qwen, from_adapter="tiny-sft-1")
    base.run(other)
    with pytest.raises(AdapterError, match="was trained on tiny-llama@"):
        sft.run(other)


def test_an_adapter_over_another_model_is_refused(tiny: Path, make_job: MakeJob, tmp_path: Path) -> None:
    """Other widths: what PEFT says of it is translated."""
    import transformers

    job = make_job(tiny, training={"max_steps": 1})
    trained(job)
    config = transformers.AutoConfig.from_pretrained(tiny)
    config.hidden_size, config.head_dim = 32, 8
    model = transformers.AutoModelForCausalLM.from_config(config)
    with pytest.raises(AdapterError, match="does not fit this base: size mismatch"):
        with_adapter(model, job.stage("sft") / "adapter", trainable=False)


def test_curves_go_to_tensorboard_by_choice(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    monkeypatch.setenv("LINGUACODUS_TRACK", "tensorboard")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")  # put back afterwards
    monkeypatch.setenv("TRACKIO_DIR", "")
    job = make_job(tiny, training={"max_steps": 2})
    trained(job)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (file,) = (job.stage("sft") / "tensorboard").glob("events.out.tfevents.*")
    read = EventAccumulator(str(file))
    read.Reload()
    losses = [scalar.value for scalar in read.Scalars("train/loss")]
    assert losses == pytest.approx([curve(job)[1]["loss"], curve(job)[2]["loss"]])
    tokens = [scalar.value for scalar in read.Scalars("train/num_tokens")]
    assert tokens == [curve(job)[1]["tokens"], curve(job)[2]["tokens"]]


def test_a_tracker_that_is_missing_or_unknown_is_said(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(tiny)
    monkeypatch.setenv("LINGUACODUS_TRACK", "trackio")
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(TrainingError, match="the package trackio is not installed"):
        loop.arguments(job, "sft", settled(job), processor(), steps=1)
    monkeypatch.setenv("LINGUACODUS_TRACK", "paper")
    with pytest.raises(TrainingError, match="curves cannot go to 'paper'"):
        loop.arguments(job, "sft", settled(job), processor(), steps=1)


def processor() -> Any:
    from linguacodus_core.trainer.hardware import find

    return find("cpu")


def settled(job: Job) -> Any:
    from linguacodus_core.trainer.replacements import settle

    return settle(job.config, processor())


def test_the_process_says_what_is_wrong_and_does_a_finished_stage_no_more(
    tiny: Path, make_job: MakeJob
) -> None:
    def run(job: Job, stage: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "linguacodus_core.trainer", stage, str(job.folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )

    job = make_job(tiny)
    early = run(job, "sft")
    assert early.returncode == 2
    assert "is not prepared" in early.stderr
    assert [e["problem"] for e in events(job, "error")] == [f"the base of {job.name} is not prepared"]
    assert [e["remedy"] for e in events(job, "error")] == ["run the stage `base` first"]
    (job.stage("sft") / "finished.json").write_text("{}")
    assert run(job, "sft").returncode == 0
    nothing = run(Job.model_construct(folder=job.folder.parent), "sft")
    assert nothing.returncode == 2
    assert "is no fine-tune" in nothing.stderr


def test_the_loss_on_a_cpu_is_trls(tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Probabilities are asked for where something is learnt only; loss and gradients are the same."""
    changes: dict[str, Any] = {"training": {"max_steps": 3, "max_grad_norm": 1e6}}
    ours, trls = make_job(tiny, **changes), make_job(tiny, **changes)
    trained(ours)
    monkeypatch.setattr(sft.RowTrainer, "_selective", False)
    monkeypatch.setattr(sft.RowTrainer, "_loss", None)
    trained(trls)
    for step in (1, 2, 3):
        for what in ("loss", "grad_norm", "tokens"):
            assert curve(ours)[step][what] == pytest.approx(curve(trls)[step][what], rel=1e-5), (step, what)
