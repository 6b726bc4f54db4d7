"""Extraction through the Batch API: one run submits the calls and ends, a later one collects and goes on.

Once every call is collected, extraction finds them in the ledger; a reply that does not fit, or is not borne
out by the code, is asked for once more by the usual way.
"""

from collections.abc import Sequence

from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset.extract import ROLE
from linguacodus_core.dataset.projection import prompts
from linguacodus_core.dataset.study import StudiedShard
from linguacodus_core.errors import DatasetError
from linguacodus_core.extraction.fields import instruction_schema
from linguacodus_core.llm import batch
from linguacodus_core.llm.budget import Cost
from linguacodus_core.llm.client import Client
from linguacodus_core.progress import say


def refuse_what_waits(
    client: Client,
    curated: Sequence[CuratedShard],
    studied: Sequence[StudiedShard],
    only: frozenset[str] | None,
) -> None:
    """Raise DatasetError when calls of this extraction wait in an open batch: paid for twice otherwise."""
    waiting = batch.waiting(client.ledger)
    if not waiting:
        return
    schema, prompt_set = instruction_schema(), client.profile.prompt_set
    keys = {
        client.key_of(ROLE, rendered, schema=schema)
        for _, rendered in prompts(curated, studied, only, prompt_set)
    }
    if count := len(keys & waiting):
        raise DatasetError(
            f"{count:,} of these calls wait in a batch that was submitted and is not collected yet",
            "run the command with --batch to collect them, lest they be paid for twice",
        )


def submit_or_collect(
    client: Client,
    curated: Sequence[CuratedShard],
    studied: Sequence[StudiedShard],
    only: frozenset[str] | None,
) -> str:
    """Collect what is answered, submit what is neither answered nor waiting.

    Returns what is still waited for, in words; "" when every call is answered and extraction can go on. Calls
    that failed within a completed batch would fail in another, too: they are left to the usual way. Raises
    BudgetExceeded when the budget allows not even one call, EndpointError when there is no Batch API.
    """
    status = batch.collect(client)
    if status.batches:
        say(status.line())
    for found in status.batches:
        say(found.line())
    completed = all(found.state == "completed" for found in status.batches)
    by_chat = {failed.key for failed in status.failed} if completed else set()
    schema = instruction_schema()
    asks = [
        batch.Ask(rendered, {"schema": schema})
        for _, rendered in prompts(curated, studied, only, client.profile.prompt_set)
        if client.key_of(ROLE, rendered, schema=schema) not in by_chat
    ]
    _book_open_batches(client)
    made = batch.submit(client, ROLE, asks)
    if not made.submitted and not made.waiting:
        return ""
    return f"{made.line()}; run the same command again to collect the replies"


def _book_open_batches(client: Client) -> None:
    """What open batches may cost counts against this run's budget: an earlier run submitted them."""
    usd = sum(found.usd for found in batch.pending(client.ledger))
    if usd and client.budget.usd is not None:
        with client.budget.reserve(Cost(min(usd, client.budget.usd))) as ticket:
            ticket.settle(ticket.projected)
