"""What was handed to the Batch API and is not answered yet: two tables in the ledger's file.

A batch is written down before it is created, so that a killed run never submits a call twice; a call
waits in one batch at most. When its reply lands in the ledger it leaves this book in the same
transaction.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from linguacodus_core.llm.ledger import INSERT, CallRecord, Ledger, values

CREATE = (
    """CREATE TABLE IF NOT EXISTS batches (
    batch TEXT PRIMARY KEY, endpoint TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
    remote TEXT, begun REAL NOT NULL, usd REAL NOT NULL, tokens INTEGER NOT NULL,
    input_price REAL NOT NULL, output_price REAL NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS waiting_calls (
    key TEXT PRIMARY KEY, batch TEXT NOT NULL, prompt TEXT NOT NULL, messages TEXT NOT NULL,
    parameters TEXT NOT NULL
) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS waiting_calls_of_a_batch ON waiting_calls (batch)",
)


@dataclass(frozen=True)
class Batch:
    """A batch whose replies are not collected yet.

    batch: our own id; remote: the endpoint's, None where it is not known whether it was created.
    endpoint: its label. begun: Unix time. usd and tokens: what its calls may cost. Prices: US
    dollars a million tokens, as agreed when it was begun. calls: how many wait in it.
    """

    batch: str
    endpoint: str
    role: str
    model: str
    remote: str | None
    begun: float
    usd: float
    tokens: int
    input_price: float
    output_price: float
    calls: int


@dataclass(frozen=True)
class Waiting:
    """A call that waits for its reply; messages and parameters as in a CallRecord."""

    key: str
    prompt: str
    messages: str
    parameters: str


class Book:
    """The open batches and their calls. Raises StoreError as the ledger does."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        with ledger.changing() as connection:
            for statement in CREATE:
                connection.execute(statement)

    def begin(self, batch: Batch, calls: Iterable[Waiting]) -> None:
        """Write a batch down, before anything is sent."""
        with self._ledger.changing() as connection:
            connection.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    batch.batch,
                    batch.endpoint,
                    batch.role,
                    batch.model,
                    batch.remote,
                    batch.begun,
                    batch.usd,
                    batch.tokens,
                    batch.input_price,
                    batch.output_price,
                ),
            )
            connection.executemany(
                "INSERT INTO waiting_calls VALUES (?, ?, ?, ?, ?)",
                ((call.key, batch.batch, call.prompt, call.messages, call.parameters) for call in calls),
            )

    def creating(self, batch: str) -> None:
        """The endpoint is being asked to create it now."""
        with self._ledger.changing() as connection:
            connection.execute("UPDATE batches SET begun = ? WHERE batch = ?", (time.time(), batch))

    def created(self, batch: str, remote: str) -> None:
        """The endpoint has it, under that id."""
        with self._ledger.changing() as connection:
            connection.execute("UPDATE batches SET remote = ? WHERE batch = ?", (remote, batch))

    def answered(self, records: Iterable[CallRecord]) -> None:
        """Move calls from here into the ledger."""
        found = list(records)
        with self._ledger.changing() as connection:
            connection.executemany(INSERT, map(values, found))
            connection.executemany("DELETE FROM waiting_calls WHERE key = ?", ((r.key,) for r in found))

    def drop(self, batch: str) -> None:
        """Forget a batch and the calls that still wait in it: they may be submitted again."""
        with self._ledger.changing() as connection:
            connection.execute("DELETE FROM waiting_calls WHERE batch = ?", (batch,))
            connection.execute("DELETE FROM batches WHERE batch = ?", (batch,))

    def batches(self, endpoint: str | None = None) -> list[Batch]:
        """The open batches at an endpoint (None: at any), the oldest first."""
        rows = self._ledger.query(
            "SELECT b.*, (SELECT count(*) FROM waiting_calls w WHERE w.batch = b.batch) FROM batches b "
            "WHERE ?1 IS NULL OR b.endpoint = ?1 ORDER BY b.begun, b.batch",
            (endpoint,),
        )
        return [Batch(*row) for row in rows]

    def holds(self, key: str) -> bool:
        """Whether a call waits in an open batch."""
        return bool(self._ledger.query("SELECT 1 FROM waiting_calls WHERE key = ?", (key,)))

    def call(self, key: str, batch: str) -> Waiting | None:
        """A call that waits in that batch."""
        rows = self._ledger.query(
            "SELECT key, prompt, messages, parameters FROM waiting_calls WHERE key = ? AND batch = ?",
            (key, batch),
        )
        return Waiting(*rows[0]) if rows else None

    def calls(self, batch: str) -> list[Waiting]:
        """Every call that waits in a batch."""
        rows = self._ledger.query(
            "SELECT key, prompt, messages, parameters FROM waiting_calls WHERE batch = ? ORDER BY key",
            (batch,),
        )
        return [Waiting(*row) for row in rows]

    def keys(self) -> set[str]:
        """The keys of all calls that wait."""
        return {str(key) for (key,) in self._ledger.query("SELECT key FROM waiting_calls")}
