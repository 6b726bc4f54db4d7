"""Profiles whose roles go to different places: embedded models, adapters, other endpoints."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from linguacodus_core.adapters import registry
from linguacodus_core.adapters.manifest import GGUF
from linguacodus_core.errors import AdapterError, EndpointError, ModelUnavailable, ProfileError
from linguacodus_core.llm import adapted, models, server
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client, ping
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.place import Place
from linguacodus_core.llm.profiles import Profile, load_profile
from tests.adapter_files import SMOLLM2, random_lora, registered

from .conftest import CHAT, ask, chat, make_profile, replies

CODER = "qwen2.5-coder-0.5b-instruct-q4_k_m"


def promoted(tmp_path: Path, name: str = "small-sft-0123abcd", **changes: Any) -> None:
    registered(tmp_path, name, **changes)
    registry.promote(name)


def mixed(**instructor: Any) -> Profile:
    """A profile whose instructor goes elsewhere."""
    role = {"model": "m", "temperature": 0.5, "max_tokens": 50, "prices": {"input": 1.0, "output": 2.0}}
    roles: dict[str, Any] = dict.fromkeys(("extractor", "refiner", "coder"), role)
    return make_profile(roles=roles | {"instructor": {"model": "tuned", "max_tokens": 50, **instructor}})


def test_tuned_asks_the_promoted_adapter_for_instructions_and_the_embedded_model_for_the_rest(tmp_path: Path):
    promoted(tmp_path)
    profile = load_profile("tuned")
    assert profile.roles.instructor.model == "small-sft-0123abcd"
    assert profile.place_of("instructor") == Place(endpoint="adapter:small-sft-0123abcd")
    assert profile.roles.instructor.temperature == 0.7
    assert profile.roles.coder.model == CODER
    assert profile.places() == {
        profile.place: ("extractor", "refiner", "coder"),
        profile.place_of("instructor"): ("instructor",),
    }
    assert adapted.models_of(profile) == [CODER, SMOLLM2]


def test_tuned_without_a_promoted_adapter_says_how_to_get_one(tmp_path: Path):
    with pytest.raises(AdapterError, match="no adapter is promoted") as caught:
        load_profile("tuned")
    assert "linguacodus finetune" in caught.value.remedy
    assert "linguacodus adapters promote NAME" in caught.value.remedy
    registered(tmp_path, "small-sft-0123abcd")
    with pytest.raises(AdapterError) as caught:
        load_profile("tuned-vllm")
    assert caught.value.remedy == "linguacodus adapters promote small-sft-0123abcd"


def test_any_adapter_is_a_profile(tmp_path: Path):
    promoted(tmp_path)
    registered(tmp_path, "other-sft-4567abcd")
    profile = load_profile("adapter:other")
    assert profile.roles.instructor.model == "other-sft-4567abcd"
    assert profile.roles.instructor.endpoint == "adapter:other-sft-4567abcd"
    with pytest.raises(AdapterError, match="did you mean other-sft-4567abcd"):
        load_profile("adapter:othr-sft-4567abcd")


def test_a_newly_promoted_adapter_is_another_profile_and_other_calls(tmp_path: Path, ledger: Ledger):
    promoted(tmp_path)
    first = load_profile("tuned")
    promoted(tmp_path, "other-sft-4567abcd")
    second = load_profile("tuned")
    assert first.model_dump_json() != second.model_dump_json()
    url = "http://127.0.0.1:1/v1"
    roles = ("extractor", "instructor", "refiner", "coder")
    keys = []
    for profile in (first, second):
        with Client(profile, ledger, Budget(), endpoint_overrides=dict.fromkeys(roles, url)) as client:
            keys.append({role: client.key_of(role, ask()) for role in roles})
    assert keys[0]["instructor"] != keys[1]["instructor"]
    assert keys[0]["coder"] == keys[1]["coder"]
    assert keys[0]["instructor"] != keys[0]["refiner"]


def test_the_vllm_profile_names_the_adapter_and_its_base_at_one_endpoint(tmp_path: Path, monkeypatch):
    promoted(
        tmp_path, base="Qwen/Qwen2.5-Coder-1.5B-Instruct", base_identity="Qwen/Qwen2.5-Coder-1.5B-Instruct"
    )
    monkeypatch.setenv("VLLM_BASE_URL", "http://gpu1:8000/v1")
    profile = load_profile("tuned-vllm")
    assert profile.places() == {
        Place(endpoint="http://gpu1:8000/v1"): ("extractor", "instructor", "refiner", "coder")
    }
    assert profile.roles.instructor.model == "small-sft-0123abcd"
    assert profile.roles.coder.model == "Qwen/Qwen2.5-Coder-1.5B-Instruct"


def test_a_server_of_the_environment_takes_the_place_of_llama(tmp_path: Path, monkeypatch):
    promoted(tmp_path, gguf=None, base="some/model", base_identity="some/model")
    monkeypatch.setenv("TUNED_BASE_URL", "http://127.0.0.1:8001/v1/")
    profile = load_profile("tuned")
    assert profile.place_of("instructor") == Place(endpoint="http://127.0.0.1:8001/v1")
    assert profile.roles.instructor.model == "small-sft-0123abcd"
    assert adapted.models_of(profile) == [CODER]


OWN = """
name = "own"
endpoint = "https://llm.example.org/v1"
api_key_env = "OWN_KEY"
[defaults]
model = "big"
prices = {{ input = 5.0, output = 5.0 }}
temperature = 0.3
[roles.instructor]
{role}
"""


def own(tmp_path: Path, role: str) -> Profile:
    file = tmp_path / "own.toml"
    file.write_text(OWN.format(role=role))
    return load_profile(str(file))


def test_a_role_elsewhere_takes_sampling_from_the_defaults_but_neither_model_nor_prices(tmp_path: Path):
    registered(tmp_path, "small-sft-0123abcd")
    instructor = own(tmp_path, 'endpoint = "adapter:small"').roles.instructor
    assert (instructor.model, instructor.temperature) == ("small-sft-0123abcd", 0.3)
    assert instructor.prices.usd(10**6, 10**6) == 0.0
    embedded = own(tmp_path, 'endpoint = "embedded:smollm2"').roles.instructor
    assert embedded.model == SMOLLM2
    with pytest.raises(ProfileError, match=r"roles\.instructor\.model"):
        own(tmp_path, 'endpoint = "https://other.example.org/v1"')


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ('endpoint = "small"', r"http\(s\) URL, embedded:<model> or adapter:<name>"),
        ('endpoint = "adapter:small"\nmodel = "big"', "leave out model"),
        ('api_key_env = "OTHER_KEY"', "endpoint of the role's own"),
        ('endpoint = "http://x/v1"\nmodel = "m"\napi_key_env = "sk-123"', "NAME of an environment variable"),
    ],
)
def test_a_wrong_role_is_told(tmp_path: Path, role: str, message: str):
    registered(tmp_path, "small-sft-0123abcd")
    with pytest.raises(ProfileError) as caught:
        own(tmp_path, role)
    import re

    assert re.search(message, str(caught.value))


def test_an_adapter_of_another_base_is_refused(tmp_path: Path):
    promoted(tmp_path, base=f"embedded:{CODER}")
    with pytest.raises(AdapterError, match=f"adapter of another base: it was trained on {SMOLLM2}"):
        adapted.models_of(load_profile("tuned"))


def test_a_base_given_by_path_is_known_by_its_content(tmp_path: Path):
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF one")
    promoted(tmp_path, base=f"embedded:{file}", base_identity=models.identity(file))
    profile = load_profile("tuned")
    assert adapted.models_of(profile) == [CODER, str(file)]
    file.write_bytes(b"GGUF two")
    with pytest.raises(AdapterError, match="another base"):
        adapted.models_of(profile)


@pytest.mark.parametrize(
    "changes",
    [
        {"base": "meta-llama/Llama-3.1-8B-Instruct", "base_identity": "meta-llama/Llama-3.1-8B-Instruct"},
        {"gguf": None, "architecture": "gemma"},
    ],
)
def test_what_llama_cannot_serve_is_to_be_served_elsewhere(tmp_path: Path, changes: dict[str, Any]):
    promoted(tmp_path, **changes)
    with pytest.raises(ModelUnavailable) as caught:
        adapted.models_of(load_profile("tuned"))
    assert "--engine transformers (or vllm)" in caught.value.remedy
    assert "TUNED_BASE_URL" in caught.value.remedy


def test_a_damaged_gguf_is_told_before_anything_is_served(tmp_path: Path):
    promoted(tmp_path)
    profile = load_profile("tuned")
    (registry.open_adapter("promoted").folder / GGUF).write_bytes(b"flipped")
    with pytest.raises(AdapterError, match=r"adapter\.gguf has changed"):
        adapted.models_of(profile)


def test_prompts_that_the_adapter_does_not_know_are_told(tmp_path: Path):
    promoted(tmp_path, prompt_set="paper")
    profile = load_profile("tuned")
    assert "--prompt-set paper" in adapted.mismatch(profile, "default")
    assert adapted.mismatch(profile, "paper") == ""
    assert adapted.mismatch(load_profile("local"), "default") == ""


def test_calls_go_where_their_role_says(httpserver: HTTPServer, ledger: Ledger, tmp_path: Path, monkeypatch):
    """One server stands for the profile's endpoint, the other for vLLM with the adapter."""
    monkeypatch.setenv("BASE_KEY", "the-key-of-the-base")
    base, tuned = replies(chat("from the base")), replies(chat("from the adapter"))
    httpserver.expect_request(CHAT).respond_with_handler(base)
    with HTTPServer() as vllm:
        vllm.expect_request(CHAT).respond_with_handler(tuned)
        profile = mixed(endpoint=vllm.url_for("/v1")).model_copy(
            update={"endpoint": httpserver.url_for("/v1"), "api_key_env": "BASE_KEY"}
        )
        with (
            server.endpoints_for(profile) as (url, elsewhere),
            Client(profile, ledger, Budget(usd=1.0), url, endpoint_overrides=elsewhere) as client,
        ):
            assert elsewhere == {"instructor": vllm.url_for("/v1")}
            instruction = client.complete("instructor", ask())
            code = client.complete("coder", ask())
        sent = {request.headers["Authorization"] for request, _ in vllm.log}
        assert not any("the-key-of-the-base" in value for value in sent)
    assert (instruction.text, code.text) == ("from the adapter", "from the base")
    assert instruction.key != code.key
    assert (instruction.usd, code.usd > 0) == (0.0, True)
    assert [asked["model"] for asked in tuned.asked] == ["tuned"]  # type: ignore[attr-defined]
    assert [asked["model"] for asked in base.asked] == ["m"]  # type: ignore[attr-defined]
    assert ledger.get(instruction.key).endpoint == vllm.url_for("/v1")  # type: ignore[union-attr]
    assert ledger.get(code.key).endpoint == httpserver.url_for("/v1")  # type: ignore[union-attr]


def test_a_role_has_a_key_of_its_own(httpserver: HTTPServer, ledger: Ledger, monkeypatch):
    profile = mixed(endpoint=httpserver.url_for("/v1"), api_key_env="TUNED_KEY")
    with pytest.raises(ProfileError, match="TUNED_KEY"):
        profile.require_keys()
    assert profile.keyless().places().keys() == {
        profile.place,
        Place(endpoint=httpserver.url_for("/v1")),
    }
    monkeypatch.setenv("TUNED_KEY", "the-key-of-the-role")
    profile.require_keys()
    httpserver.expect_request(
        CHAT, headers={"Authorization": "Bearer the-key-of-the-role"}
    ).respond_with_json(chat())
    with Client(profile, ledger, Budget()) as client:
        assert client.complete("instructor", ask()).text == "hello"


def test_an_error_says_which_roles_server_it_was(httpserver: HTTPServer, ledger: Ledger):
    httpserver.expect_request(CHAT).respond_with_json(chat())
    profile = mixed(endpoint="http://127.0.0.1:1/tuned/v1").model_copy(
        update={"endpoint": httpserver.url_for("/v1"), "max_retries": 0}
    )
    with Client(profile, ledger, Budget()) as client:
        assert client.complete("coder", ask()).text == "hello"
        with pytest.raises(EndpointError, match=r"http://127.0.0.1:1/tuned/v1 \(for the instructor\)"):
            client.complete("instructor", ask())


def test_an_adapters_endpoint_is_labelled_with_its_base_and_waited_for(tmp_path: Path, ledger: Ledger):
    promoted(tmp_path)
    profile = load_profile("tuned")
    url = "http://127.0.0.1:1/v1"
    with pytest.raises(ProfileError, match=r"adapter:small-sft-0123abcd on embedded:.*not being served"):
        Client(profile, ledger, Budget(), url)
    with Client(profile, ledger, Budget(), url, endpoint_overrides={"instructor": url}) as client:
        instructor, coder = client.endpoint_of("instructor"), client.endpoint_of("coder")
    assert instructor.label == f"adapter:small-sft-0123abcd on embedded:{SMOLLM2}"
    assert instructor.words == f"{instructor.label} (for the instructor)"
    assert coder.label == f"embedded:{CODER}"
    assert coder.words == f"{coder.label} (for the extractor, refiner, coder)"
    assert instructor._restarts
    assert coder._restarts


def test_one_endpoint_that_refuses_schemas_changes_nothing_for_the_other(
    httpserver: HTTPServer, ledger: Ledger
):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    refuses = httpserver.create_matcher("/refuses/v1/chat/completions")
    takes = replies(chat('{"a": 2}'))

    def no_schema(request: Any) -> Any:
        from werkzeug import Response

        if "response_format" in json.loads(request.data):
            return Response('{"error": "response_format is not supported"}', 400)
        return Response(json.dumps(chat('{"a": 1}')), 200, content_type="application/json")

    httpserver.expect(refuses).respond_with_handler(no_schema)
    httpserver.expect_request(CHAT).respond_with_handler(takes)
    profile = mixed(endpoint=httpserver.url_for("/refuses/v1")).model_copy(
        update={"endpoint": httpserver.url_for("/v1")}
    )
    with Client(profile, ledger, Budget()) as client:
        assert client.complete("instructor", ask(), schema=schema).parsed == {"a": 1}
        assert client.complete("coder", ask(), schema=schema).parsed == {"a": 2}
        assert client.request("instructor", ask(), schema=schema).schema is None
        assert client.request("coder", ask(), schema=schema).schema == schema
    assert "response_format" in takes.asked[0]  # type: ignore[attr-defined]


def test_ping_looks_at_each_place_for_the_models_of_its_roles(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch
):
    httpserver.expect_request("/v1/models").respond_with_json({"data": [{"id": "m"}]})
    httpserver.expect_request("/tuned/v1/models").respond_with_json({"data": [{"id": "tuned"}]})
    profile = mixed(endpoint=httpserver.url_for("/tuned/v1")).model_copy(
        update={"endpoint": httpserver.url_for("/v1")}
    )
    assert [ping(profile, place=place).ok for place in profile.places()] == [True, True]
    monkeypatch.setattr(server, "require_llama", lambda: None)
    promoted(tmp_path)
    found = ping(load_profile("tuned"), place=Place(endpoint="adapter:small-sft-0123abcd"))
    assert not found.ok
    assert "models pull" in found.remedy
    promoted(tmp_path, "alien-sft-0123abcd", base_identity="another")
    found = ping(load_profile("tuned"), place=Place(endpoint="adapter:alien-sft-0123abcd"))
    assert "another base" in found.detail


class Started:
    """Stands in for server.serve and keeps what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.ended: list[str] = []
        monkeypatch.setattr(server, "serve", self.serve)

    def serve(self, model: str, **options: Any) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def served() -> Any:
            self.asked.append((model, options))
            yield f"http://127.0.0.1:{len(self.asked)}/v1"
            self.ended.append(options["alias"])

        return served()


def test_each_model_is_served_once_whichever_roles_it_plays(tmp_path: Path, monkeypatch):
    started = Started(monkeypatch)
    promoted(tmp_path)
    adapter = {"model": "small-sft-0123abcd", "endpoint": "adapter:small-sft-0123abcd", "max_tokens": 50}
    embedded = {"model": SMOLLM2, "max_tokens": 50}
    roles = {
        "extractor": {**embedded, "endpoint": "embedded:smollm2"},
        "instructor": adapter,
        "refiner": adapter,
        "coder": embedded,
    }
    profile = make_profile(endpoint=f"embedded:{SMOLLM2}", roles=roles, context=32768, concurrency=16)
    with server.endpoints_for(profile) as (url, elsewhere):
        assert url == "http://127.0.0.1:1/v1"
        assert elsewhere == {
            "extractor": "http://127.0.0.1:1/v1",
            "instructor": "http://127.0.0.1:2/v1",
            "refiner": "http://127.0.0.1:2/v1",
        }
        assert started.ended == []
    assert started.ended == ["small-sft-0123abcd", SMOLLM2]
    (_, base), (model, tuned) = started.asked
    assert (base["lora"], base["slots"]) == (None, 16)
    assert (model, tuned["alias"], tuned["slots"]) == (SMOLLM2, "small-sft-0123abcd", 4)
    assert tuned["lora"] == registry.open_adapter("promoted").gguf
    assert tuned["context"] == 8192, "what the model was trained for"


def test_a_profiles_own_model_that_plays_no_role_is_not_served(monkeypatch, ledger: Ledger):
    started = Started(monkeypatch)
    role = {"model": SMOLLM2, "endpoint": "embedded:smollm2", "max_tokens": 50}
    roles = dict.fromkeys(("extractor", "instructor", "refiner", "coder"), role)
    profile = make_profile(endpoint=f"embedded:{CODER}", roles=roles)
    with (
        server.endpoints_for(profile) as (url, elsewhere),
        Client(profile, ledger, Budget(), url, endpoint_overrides=elsewhere) as client,
    ):
        assert url == ""
        assert len(client.endpoints()) == 1
    assert [model for model, _ in started.asked] == [SMOLLM2]


def test_a_role_whose_model_cannot_be_served_is_named(tmp_path: Path, monkeypatch):
    Started(monkeypatch)
    promoted(tmp_path)
    profile = load_profile("tuned")
    (registry.open_adapter("promoted").folder / GGUF).unlink()
    with pytest.raises(AdapterError, match="no model for the instructor"), server.endpoints_for(profile):
        pass


@pytest.fixture
def tuned_smollm2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """smollm2's file, and a random adapter for it; a home of the test's own; skips where it cannot be served."""
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    pytest.importorskip("gguf", reason="the extra `train` is not installed")
    if not models.check("smollm2").ok:
        pytest.skip("smollm2 is not here: run `linguacodus models pull smollm2`")
    shelf = models.folder().resolve()
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(shelf)
    monkeypatch.setenv("LINGUACODUS_HOME", str(home))
    return models.path("smollm2"), random_lora(tmp_path / "random.gguf")


def first_tokens(url: str) -> dict[str, float]:
    """The ten likeliest first tokens of a reply, with their log-probabilities."""
    body = {
        "messages": [{"role": "user", "content": "Name a model for tables."}],
        "max_tokens": 1,
        "temperature": 0,
    }
    asked = httpx.post(
        f"{url}/chat/completions", json=body | {"logprobs": True, "top_logprobs": 10}, timeout=120
    )
    likeliest = asked.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {item["token"]: item["logprob"] for item in likeliest}


@pytest.mark.model
def test_an_adapter_changes_what_its_base_says_and_both_are_served_at_once(
    tuned_smollm2, tmp_path: Path, ledger
):
    _, lora = tuned_smollm2
    registered(tmp_path, "random-sft-0123abcd", gguf=lora.read_bytes())
    registry.promote("random")
    role = {"model": SMOLLM2, "max_tokens": 20, "temperature": 0.0}
    tuned = {"model": "random-sft-0123abcd", "endpoint": "adapter:random-sft-0123abcd", "max_tokens": 20}
    roles = dict.fromkeys(("extractor", "refiner", "coder"), role) | {
        "instructor": {**tuned, "temperature": 0.0}
    }
    profile = make_profile(
        endpoint="embedded:smollm2", roles=roles, context=1024, concurrency=1, timeout=240.0
    )
    with (
        server.endpoints_for(profile) as (url, elsewhere),
        Client(profile, ledger, Budget(usd=0.0), url, endpoint_overrides=elsewhere) as client,
    ):
        before, after = first_tokens(url), first_tokens(elsewhere["instructor"])
        common = before.keys() & after.keys()
        assert before != after
        assert not common or max(abs(before[token] - after[token]) for token in common) > 0.01
        said = [
            client.complete(role, ask("Name a model."), allow_truncated=True)
            for role in ("coder", "instructor")
        ]
        assert said[0].text != said[1].text
        assert client.endpoint_of("instructor").models(5) == ["random-sft-0123abcd"]
        assert ledger.get(said[1].key).endpoint == f"adapter:random-sft-0123abcd on embedded:{SMOLLM2}"


@pytest.mark.model
def test_a_file_that_is_no_adapter_ends_in_a_message_with_the_log(tuned_smollm2, tmp_path: Path):
    model, _ = tuned_smollm2
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(500))
    with (
        pytest.raises(ModelUnavailable, match="could not serve broken"),
        server.serve(model, lora=tmp_path / "broken.gguf", alias="broken", context=512),
    ):
        pass
