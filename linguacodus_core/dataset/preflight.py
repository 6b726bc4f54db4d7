"""What is checked before a rebuild starts anything: bad input costs a second, not a server's start."""

from linguacodus_core.dataset.open_source import open_source
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.work import prompt_hashes
from linguacodus_core.llm import models
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.llm.prompts import load


def preflight(request: RebuildRequest) -> None:
    """Check source, profile, key, prompts, tokenizer. Raises LinguacodusError for what is wrong."""
    if request.source != "kaggle":
        open_source(request)
    prompt_hashes()
    if request.tokenizer:
        models.path(request.tokenizer)
    if request.profile:
        profile = load_profile(request.profile)
        profile.api_key()
        load(profile.prompt_set, "extraction")
