"""The Batch API in two runs, which may lie days apart: submit the calls, later collect their replies.

The calls are those that `Client.complete` would make: the same bodies, the same ledger keys. Once they
are collected, a run of the usual way finds them answered. A reply that does not fit its schema is in
the ledger as it came; the usual way then asks again for that one. Calls that the ledger knows or that
wait in an open batch are not submitted. The usual way does not look into open batches: `waiting` says
which calls are in them, lest they be paid for once more.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from linguacodus_core.errors import EndpointError
from linguacodus_core.llm.batch_api import BatchApi
from linguacodus_core.llm.batch_book import Batch, Book
from linguacodus_core.llm.batch_collect import BatchStatus, Collector, Failed, Found
from linguacodus_core.llm.batch_submit import Ask, Limits, Sender, Submission, settle
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger

__all__ = [
    "Ask",
    "Batch",
    "BatchStatus",
    "Failed",
    "Found",
    "Limits",
    "Submission",
    "collect",
    "forget",
    "pending",
    "submit",
    "waiting",
]

LOCK_SECONDS = 30.0


def submit(client: Client, role: str, asks: Iterable[Ask], limits: Limits | None = None) -> Submission:
    """Submit calls in as few batches as the limits allow; what the budget does not allow is left.

    What a batch may cost is booked in the budget when it is submitted. Raises BudgetExceeded when not
    even one call is allowed; EndpointError when the endpoint has no Batch API, does not take the
    batch, or another run is at it; StoreError when the ledger cannot be written.
    """
    with _alone(client):
        book, endpoint = Book(client.ledger), client.endpoint_of(role)
        settle(client, BatchApi(endpoint), book, endpoint.label)
        return Sender(client, role, book, limits or Limits()).send(asks)


def collect(client: Client) -> BatchStatus:
    """Look at every open batch of the client's endpoints; put what is answered into the ledger.

    A batch that ended (completed, failed, expired, cancelled) is closed: its calls without a reply
    are listed as failed and may be submitted again. The budget is not touched: the money was booked
    when the batch was submitted. Raises EndpointError when the endpoint does not answer, does not
    know a batch, or when another run is at it; what was collected until then is kept.
    """
    with _alone(client):
        book = Book(client.ledger)
        collector = Collector(book)
        for endpoint in client.endpoints():
            api = BatchApi(endpoint)
            collector.never_created(settle(client, api, book, endpoint.label))
            collector.look(api, endpoint)
        return collector.status()


def pending(ledger: Ledger) -> list[Batch]:
    """The batches that are not collected yet, at any endpoint, the oldest first; nothing is asked."""
    return Book(ledger).batches()


def waiting(ledger: Ledger) -> set[str]:
    """The ledger keys of the calls that wait in a batch that is not collected yet."""
    return Book(ledger).keys()


def forget(ledger: Ledger, batch: str) -> None:
    """Give up a batch (by Batch.batch) that the endpoint lost; its calls may be submitted again."""
    Book(ledger).drop(batch)


@contextmanager
def _alone(client: Client) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(client.ledger.alone("batches", LOCK_SECONDS, client.closing))
        except EndpointError as error:
            raise EndpointError(
                "another run is submitting or collecting batches with this ledger",
                "wait until it has ended",
            ) from error
        yield
