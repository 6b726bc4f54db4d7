"""What is checked before a rebuild starts anything: bad input costs a second, not a server's start."""

from linguacodus_core.dataset.open_source import open_source
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.work import prompts
from linguacodus_core.llm import models
from linguacodus_core.llm.profiles import load_profile


def preflight(request: RebuildRequest) -> None:
    """Check source, profile, key, prompts, tokenizer. Raises LinguacodusError for what is wrong."""
    if request.source != "kaggle":
        open_source(request)
    if request.tokenizer:
        models.path(request.tokenizer)
    profile = load_profile(request.profile) if request.profile else None
    if profile and not request.dry_run:
        profile.api_key()
    prompts(profile)
