from pathlib import Path

import pytest

from linguacodus_core.errors import ProfileError
from linguacodus_core.llm.profiles import Prices, list_profiles, load_profile
from linguacodus_core.settings import local_home

OWN = """
name = "own"
endpoint = "https://llm.example.org/v1/"
api_key_env = "OWN_KEY"
[defaults]
model = "big"
temperature = 0.3
[roles.coder]
model = "coder"
"""


def write(text: str, name: str = "own") -> Path:
    folder = local_home() / "profiles"
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("name", ["local", "openai", "vllm"])
def test_the_profiles_that_ship_are_valid(name):
    profile = load_profile(name)
    assert profile.name == name
    assert all(role.max_tokens < profile.context for _, role in profile.roles)


def test_local_is_embedded_free_and_needs_no_key():
    profile = load_profile("local")
    assert profile.place.embedded == profile.role("coder").model
    assert profile.role("coder").prices.usd(10**6, 10**6) == 0.0
    assert profile.api_key().get_secret_value() == "none"


def test_any_embedded_model_is_a_profile():
    profile = load_profile("embedded:smollm2")
    assert (profile.place.embedded, profile.role("coder").model) == ("smollm2", "smollm2-135m-instruct-q4_1")


def test_model_files_of_one_name_are_told_apart_by_content(tmp_path: Path):
    names = []
    for content in (b"GGUF one", b"GGUF two"):
        file = tmp_path / "tuned.gguf"
        file.write_bytes(content)
        names.append(load_profile(f"embedded:{file}").role("coder").model)
    assert names[0] != names[1]
    assert all(name.startswith("tuned@") for name in names)


def test_a_profile_of_ones_own_is_found_by_name_and_by_path():
    file = write(OWN)
    assert load_profile("own") == load_profile(str(file))
    profile = load_profile("own")
    assert profile.endpoint == "https://llm.example.org/v1"
    assert (profile.roles.coder.model, profile.roles.coder.temperature) == ("coder", 0.3)
    assert profile.roles.extractor.model == "big"
    assert "own" in list_profiles()


def test_an_unknown_profile_lists_the_known_and_the_close_one():
    with pytest.raises(
        ProfileError, match=r"did you mean openai\? Known: local, openai, tuned, tuned-vllm, vllm"
    ):
        load_profile("opnai")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("temperature = 0.3", "temperature = 9", "temperature"),
        ("temperature = 0.3", "heat = 9", "heat"),
        ('"https://llm.example.org/v1/"', '"llm.example.org"', r"http\(s\) URL"),
        ('"OWN_KEY"', '"sk-0123456789"', "NAME of an environment variable"),
        ("api_key_env", "api_key", "api_key"),
        ("[roles.coder]", "[roles.poet]", "poet"),
        ('model = "big"', "", "model"),
        ('model = "big"', 'model = "big"\nmax_tokens = 100000', "less than context"),
        ("[defaults]", "[defaults", "not valid TOML"),
        ('name = "own"', 'name = "own"\nroles = 3', "must be tables"),
        ('name = "own"', 'name = "own"\ntimeout = 0', "timeout"),
    ],
)
def test_a_wrong_profile_names_the_field_and_never_shows_a_key(old, new, message):
    text = OWN.replace("[roles.coder]\n", "").replace('model = "coder"\n', "") if "roles = 3" in new else OWN
    write(text.replace(old, new, 1))
    with pytest.raises(ProfileError, match=message) as caught:
        load_profile("own")
    assert "sk-0123456789" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ProfileError, match=r"nothing\.toml"):
        load_profile(str(tmp_path / "nothing.toml"))


def test_a_missing_key_names_its_variable(monkeypatch):
    write(OWN)
    with pytest.raises(ProfileError, match="export OWN_KEY"):
        load_profile("own").api_key()
    monkeypatch.setenv("OWN_KEY", " my-secret ")
    key = load_profile("own").api_key()
    assert key.get_secret_value() == "my-secret"
    assert "my-secret" not in repr(key)


def test_the_environment_may_name_the_endpoint(monkeypatch):
    monkeypatch.setenv("VLLM_BASE_URL", "http://gpu1:8000/v1/")
    assert load_profile("vllm").endpoint == "http://gpu1:8000/v1"


def test_an_unknown_embedded_model_is_a_profile_error():
    with pytest.raises(ProfileError, match="Known"):
        load_profile("embedded:llama-900b")


def test_an_unknown_role_lists_the_roles():
    with pytest.raises(ProfileError, match="extractor, instructor, refiner, coder"):
        load_profile("local").role("poet")


def test_prices_are_per_million_tokens():
    assert Prices(input=1.0, output=4.0).usd(500_000, 250_000) == pytest.approx(1.5)
