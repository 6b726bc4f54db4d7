"""events.jsonl: whole lines, valid JSON, one process writes."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer.events import Events, peak_memory
from linguacodus_core.training import history


def test_a_line_that_a_crash_tore_does_not_swallow_the_next(tmp_path: Path) -> None:
    Events(tmp_path).note("first")
    with Events(tmp_path).file.open("a") as stream:
        stream.write('{"event": "st')
    Events(tmp_path).note("second")
    assert [event["text"] for event in history.events(tmp_path)] == ["first", "second"]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    Events(tmp_path).step(3, {"loss": float("nan"), "lr": 0.5, "grad_norm": float("inf")})
    (line,) = Events(tmp_path).file.read_text().splitlines()
    assert json.loads(line, parse_constant=lambda name: pytest.fail(name)) == {
        "event": "step",
        "step": 3,
        "loss": None,
        "lr": 0.5,
        "grad_norm": None,
    }


def test_the_silent_ones_report_nothing_but_their_end(tmp_path: Path) -> None:
    silent = Events(tmp_path / "sft", silent=True)
    silent.note("x")
    silent.end({})
    assert history.events(tmp_path / "sft") == []
    silent.error(TrainingError("memory ran out", "lower it"))
    assert history.events(tmp_path / "sft") == [
        {"event": "error", "problem": "memory ran out", "remedy": "lower it"}
    ]


def test_memory_is_in_bytes() -> None:
    assert 1e7 < peak_memory() < 1e12
