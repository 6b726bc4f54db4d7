"""What a run says while it works: log records that carry the run's standing."""

import logging
from dataclasses import dataclass

logger = logging.getLogger("linguacodus")


@dataclass(frozen=True)
class Standing:
    """How a run stands: seconds used and allowed, the best score so far, what is going on."""

    elapsed: float
    limit: float
    best: str
    doing: str


def say(message: str, standing: Standing | None = None) -> None:
    """One line of progress; a display may use the standing (record.standing) for a live status."""
    logger.info(message, extra={"standing": standing})


def stand(standing: Standing) -> None:
    """Move the live status without a line."""
    logger.debug("", extra={"standing": standing})


def doing(what: str) -> None:
    """Move the live status of a run that has no time limit and no best score: only what is going on."""
    logger.debug("", extra={"doing": what})


def warn(message: str) -> None:
    """One line that the user should not miss."""
    logger.warning(message, extra={"standing": None})
