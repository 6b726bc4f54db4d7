import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linguacodus_core import tables
from linguacodus_core.errors import EndpointError, StoreError
from linguacodus_core.llm.ledger import CallRecord, Ledger, call_key

ROOT = Path(__file__).parents[2]
MESSAGES = [{"role": "user", "content": "hi"}]


def record(key: str, reply: str = "hello") -> CallRecord:
    return CallRecord(
        key=key,
        role="coder",
        model="m",
        endpoint="http://localhost/v1",
        prompt="default/plan@3",
        messages="[]",
        parameters="{}",
        reply=reply,
        finish_reason="stop",
        prompt_tokens=10,
        completion_tokens=5,
        usd=0.25,
        seconds=1.5,
        attempts=1,
        created="2026-01-01T00:00:00.000+00:00",
    )


def test_what_was_put_is_there_after_opening_again(tmp_path: Path):
    with Ledger(tmp_path / "a" / "ledger.sqlite") as ledger:
        assert ledger.get("k") is None
        ledger.put(record("k"))
    with Ledger(tmp_path / "a" / "ledger.sqlite") as ledger:
        assert ledger.get("k") == record("k")


def test_rows_are_those_of_the_table_llm_calls_in_the_order_asked_for(ledger: Ledger):
    for key in "abc":
        ledger.put(record(key))
    rows = ledger.records(["c", "unknown", "a", "c"])
    assert [row["key"] for row in rows] == ["c", "a"]
    assert tables.table("llm_calls", rows).num_rows == 2
    assert len(ledger.records()) == len(ledger) == 3


def test_the_first_record_of_a_key_stays(ledger: Ledger):
    ledger.put(record("k", "first"))
    ledger.put(record("k", "second"))
    assert ledger.records(["k"])[0]["reply"] == "first"


@pytest.mark.parametrize(
    "other",
    [
        ("n", MESSAGES, {"seed": 1}, None),
        ("m", [{"role": "user", "content": "ho"}], {"seed": 1}, None),
        ("m", [{"role": "system", "content": "hi"}], {"seed": 1}, None),
        ("m", MESSAGES, {"seed": 2}, None),
        ("m", MESSAGES, {"seed": 1, "temperature": 0.0}, None),
        ("m", MESSAGES, {"seed": 1}, {"type": "object"}),
    ],
)
def test_model_messages_parameters_and_schema_each_change_the_key(other):
    assert call_key(*other) != call_key("m", MESSAGES, {"seed": 1}, None)


def test_the_key_does_not_depend_on_the_order_of_parameters():
    one = call_key("m", MESSAGES, {"seed": 1, "temperature": 0.5})
    assert one == call_key("m", MESSAGES, {"temperature": 0.5, "seed": 1})
    assert one == call_key("m", [{"content": "hi", "role": "user"}], {"seed": 1, "temperature": 0.5})


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests_record import record
from linguacodus_core.llm.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    ledger.put(record(f"{sys.argv[4]}-{number}"))
    print(number, flush=True)
"""


def _writer(path: Path, count: int, name: str) -> "subprocess.Popen[str]":
    helper = path.parent / "tests_record.py"
    helper.write_text(Path(__file__).read_text("utf-8"), "utf-8")
    command = [sys.executable, "-c", WRITER, str(path), str(count), str(path.parent), name]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_kill_9_loses_no_call_that_was_put(tmp_path: Path):
    child = _writer(tmp_path / "ledger.sqlite", 10**6, "x")
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 200:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert len(ledger) >= 201
        assert ledger.get("x-200") == record("x-200")
        ledger.put(record("after"))


def test_several_processes_write_one_ledger(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    children = [_writer(path, 100, name) for name in "abc"]
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    with Ledger(path) as ledger:
        assert len(ledger) == 300


def test_many_threads_write_one_ledger(ledger: Ledger):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: ledger.put(record(f"{number}")), range(500)))
    assert len(ledger) == 500


def test_a_forked_process_writes_the_same_ledger(ledger: Ledger):
    pid = os.fork()
    if pid == 0:
        ledger.put(record("child"))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert ledger.get("child") is not None


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\x00" + b"x" * 5000]
)
def test_a_damaged_ledger_says_what_to_do(tmp_path: Path, content: bytes):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="move the file"):
        Ledger(path)


def test_damage_found_later_is_said_too(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        for number in range(300):
            ledger.put(record(f"{number}", "x" * 500))
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError, match="damaged"), Ledger(path) as ledger:
        ledger.records()


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path):
    import sqlite3

    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="upgrade"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_place_that_cannot_be_written_is_a_store_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LINGUACODUS_HOME"):
        Ledger(tmp_path / "file" / "ledger.sqlite")


def test_a_full_disk_is_a_store_error(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk"):
        ledger.put(record("k", "x" * 50_000))


def test_waiting_for_the_same_call_ends(ledger: Ledger):
    with ledger.alone("k", 1), pytest.raises(EndpointError, match="under way"), ledger.alone("k", 0.05):
        pass
    with ledger.alone("k", 0.05):
        pass


def test_a_key_is_alone_among_processes_too_until_its_holder_dies(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    code = (
        "import sys; from pathlib import Path; from linguacodus_core.llm.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])).alone('k', 5):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with Ledger(path) as ledger:
            with pytest.raises(EndpointError, match="another process"), ledger.alone("k", 0.2):
                pass
            with ledger.alone("another key", 0.2):
                pass
            cancel = threading.Event()
            threading.Timer(0.2, cancel.set).start()
            began = time.monotonic()
            with pytest.raises(EndpointError, match="the run ended"), ledger.alone("k", 20, cancel):
                pass
            assert time.monotonic() - began < 5
            other.kill()
            with ledger.alone("k", 5):
                pass
    finally:
        other.kill()
        other.communicate()
