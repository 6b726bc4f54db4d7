"""What a rebuild refuses before it starts, where the profile's roles go to different places."""

from pathlib import Path

import pytest

from linguacodus_core.dataset.preflight import preflight
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.errors import AdapterError, ProfileError
from tests.adapter_files import registered

PROFILE = """
name = "own"
endpoint = "{base}"
[defaults]
model = "big"
[roles.{role}]
endpoint = "{own}"
{model}
"""


def profile(tmp_path: Path, base: str, role: str, own: str, model: str = "") -> str:
    file = tmp_path / "own.toml"
    file.write_text(PROFILE.format(base=base, role=role, own=own, model=model))
    return str(file)


@pytest.mark.usefixtures("home")
def test_a_batch_needs_an_extractor_at_an_endpoint_whatever_the_others_are(tmp_path: Path) -> None:
    far, near = "https://llm.example.org/v1", "embedded:smollm2"
    preflight(RebuildRequest(profile=profile(tmp_path, far, "coder", near), batch=True))
    preflight(RebuildRequest(profile=profile(tmp_path, near, "extractor", far, 'model = "big"'), batch=True))
    for role, base, own in (("extractor", far, near), ("coder", near, far)):
        model = 'model = "big"' if own == far else ""
        with pytest.raises(ProfileError, match="has no Batch API"):
            preflight(RebuildRequest(profile=profile(tmp_path, base, role, own, model), batch=True))


@pytest.mark.usefixtures("home")
def test_an_adapter_of_another_base_is_refused_but_not_by_a_dry_run(tmp_path: Path) -> None:
    registered(tmp_path, "alien-sft-0123abcd", base_identity="another")
    named = profile(tmp_path, "embedded:smollm2", "extractor", "adapter:alien")
    with pytest.raises(AdapterError, match="another base"):
        preflight(RebuildRequest(profile=named))
    preflight(RebuildRequest(profile=named, dry_run=True))
