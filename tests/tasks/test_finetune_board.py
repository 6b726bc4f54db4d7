"""What a fine-tune's events look like to a user."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from linguacodus_core.progress import logger
from tasks import counting
from tasks.finetune_board import Stage, step_line


def step(number: int, **values: Any) -> dict[str, Any]:
    about = {"loss": 2.0, "lr": 9.8e-4, "tokens": 1000 * number, "seconds": 10.0 * number}
    return {"event": "step", "step": number} | about | values


BEGIN = {
    "event": "begin",
    "steps": 160,
    "examples": 900,
    "rows": 320,
    "tokens": 160_000,
    "resumed_from": None,
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The lines that are said; no Prefect server is asked for artifacts."""
    said: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.INFO:
                said.append(record.getMessage())

    monkeypatch.setattr(counting, "create_progress_artifact", lambda *_, **__: None)
    handler, level = Listening(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield said
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_step_says_loss_rate_speed_and_what_is_left() -> None:
    assert step_line(step(20, loss=1.9167), step(1), 160) == (
        "step 20 of 160: loss 1.917, learning rate 9.8e-04, 100 tokens/s, 23 min left"
    )


def test_the_first_step_promises_nothing() -> None:
    assert step_line(step(1), step(1), 160) == "step 1 of 160: loss 2.000, learning rate 9.8e-04"


def test_a_loss_that_is_no_number_ends_nothing_here() -> None:
    assert step_line(step(1, loss=None, lr=None), step(1), 160) == "step 1 of 160: loss no number"


def test_speed_after_a_resume_is_that_of_this_process() -> None:
    slow_before = {"tokens": 50_000, "seconds": 90_000.0}
    said = step_line(step(52, tokens=52_000, seconds=90_020.0), step(50, **slow_before), 60)
    assert said.endswith("100 tokens/s, 80 s left")


@pytest.mark.parametrize(("seconds", "words"), [(100, "99 s"), (1000, "16 min"), (10_000, "2.8 h")])
def test_what_is_left_is_in_units_that_a_reader_wants(seconds: float, words: str) -> None:
    each = seconds / 100
    assert step_line(step(2, seconds=2 * each), step(1, seconds=each), 101).endswith(f"{words} left")


def test_a_stage_says_its_beginning_and_its_first_and_last_step(lines: list[str], monkeypatch) -> None:
    monkeypatch.setattr(counting.time, "monotonic", lambda: 1000.0)  # all within a second
    stage = Stage("sft")
    for event in [BEGIN, *(step(number) for number in range(1, 161))]:
        stage.heard(event)
    assert lines[0] == "fine-tuning: 900 examples in 320 rows, 160 steps, 160,000 tokens to read"
    assert lines[1].startswith("step 1 of 160")
    assert lines[-1].startswith("step 160 of 160")
    assert len(lines) == 3


def test_a_long_stage_says_more_but_ever_more_seldom(lines: list[str], monkeypatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(counting.time, "monotonic", lambda: now[0])
    stage = Stage("sft")
    stage.heard(BEGIN | {"steps": 3600})
    for number in range(1, 3601):
        now[0] += 10.0
        stage.heard(step(number))
    spoken = [line for line in lines if line.startswith("step ")]
    assert 60 < len(spoken) < 150  # of ten hours; every 15 seconds would be 2,400


def test_a_resumed_stage_says_from_where(lines: list[str]) -> None:
    Stage("dpo").heard(BEGIN | {"resumed_from": 40})
    assert lines == [
        "learning preferences: 900 examples in 320 rows, 160 steps, 160,000 tokens to read; "
        "going on after step 40, from its checkpoint"
    ]


def test_notes_are_said_and_unknown_events_are_not(lines: list[str]) -> None:
    stage = Stage("measure")
    stage.heard({"event": "note", "text": "CPU, 2 cores"})
    stage.heard({"event": "checkpoint", "step": 3})
    stage.heard({"event": "of a later version"})
    assert lines == ["CPU, 2 cores"]


def test_each_part_of_a_measurement_is_counted_by_itself(lines: list[str], monkeypatch) -> None:
    made: list[tuple[str, int | None]] = []
    known = counting.Counting.__init__

    def remembered(self: counting.Counting, what: str, total: int | None) -> None:
        made.append((what, total))
        known(self, what, total)

    monkeypatch.setattr(counting.Counting, "__init__", remembered)
    stage = Stage("measure")
    for what in ("losses of base", "samples of base"):
        for done in range(3):
            stage.heard({"event": "progress", "what": what, "done": done + 1, "of": 3})
    assert made == [("losses of base", 3), ("samples of base", 3)]
