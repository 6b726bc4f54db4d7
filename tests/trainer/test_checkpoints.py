"""What counts as a whole checkpoint."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from linguacodus_core.trainer import checkpoints


def write(folder: Path, step: int, *, sealed: bool = True) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    (checkpoint / "inner").mkdir(parents=True)
    (checkpoint / "weights").write_bytes(bytes(100))
    (checkpoint / "inner" / "state").write_bytes(b"state of step %d" % step)
    if sealed:
        checkpoints.seal(checkpoint, tokens=step * 10, seconds=1.5)
    return checkpoint


def newest(folder: Path) -> tuple[Path | None, list[str]]:
    notes: list[str] = []
    return checkpoints.newest_whole(folder, notes.append), notes


def test_the_newest_by_number_is_taken_and_says_its_state(tmp_path: Path) -> None:
    write(tmp_path, 9)
    last = write(tmp_path, 10)
    assert newest(tmp_path) == (last, [])
    assert checkpoints.state_of(last)["tokens"] == 100
    assert checkpoints.state_of(last)["step"] == 10
    assert checkpoints.newest_sealed(tmp_path) == last
    assert newest(tmp_path / "none") == (None, [])
    assert checkpoints.newest_sealed(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda c: (c / "whole.json").unlink(), "it was not finished"),
        (lambda c: (c / "whole.json").write_text('{"files": '), "its whole.json cannot be read"),
        (lambda c: (c / "whole.json").write_text("[]"), "its whole.json cannot be read"),
        (lambda c: (c / "inner" / "state").unlink(), "inner/state is missing"),
        (lambda c: (c / "weights").write_bytes(bytes(99)), "weights has another size"),
        (lambda c: (c / "weights").write_bytes(bytes(99) + b"x"), "weights has another content"),
    ],
)
def test_a_damaged_one_is_removed_with_a_note(tmp_path: Path, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    before, damaged = write(tmp_path, 5), write(tmp_path, 10)
    damage(damaged)
    assert newest(tmp_path) == (
        before,
        [f"checkpoint-10 is damaged ({said}): removed, the one before it is used"],
    )
    assert not damaged.exists()
    assert before.exists()


def test_only_damaged_ones_leave_nothing(tmp_path: Path) -> None:
    write(tmp_path, 5, sealed=False)
    assert newest(tmp_path)[0] is None
    assert not list(tmp_path.iterdir())
