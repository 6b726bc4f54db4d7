"""Fetching an embedded model on the way, with its progress as lines of the run."""

from linguacodus_core.errors import ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.progress import say

_failed: dict[str, ModelUnavailable] = {}


def fetch_model(name: str) -> None:
    """Fetch an embedded model unless it is here, saying every tenth of it.

    Raises ModelUnavailable when it cannot be had; what failed is not tried twice in one process.
    """
    if name in _failed:
        raise _failed[name]
    try:
        models.path(name)
        return
    except ModelUnavailable:
        model = models.find(name)
    said = 0

    def progress(done: int, total: int) -> None:
        nonlocal said
        if done * 10 // total > said:
            said = done * 10 // total
            say(f"fetching {model.name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    say(f"the model {model.name} is not here yet: fetching it once")
    try:
        models.pull(model, progress)
    except ModelUnavailable as error:
        _failed[name] = error
        raise
