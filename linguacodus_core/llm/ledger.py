"""The ledger: every LLM call once, in SQLite, committed call by call; it answers a call that it knows.

The key of a call is the SHA-256 of model, messages, parameters and schema. Several threads and
several processes may use one file; a killed process loses only the calls that were under way. No
API key is ever written.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from linguacodus_core.errors import EndpointError, StoreError

VERSION = 1
BUSY_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.1
CREATE = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, role TEXT NOT NULL, model TEXT NOT NULL, endpoint TEXT NOT NULL,
    prompt TEXT NOT NULL, messages TEXT NOT NULL, parameters TEXT NOT NULL,
    reply TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    usd REAL NOT NULL, seconds REAL NOT NULL, attempts INTEGER NOT NULL, created TEXT NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as a row of the table llm_calls.

    messages and parameters are JSON text (the schema is among the parameters); usd and seconds are
    what the call took when it was made; attempts counts the retries too; created is UTC, ISO 8601.
    """

    key: str
    role: str
    model: str
    endpoint: str
    prompt: str
    messages: str
    parameters: str
    reply: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    usd: float
    seconds: float
    attempts: int
    created: str


COLUMNS = tuple(field.name for field in fields(CallRecord))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM calls WHERE key = ?"
INSERT = f"INSERT OR IGNORE INTO calls ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
values = attrgetter(*COLUMNS)
"""A record as a row, in the order of COLUMNS."""


def call_key(
    model: str,
    messages: Sequence[Mapping[str, str]],
    parameters: Mapping[str, Any],
    schema: Mapping[str, Any] | None = None,
) -> str:
    """The SHA-256 (hex) that stands for a call: equal calls, equal keys, in every process.

    The schema's own order counts: constrained decoding writes the fields in it.
    """
    parts = [
        model,
        [dict(sorted(message.items())) for message in messages],
        dict(sorted(parameters.items())),
        schema,
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


class Ledger:
    """The calls that were made, by key. Thread-safe; safe with several processes on one file."""

    def __init__(self, path: Path) -> None:
        """Open or create the ledger. Raises StoreError when the file is damaged or cannot be written."""
        self.path = Path(path)
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._users_of_keys = threading.Lock()
        self._alone: dict[str, tuple[threading.Lock, int]] = {}
        self._pid = os.getpid()
        with self._described():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._calls_under_way = self.path.with_name(f"{self.path.name}.lock").open("a")
            self._connect()

    def get(self, key: str) -> CallRecord | None:
        """The call of that key, None when it was never made."""
        found = self.query(SELECT, (key,))
        return CallRecord(*found[0]) if found else None

    def knows(self, key: str) -> bool:
        """Whether the call of that key was made."""
        return bool(self.query("SELECT 1 FROM calls WHERE key = ?", (key,)))

    def put(self, record: CallRecord) -> None:
        """Add a call, committed on return. A key that is there already keeps its first record."""
        with self.changing() as connection:
            connection.execute(INSERT, values(record))

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed when the block ends, undone when it raises; other threads wait.

        For tables that must change together with the calls.
        """
        with self._described(), self._lock:
            self._same_process()
            with self._connection:
                yield self._connection

    def records(self, keys: Iterable[str] | None = None) -> list[dict[str, object]]:
        """Rows of the table llm_calls: those of keys in their order (unknown ones left out), or all."""
        if keys is None:
            found = self.query(f"SELECT {', '.join(COLUMNS)} FROM calls ORDER BY created, key")
            return [asdict(CallRecord(*row)) for row in found]
        rows = (self.get(key) for key in dict.fromkeys(keys))
        return [asdict(record) for record in rows if record is not None]

    def __len__(self) -> int:
        return int(self.query("SELECT count(*) FROM calls")[0][0])

    @contextmanager
    def alone(self, key: str, timeout: float, cancel: threading.Event | None = None) -> Iterator[None]:
        """Let one thread of one process make the call of a key; the others wait, then find it made.

        A process that dies lets go of its keys.

        Raises EndpointError when the wait passes timeout (seconds), or `cancel` is set meanwhile.
        """
        until = time.monotonic() + timeout
        with self._users_of_keys:
            lock, users = self._alone.get(key, (threading.Lock(), 0))
            self._alone[key] = (lock, users + 1)
        try:
            if not lock.acquire(timeout=timeout):
                raise _under_way("thread")
            try:
                with self._alone_among_processes(key, until, cancel or threading.Event()):
                    yield
            finally:
                lock.release()
        finally:
            with self._users_of_keys:
                users = self._alone[key][1] - 1
                if users:
                    self._alone[key] = (lock, users)
                else:
                    del self._alone[key]

    @contextmanager
    def _alone_among_processes(self, key: str, until: float, cancel: threading.Event) -> Iterator[None]:
        """The same among processes: each key is one byte of the lock file, which its process locks."""
        byte = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7])
        while True:
            try:
                fcntl.lockf(self._calls_under_way, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
                break
            except ValueError as error:
                raise self._is_closed() from error
            except (BlockingIOError, PermissionError):
                if cancel.wait(ASK_AGAIN_SECONDS):
                    raise EndpointError("the run ended while another process made the same call") from None
                if time.monotonic() >= until:
                    raise _under_way("process") from None
        try:
            yield
        finally:
            with suppress(ValueError):  # a closed file holds no lock any more
                fcntl.lockf(self._calls_under_way, fcntl.LOCK_UN, 1, byte)

    def close(self) -> None:
        """Close the file; what was put is kept."""
        with self._lock, self._reading:
            self._connection.close()
            self._reader.close()
            self._calls_under_way.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, as of the last commit; waits for no other thread's transaction."""
        with self._described(), self._reading:
            self._same_process()
            return self._reader.execute(sql, parameters).fetchall()

    def _connect(self) -> None:
        self._connection = self._open()
        self._reader = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            connection.close()
            raise StoreError(
                f"the ledger {self.path} is of format {version}; this version of Linguacodus knows {VERSION}",
                "upgrade Linguacodus, or use another LINGUACODUS_HOME",
            )
        with connection:
            connection.execute(CREATE)
            if version != VERSION:
                connection.execute(f"PRAGMA user_version = {VERSION}")
        return connection

    def _same_process(self) -> None:
        if os.getpid() != self._pid:  # a connection must not be carried through a fork
            self._connect()
            self._pid = os.getpid()

    def _is_closed(self) -> StoreError:
        return StoreError(f"the ledger {self.path} is closed", "open it again")

    @contextmanager
    def _described(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise self._is_closed() from error
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"the ledger {self.path} cannot be used: {error}",
                "free some disk space, check the folder's permissions, or wait for the process that holds it",
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the ledger {self.path} is damaged: {error}",
                "move the file and its -wal and -shm neighbours away; calls that it held will be made again",
            ) from error
        except OSError as error:
            raise StoreError(
                f"the ledger {self.path} cannot be made: {error.strerror or error}",
                "free some disk space, or point LINGUACODUS_HOME at a folder you can write to",
            ) from error


def _under_way(where: str) -> EndpointError:
    return EndpointError(
        f"the same call is under way in another {where}, and did not end in time",
        "give the call more time (timeout in the profile)",
    )
