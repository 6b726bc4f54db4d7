"""What every flow shows in the Prefect UI: its progress lines as logs; artifacts, as a courtesy."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run

from linguacodus_core.progress import logger, warn


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
