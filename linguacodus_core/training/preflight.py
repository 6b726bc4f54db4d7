"""What is checked before a fine-tune starts anything: bad input costs a second, not a server's start."""

from linguacodus_core.adapters.registry import open_adapter
from linguacodus_core.settings import require_writable
from linguacodus_core.training import base
from linguacodus_core.training.config import load_config
from linguacodus_core.training.launch import require_stack
from linguacodus_core.training.material import opened
from linguacodus_core.training.request import FinetuneRequest


def preflight(request: FinetuneRequest, *, training: bool = True) -> None:
    """Check configuration, base, dataset versions, adapter and the installed libraries.

    training: False where nothing is going to be trained here. Raises LinguacodusError for what is wrong.
    """
    require_writable()
    config = load_config(request.config).changed(max_steps=request.max_steps, seed=request.seed)
    base.identity(config.base)
    opened(request.datasets)
    if request.from_adapter:
        open_adapter(request.from_adapter)
    if training:
        require_stack(request.track)
