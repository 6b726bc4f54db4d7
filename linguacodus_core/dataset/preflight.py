"""What is checked before a rebuild starts anything: bad input costs a second, not a server's start."""

import importlib.util

from linguacodus_core.dataset.extract import ROLE
from linguacodus_core.dataset.open_source import open_source
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.work import prompts
from linguacodus_core.errors import CorpusError, ProfileError
from linguacodus_core.llm import models
from linguacodus_core.llm.adapted import models_of
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.settings import require_writable


def preflight(request: RebuildRequest) -> None:
    """Check source, profile, key, prompts, tokenizer. Raises LinguacodusError for what is wrong."""
    require_writable()
    if request.source == "kaggle":
        require_kaggle()
    else:
        open_source(request)
    if request.tokenizer:
        models.path(request.tokenizer)
    profile = load_profile(request.profile) if request.profile else None
    if profile and not request.dry_run:
        profile.require_keys()
        models_of(profile)
    if profile and profile.place_of(ROLE).own and request.batch:
        raise ProfileError(
            f"an embedded model ({request.profile}) has no Batch API",
            "leave out --batch, or name an endpoint",
        )
    prompts(profile)


def require_kaggle() -> None:
    """Raise CorpusError unless the kaggle package (the extra `kaggle`) is installed."""
    if importlib.util.find_spec("kaggle") is None:
        raise CorpusError(
            "pulling kernels needs the kaggle package, which is not installed",
            "pip install 'linguacodus[kaggle]'",
        )
