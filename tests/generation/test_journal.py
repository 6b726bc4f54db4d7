import subprocess
import sys
from pathlib import Path

import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import StoreError
from linguacodus_core.generation.journal import Journal
from linguacodus_core.scoring.evaluation import Evaluation

CANDIDATE = Candidate(route="plan", label="plan", program="print('é')\n", origin={"x": "model"})


def test_what_was_added_is_there_for_the_next_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a" / "journal.jsonl")
    journal.add("candidate", 3.0, step="plan/1", candidate=CANDIDATE)
    journal.add("evaluation", 9.5, evaluation=Evaluation(candidate=CANDIDATE.id, status="scored", score=0.5))
    again = Journal(tmp_path / "a" / "journal.jsonl")
    assert again.entries == journal.entries
    assert [entry.kind for entry in again.entries] == ["start", "candidate", "evaluation"]
    assert again.entries[1].candidate == CANDIDATE
    assert again.began == journal.began > "2026"
    assert again.elapsed == 9.5


def test_a_torn_last_line_counts_as_not_written_and_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add("failure", 1.0, step="a", note="first")
    with path.open("ab") as stream:
        stream.write(b'{"kind": "failure", "elapsed": 2.0, "no')
    torn = Journal(path)
    assert [entry.step for entry in torn.entries] == ["", "a"]
    torn.add("failure", 3.0, step="b", note="second")
    assert [entry.step for entry in Journal(path).entries] == ["", "a", "b"]


def test_entries_survive_a_kill_right_after_add(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from linguacodus_core.generation.journal import Journal;"
        f"Journal(Path({str(path)!r})).add('failure', 1.0, step='kept', note='');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert [entry.step for entry in Journal(path).entries] == ["", "kept"]


def test_a_full_disk_is_one_clear_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("/dev/full is missing on this system")
    journal = Journal.__new__(Journal)
    journal.path, journal.entries = full, []
    with pytest.raises(StoreError, match="No space left"):
        journal.add("failure", 1.0, step="a", note="b")
    assert journal.entries == []
