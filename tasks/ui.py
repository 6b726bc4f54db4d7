"""What every flow shows in the Prefect UI: its progress lines as logs; artifacts, as a courtesy."""

import logging
import string
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run

from linguacodus_core.progress import logger, warn

ALLOWED = string.ascii_lowercase + string.digits
"""What Prefect allows in an artifact's key, beside dashes."""


def artifact_key(name: str) -> str:
    """A name as an artifact's key."""
    return "".join(letter if letter in ALLOWED else "-" for letter in name.lower())


def short(value: object) -> object:
    """A number as a reader of a table wants it, anything else as it is."""
    return f"{value:.5g}" if isinstance(value, float) else value


@contextmanager
def courtesy() -> Iterator[None]:
    """A failure of the server is said, and nothing more: one that refuses artifacts ends no run."""
    try:
        yield
    except Exception as error:
        warn(f"an artifact of the Prefect UI is missing: {error}")


@contextmanager
def lines_in_the_ui() -> Iterator[None]:
    """Send the run's progress lines to the Prefect server too, as logs of this flow run."""
    run_id = flow_run.get_id()
    handler = APILogHandler(logging.INFO)

    def about_this_run(record: logging.LogRecord) -> bool:
        record.flow_run_id = run_id
        return True

    handler.addFilter(about_this_run)
    logger.addHandler(handler)
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
