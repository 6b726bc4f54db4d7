# ruff: noqa: E402
"""The stage `measure`: what it asks, what the values are, and that a killed one goes on as if nothing had been."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("trl", reason="the training extra is not installed")

from linguacodus_core.errors import TrainingError
from linguacodus_core.settings import local_home
from linguacodus_core.trainer import base, measure, subjects
from linguacodus_core.trainer.encode import encode
from linguacodus_core.trainer.load import load_base, tokenizer_of, with_adapter
from linguacodus_core.training import history
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import TRAINING
from tests.trainer.conftest import ADVICE, SUBJECTS, MakeJob
from tests.trainer.tuned import Row, answer, asked, heldout, pair, prompt, with_adapter_of, write

SIZES = {"examples_per_competition": 3, "samples": 2, "max_tokens": 8, "batch": 6}
HELD_OUT = [heldout(subject, place, ADVICE[place]) for subject in SUBJECTS for place in (4, 2, 3, 1)]
PAIRS = [pair(1, "heldout"), pair(2, "heldout", ADVICE[2], ADVICE[3]), pair(3, "train")]
MEASURED = ("losses", "samples", "preferences")


def job_with(make_job: MakeJob, folder: Path, rows: Sequence[Row] = HELD_OUT, **changes: Any) -> Job:
    evaluation = SIZES | changes.pop("evaluation", {})
    tables = {"asked": asked(*SUBJECTS), "pairs": PAIRS} | changes.pop("tables", {})
    job = make_job(folder, evaluation=evaluation, **changes)
    return write(with_adapter_of(job, size=0.1), heldout=rows, **tables)


def measured(job: Job) -> dict[str, list[dict[str, Any]]]:
    measure.run(job)
    return tables(job)


def tables(job: Job) -> dict[str, list[dict[str, Any]]]:
    found = {name: job.table(f"measure/{name}") for name in MEASURED}
    assert all(found[name].schema.equals(TRAINING[name]) for name in MEASURED)
    return {name: found[name].to_pylist() for name in MEASURED}


def of_bases() -> Path:
    return local_home() / "bases" / measure.OF_BASES


def forget_bases() -> None:
    shutil.rmtree(of_bases(), ignore_errors=True)


def notes(job: Job) -> str:
    return "\n".join(
        event["text"] for event in history.events(job.stage("measure")) if event["event"] == "note"
    )


def direct(model: Any, tokenizer: Any, messages: Sequence[Any], said: str) -> float:
    """The completion's negative log-likelihood by the definition."""
    asked_for, completion = encode(tokenizer, messages, answer(said))
    with torch.no_grad():
        chances = model(torch.tensor([asked_for + completion])).logits[0].double().log_softmax(-1)
    return -sum(float(chances[len(asked_for) - 1 + at, token]) for at, token in enumerate(completion))


def test_losses_are_those_of_one_by_one_with_the_adapter_beside_the_base(
    tiny: Path, make_job: MakeJob
) -> None:
    """The best three examples of each competition; `other` is the completion after another one's prompt."""
    job = job_with(make_job, tiny)
    losses = measured(job)["losses"]
    models = {name: load_base(job, tiny, for_training=False) for name in ("base", "sft")}
    models["sft"] = with_adapter(models["sft"], job.stage("sft") / "adapter", trainable=False)
    tokenizer = tokenizer_of(tiny)
    ring = sorted(SUBJECTS)
    strangers = {name: ring[(at + 2) % 4] for at, name in enumerate(ring)}
    assert len(losses) == 2 * 4 * 3 * 2
    for row in losses:
        place = int(row["example"].rsplit("-", 1)[1])
        assert place <= 3
        whose = row["competition"] if row["prompt"] == "own" else strangers[row["competition"]]
        expected = direct(models[row["subject"]], tokenizer, prompt(whose, place), ADVICE[place])
        assert row["nll"] == pytest.approx(expected, abs=2e-3)
        assert row["tokens"] == len(encode(tokenizer, prompt(whose, place), answer(ADVICE[place]))[1])
    values = {(row["subject"], row["example"], row["prompt"]): row["nll"] for row in losses}
    for (subject, name, which), nll in values.items():
        assert abs(nll - values[subject, name, {"own": "other", "other": "own"}[which]]) > 1e-2
        assert abs(nll - values[{"base": "sft", "sft": "base"}[subject], name, which]) > 1e-2


def test_held_out_pairs_are_read_under_their_own_prompt(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny)
    rows = measured(job)["preferences"]
    assert {(row["pair"], row["subject"]) for row in rows} == {
        (name, subject) for name in ("p1", "p2") for subject in ("base", "sft")
    }
    model, tokenizer = load_base(job, tiny, for_training=False), tokenizer_of(tiny)
    (row,) = [row for row in rows if row["pair"] == "p2" and row["subject"] == "base"]
    for which, said in (("chosen", ADVICE[2]), ("rejected", ADVICE[3])):
        assert row[f"{which}_nll"] == pytest.approx(
            direct(model, tokenizer, prompt(SUBJECTS[2], 3), said), abs=2e-3
        )
        assert row[f"{which}_tokens"] == len(encode(tokenizer, prompt("x", 1), answer(said))[1])


def test_samples_are_as_many_as_asked_for_of_each_place_and_subject(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny)
    rows = measured(job)["samples"]
    wanted = {(s, c, p, n) for s in ("base", "sft") for c in SUBJECTS for p in (1, 2, 3) for n in (0, 1)}
    assert {(row["subject"], row["competition"], row["place"], row["sample"]) for row in rows} == wanted
    assert len({row["text"] for row in rows}) > 0.9 * len(rows)
    assert all(0 < row["tokens"] <= 8 for row in rows)
    assert all(row["tokens"] == 8 for row in rows if row["cut"])
    summary = job.done("measure")
    assert summary is not None
    assert summary["subjects"] == ["base", "sft"]
    assert (summary["competitions"], summary["samples"], summary["losses"]) == (4, 48, 48)
    assert not (job.stage("measure") / "parts").exists()
    progress = [event for event in history.events(job.stage("measure")) if event["event"] == "progress"]
    assert [(event["done"], event["of"]) for event in progress] == [(at, 8) for at in range(1, 9)]


def test_what_is_drawn_does_not_depend_on_the_batch(tiny: Path, make_job: MakeJob) -> None:
    one = job_with(make_job, tiny)
    other = job_with(make_job, tiny, evaluation={"batch": 4})
    assert measured(one)["samples"] == measured(other)["samples"]


class Killed:
    """Draws as the trainer does, and is killed at one of the times; counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int = 0) -> None:
        self.times, self._at, self._draw = 0, at, measure.draw
        monkeypatch.setattr(measure, "draw", self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.times += 1
        if self.times == self._at:
            raise KeyboardInterrupt
        return self._draw(*given, **named)


def killed(job: Job, at: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Killed(patch, at)
        with pytest.raises(KeyboardInterrupt):
            measure.run(job)
    assert job.done("measure") is None
    assert not (job.stage("measure") / "samples.parquet").exists()


@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_killed_measurement_goes_on_and_says_the_same(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Killed while it draws; what was measured before is not measured again."""
    unbroken = measured(job_with(make_job, tiny))
    forget_bases()
    job = job_with(make_job, tiny)
    killed(job, at)
    again = Killed(monkeypatch)
    assert measured(job) == unbroken
    assert again.times == 8 - (at - 1)


def test_a_base_is_asked_the_same_once(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a second fine-tune not again, unless it asks for something else."""
    forget_bases()
    measured(job_with(make_job, tiny))
    drawing = Killed(monkeypatch)
    measured(job_with(make_job, tiny))
    assert drawing.times == 4
    measured(job_with(make_job, tiny, evaluation={"temperature": 0.9}))
    assert drawing.times == 4 + 8


def test_a_torn_part_and_those_of_another_adapter_are_not_taken(tiny: Path, make_job: MakeJob) -> None:
    forget_bases()
    job = job_with(make_job, tiny)
    killed(job, 8)
    torn = sorted(of_bases().glob("losses-*"))
    assert len(torn) == 4
    torn[0].write_bytes(torn[0].read_bytes()[:-20])
    with_adapter_of(job, seed=9, size=0.1)
    fresh = with_adapter_of(job_with(make_job, tiny), seed=9, size=0.1)
    assert measured(job) == measured(fresh)


def test_the_preference_stage_is_measured_where_there_was_one(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny)
    shutil.copytree(job.stage("sft"), job.stage("dpo"))
    found = measured(job)
    for name in MEASURED:
        assert {row["subject"] for row in found[name]} == {"base", "sft", "dpo"}
    losses = {
        subject: [row["nll"] for row in found["losses"] if row["subject"] == subject]
        for subject in ("sft", "dpo")
    }
    assert losses["sft"] == losses["dpo"]


def test_a_quantized_base_is_measured_whole_where_it_fits(
    tiny: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measured(job_with(make_job, tiny))
    job = job_with(make_job, tiny, quantization={"bits": 4})
    assert measured(job) == whole
    summary = job.done("measure")
    assert summary is not None
    assert not summary["quantized"]
    monkeypatch.setattr(subjects, "ROOM", 1e12)
    small = job_with(make_job, tiny, quantization={"bits": 4})
    rounded = measured(small)
    assert "measured as trained, in 4 bits" in notes(small)
    assert [row["nll"] for row in rounded["losses"]] != [row["nll"] for row in whole["losses"]]


def test_examples_without_a_place_are_chosen_by_hash_and_the_same_every_time(
    tiny: Path, make_job: MakeJob
) -> None:
    rows = [
        heldout(subject, None, ADVICE[at % 5], f"{subject}-u{at}")
        for subject in SUBJECTS[:2]
        for at in range(9)
    ]
    ranked = [*rows, heldout(SUBJECTS[0], 7, ADVICE[0])]
    evaluation = {"samples": 1, "max_tokens": 8, "examples_per_competition": 4}
    found = [
        {row["example"] for row in measured(job_with(make_job, tiny, some, evaluation=evaluation))["losses"]}
        for some in (ranked, ranked[::-1])
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 8
    assert f"{SUBJECTS[0]}-7" in found[0]
    assert found[0] != {f"{subject}-u{at}" for subject in SUBJECTS[:2] for at in range(4)}


def test_one_competition_alone_has_no_other_prompt(tiny: Path, make_job: MakeJob) -> None:
    job = job_with(make_job, tiny, HELD_OUT[:4], tables={"asked": asked(SUBJECTS[0]), "pairs": ()})
    found = measured(job)
    assert {row["prompt"] for row in found["losses"]} == {"own"}
    assert found["preferences"] == []
    assert "one competition alone is held out" in notes(job)


def test_examples_that_are_too_long_are_left_out_and_said(tiny: Path, make_job: MakeJob) -> None:
    long = heldout(SUBJECTS[0], 1, " ".join(ADVICE * 12), "long")
    job = job_with(make_job, tiny, [*HELD_OUT[:3], long, *HELD_OUT[4:]])
    assert "long" not in {row["example"] for row in measured(job)["losses"]}
    assert "1 held-out examples are longer than training.max_length = 256" in notes(job)


def test_what_cannot_be_measured_is_told(tiny: Path, make_job: MakeJob) -> None:
    empty = job_with(make_job, tiny, (), tables={"asked": (), "pairs": ()})
    with pytest.raises(TrainingError, match="no held-out competition to measure on"):
        measure.run(empty)
    untrained = write(make_job(tiny), heldout=HELD_OUT, asked=asked(*SUBJECTS))
    base.run(untrained)
    with pytest.raises(TrainingError, match="no adapter to measure yet"):
        measure.run(untrained)
    gone = job_with(make_job, tiny)
    shutil.rmtree(gone.stage("sft") / "adapter")
    with pytest.raises(TrainingError, match="cannot be read"):
        measure.run(gone)
