from pathlib import Path

from linguacodus_core.training.history import Tail, events, steps

STEP = '{"event": "step", "step": %d, "loss": %s, "lr": 0.1, "tokens": 5, "more": "x"}\n'


def test_of_a_step_that_was_done_twice_the_last_counts(tmp_path: Path) -> None:
    lines = [
        STEP % (1, "3.0"),
        STEP % (2, "2.5"),
        STEP % (3, "2.4"),
        '{"event": "begin", "resumed_from": 1}\n',
    ]
    (tmp_path / "events.jsonl").write_text("".join([*lines, STEP % (2, "2.6"), STEP % (4, "null")]))
    made = steps(tmp_path)
    assert made["step"].to_pylist() == [1, 2, 3, 4]
    assert made["loss"].to_pylist() == [3.0, 2.6, 2.4, None]
    assert made["grad_norm"].to_pylist() == [None] * 4


def test_lines_that_a_kill_tore_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(
        b'{"event": "note", "text": "a"}\n{"event": "st\n\xff\xfe\n3\n{"no": 1}\n{"event": "end"}\n{"event": "e'
    )
    assert [event["event"] for event in events(tmp_path)] == ["note", "end"]


def test_a_stage_that_has_not_begun_has_no_steps(tmp_path: Path) -> None:
    assert steps(tmp_path).num_rows == 0
    assert events(tmp_path) == []


def test_a_tail_begins_at_the_present_end_and_waits_for_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"event": "old"}\n')
    tail = Tail(file)
    with file.open("ab", buffering=0) as stream:
        stream.write(b'{"event": "no')
        assert list(tail.new()) == []
        stream.write('te", "text": "gr\u00fc'.encode()[:-1])
        assert list(tail.new()) == []
        stream.write("\u00fc".encode()[1:] + b'n"}\n{"event": "next"}\n{')
        assert list(tail.new()) == [{"event": "note", "text": "gr\u00fcn"}, {"event": "next"}]
    assert list(tail.new()) == []


def test_a_tail_of_a_file_that_is_not_there_yet_gets_all_of_it(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl")
    assert list(tail.new()) == []
    (tmp_path / "events.jsonl").write_text('{"event": "note"}\n')
    assert list(tail.new()) == [{"event": "note"}]
