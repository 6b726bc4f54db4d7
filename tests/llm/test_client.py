import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from linguacodus_core.errors import BudgetExceeded, EndpointError, ProfileError, Unanswered, UnusableReply
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client, ping
from linguacodus_core.llm.endpoint import projected_tokens, retry_after
from linguacodus_core.llm.ledger import Ledger

from .conftest import CHAT, ask, chat, make_profile, replies

SCHEMA = {
    "type": "object",
    "properties": {"trees": {"type": "integer"}},
    "required": ["trees"],
    "additionalProperties": False,
}


def serve(httpserver: HTTPServer, *bodies: Any) -> list[dict[str, Any]]:
    handler = replies(*bodies)
    httpserver.expect_request(CHAT, method="POST").respond_with_handler(handler)
    return handler.asked  # type: ignore[attr-defined, no-any-return]


def test_a_reply_comes_back_with_tokens_money_and_provenance(httpserver, client):
    asked = serve(httpserver, chat("hello"))
    done = client().complete("coder", ask(), seed=7, max_tokens=20, temperature=0.1)
    assert (done.text, done.parsed, done.prompt, done.model) == ("hello", None, "default/test@1", "m")
    assert (done.prompt_tokens, done.completion_tokens, done.cached) == (10, 5, False)
    assert done.usd == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)
    assert {k: asked[0][k] for k in ("seed", "max_tokens", "temperature")} == {
        "seed": 7,
        "max_tokens": 20,
        "temperature": 0.1,
    }


def test_a_known_call_is_not_made_again_and_costs_nothing(httpserver, client, ledger):
    asked = serve(httpserver, chat("hello"))
    first = client().complete("coder", ask(), seed=1)
    again = client(Budget(usd=0.0, tokens=0)).complete("coder", ask(), seed=1)
    assert len(asked) == 1
    assert (again.text, again.key, again.cached, again.usd) == ("hello", first.key, True, 0.0)
    assert again.prompt_tokens == 10
    client().complete("coder", ask(), seed=2)
    assert len(asked) == 2


def test_the_ledger_holds_the_whole_call_and_never_the_key(httpserver, client, ledger, monkeypatch):
    monkeypatch.setenv("TEST_KEY", "sk-very-secret-1234")
    serve(httpserver, chat("hello"))
    done = client(api_key_env="TEST_KEY").complete("refiner", ask("the question"))
    (row,) = ledger.records([done.key])
    assert row["role"] == "refiner"
    assert row["prompt"] == "default/test@1"
    assert row["reply"] == "hello"
    assert row["attempts"] == 1
    assert json.loads(str(row["messages"]))[0]["content"] == "the question"
    ledger.close()
    assert all(b"very-secret" not in file.read_bytes() for file in ledger.path.parent.glob("ledger*"))


def test_429_is_tried_again_after_the_time_the_server_asks_for(httpserver, client, ledger):
    asked = serve(httpserver, Response("slow down", 429, {"Retry-After": "0.3"}), chat("ok"))
    started = time.monotonic()
    done = client().complete("coder", ask())
    assert done.text == "ok"
    assert time.monotonic() - started >= 0.3
    assert len(asked) == 2
    assert ledger.records([done.key])[0]["attempts"] == 2


def test_a_wait_longer_than_the_call_may_take_fails_at_once_and_says_so(httpserver, client):
    serve(httpserver, Response("slow down", 429, {"Retry-After": "600"}))
    started = time.monotonic()
    with pytest.raises(EndpointError, match="asks to wait 600 s"):
        client().complete("coder", ask())
    assert time.monotonic() - started < 2


def test_500_is_tried_again_and_given_up_with_what_came_back(httpserver, client):
    asked = serve(httpserver, Response("the GPU is on fire", 500))
    with pytest.raises(EndpointError, match=r"HTTP 500.*the GPU is on fire.*4 attempts"):
        client().complete("coder", ask())
    assert len(asked) == 4


def test_no_credit_left_is_not_tried_again(httpserver, client):
    asked = serve(httpserver, Response('{"error": {"code": "insufficient_quota"}}', 429))
    with pytest.raises(EndpointError, match="credit"):
        client().complete("coder", ask())
    assert len(asked) == 1


@pytest.mark.parametrize(("status", "remedy"), [(401, "TEST_KEY"), (403, "TEST_KEY"), (404, "/v1")])
def test_other_4xx_fail_at_once_with_a_remedy_and_without_the_key(
    httpserver, client, monkeypatch, status, remedy
):
    monkeypatch.setenv("TEST_KEY", "my-own-secret-key")
    asked = serve(httpserver, Response("bad key my-own-secret-key or sk-abcdefghijk", status))
    with pytest.raises(EndpointError, match=remedy) as caught:
        client(api_key_env="TEST_KEY").complete("coder", ask())
    assert len(asked) == 1
    assert f"HTTP {status}" in str(caught.value)
    assert "my-own-secret-key" not in str(caught.value)
    assert "sk-abc" not in str(caught.value)


def test_a_prompt_longer_than_the_context_says_which_prompt(httpserver, client):
    serve(httpserver, Response('{"error": {"message": "exceeds the available context size"}}', 400))
    with pytest.raises(EndpointError, match="default/test@1 is too long"):
        client().complete("coder", ask(), schema=SCHEMA)


def test_html_fails_at_once_with_its_beginning(httpserver, client):
    asked = serve(httpserver, Response("<!doctype html><title>Log in</title>", 200, content_type="text/html"))
    with pytest.raises(EndpointError, match=r"web page.*Log in"):
        client().complete("coder", ask())
    assert len(asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"choices": [{"mess',
        "",
        "null",
        "[]",
        '{"choices": []}',
        '{"choices": [{"message": {"content": 3}}]}',
    ],
)
def test_a_body_that_is_no_completion_is_tried_again_then_reported(httpserver, client, body):
    asked = serve(httpserver, Response(body, 200, content_type="application/json"))
    with pytest.raises(EndpointError, match="no chat completion"):
        client(max_retries=1).complete("coder", ask())
    assert len(asked) == 2


def test_a_broken_body_once_is_survived(httpserver, client):
    serve(httpserver, Response('{"choi', 200), chat("ok"))
    assert client().complete("coder", ask()).text == "ok"


def test_a_reply_without_token_counts_is_estimated(httpserver, client):
    serve(httpserver, {"choices": [{"message": {"content": "abcdef"}}]})
    done = client().complete("coder", ask())
    assert done.completion_tokens == 2
    assert done.prompt_tokens > 0


def test_an_empty_reply_is_not_usable(httpserver, client):
    serve(httpserver, chat(None, "content_filter"))
    with pytest.raises(UnusableReply, match="content_filter"):
        client().complete("coder", ask())


def test_a_reply_that_was_cut_off_is_refused_unless_allowed(httpserver, client):
    asked = serve(httpserver, chat("half a sen", "length"))
    with pytest.raises(UnusableReply, match="max_tokens"):
        client().complete("coder", ask())
    done = client().complete("coder", ask(), allow_truncated=True)
    assert (done.text, done.finish_reason, done.cached) == ("half a sen", "length", True)
    assert len(asked) == 1


def test_an_endpoint_that_is_down_is_named(ledger):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(EndpointError, match=f"cannot reach {url}"):
            Client(make_profile(endpoint=url, max_retries=1), ledger, Budget()).complete("coder", ask())


def _raw_server(chunks: list[bytes], pause: float) -> tuple[str, threading.Event]:
    """A server that sends these bytes one after the other, pause seconds apart, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def run() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            for chunk in chunks:
                if stop.wait(pause):
                    return
                try:
                    connection.sendall(chunk)
                except OSError:
                    return
            stop.wait(30)

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1", stop


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "pause"),
    [
        ([], 0.0),
        ([HEAD, *[b" "] * 400], 0.05),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 400], 0.05),
    ],
    ids=["silent", "drips the body", "drips the headers"],
)
def test_a_slow_server_is_cut_by_the_timeout(ledger, chunks, pause):
    url, stop = _raw_server(chunks, pause)
    started = time.monotonic()
    try:
        with (
            Client(make_profile(endpoint=url), ledger, Budget()) as client,
            pytest.raises(EndpointError, match="did not answer within"),
        ):
            client.complete("coder", ask(), timeout=0.7)
    finally:
        stop.set()
    assert 0.5 < time.monotonic() - started < 3


@pytest.mark.parametrize(
    "chunks",
    [[], [HEAD, *[b" "] * 400], [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 400]],
    ids=["silent", "drips the body", "drips the headers"],
)
def test_closing_the_client_ends_a_call_that_is_under_way(ledger, chunks):
    url, stop = _raw_server(chunks, 0.05)
    budget = Budget(usd=1.0)
    client = Client(make_profile(endpoint=url), ledger, budget)
    closer = threading.Timer(0.5, client.close)
    closer.start()
    started = time.monotonic()
    try:
        with pytest.raises(EndpointError, match="given up: the run has ended"):
            client.complete("coder", ask(), timeout=15)
    finally:
        stop.set()
    assert 0.4 < time.monotonic() - started < 3
    assert client.closed
    assert budget.spent.usd > 0  # the endpoint may bill it


def test_closing_the_client_ends_the_wait_before_the_next_attempt(httpserver, client):
    asked = serve(httpserver, Response("slow down", 429, {"Retry-After": "10"}))
    one = client()
    threading.Timer(0.5, one.close).start()
    started = time.monotonic()
    with pytest.raises(EndpointError, match="the run has ended"):
        one.complete("coder", ask(), timeout=30)
    assert time.monotonic() - started < 3
    assert len(asked) == 1


def test_a_closed_client_asks_nothing(httpserver, client):
    asked = serve(httpserver, chat("hello"))
    one = client()
    one.close()
    with pytest.raises(EndpointError, match="the run has ended"):
        one.complete("coder", ask())
    assert asked == []


def test_closing_the_client_just_before_it_sends_is_said_too(httpserver, client, monkeypatch):
    @contextmanager
    def closing_first(_: float) -> Iterator[None]:
        one.close()
        yield

    asked = serve(httpserver, chat("hello"))
    one = client()
    monkeypatch.setattr("linguacodus_core.llm.deadline.deadline", closing_first)
    with pytest.raises(EndpointError, match="the run has ended"):
        one.complete("coder", ask())
    assert asked == []


def test_an_attempt_that_hangs_is_tried_again_within_the_timeout(httpserver, client):
    def handler(request: Any) -> Response:
        if not seen:
            seen.append(1)
            time.sleep(1.0)
        return Response(json.dumps(chat("ok")), 200)

    seen: list[int] = []
    httpserver.expect_request(CHAT).respond_with_handler(handler)
    assert client(attempt_timeout=0.3).complete("coder", ask()).text == "ok"


def test_a_call_that_was_never_answered_is_booked_at_what_it_may_cost(ledger):
    url, stop = _raw_server([], 0.0)
    budget = Budget(usd=1.0)
    try:
        with (
            Client(make_profile(endpoint=url, max_retries=0), ledger, budget) as client,
            pytest.raises(Unanswered),
        ):
            client.complete("coder", ask(), timeout=0.3)
    finally:
        stop.set()
    assert budget.spent.usd > 50 * 2e-6
    assert len(ledger) == 0


def test_the_runs_time_cuts_a_call_too(ledger):
    url, stop = _raw_server([], 0.0)
    started = time.monotonic()
    try:
        client = Client(make_profile(endpoint=url), ledger, Budget(seconds=0.5))
        with pytest.raises(BudgetExceeded, match="time was up"):
            client.complete("coder", ask())
    finally:
        stop.set()
    assert time.monotonic() - started < 3


def test_nothing_is_sent_when_the_budget_does_not_allow_it(httpserver, client):
    asked = serve(httpserver, chat())
    with pytest.raises(BudgetExceeded, match=r"\$0\.0000 of \$0\.0000"):
        client(Budget(usd=0.0)).complete("coder", ask())
    assert asked == []


def test_a_failed_call_costs_nothing_and_a_made_one_its_real_price(httpserver, client):
    budget = Budget(usd=1.0)
    serve(httpserver, Response("no", 400), chat("ok"))
    with pytest.raises(EndpointError):
        client(budget).complete("coder", ask())
    assert budget.spent.tokens == 0
    client(budget).complete("coder", ask())
    assert (budget.spent.tokens, budget.spent.usd) == (15, pytest.approx(2e-5))


def test_a_schema_is_sent_and_the_object_comes_back_parsed(httpserver, client, ledger):
    asked = serve(httpserver, chat('{"trees": 300}'))
    done = client().complete("coder", ask(), schema=SCHEMA)
    assert done.parsed == {"trees": 300}
    assert asked[0]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert json.loads(str(ledger.records([done.key])[0]["parameters"]))["schema"] == SCHEMA


@pytest.mark.parametrize(
    "text",
    [
        'Sure!\n```json\n{"trees": 3}\n```\nDone.',
        'I think {this} is it: {"trees": 3} as asked',
        '<think>{"trees": 9}</think>{"trees": 3}',
        'first {"wood": 1} then {"trees": 3}',
    ],
)
def test_without_schema_support_the_object_is_found_in_the_text(httpserver, client, text):
    asked = serve(httpserver, chat(text))
    done = client(schema_mode="none").complete("coder", ask(), schema=SCHEMA)
    assert done.parsed == {"trees": 3}
    assert "response_format" not in asked[0]
    assert '"trees"' in asked[0]["messages"][0]["content"]


def test_an_object_that_does_not_fit_is_asked_for_again_with_the_reason(httpserver, client, ledger):
    asked = serve(httpserver, chat('{"trees": "many"}'), chat('{"trees": 5}'))
    done = client().complete("coder", ask(), schema=SCHEMA)
    assert done.parsed == {"trees": 5}
    assert "is not of type 'integer'" in asked[1]["messages"][-1]["content"]
    assert asked[1]["messages"][-2] == {"role": "assistant", "content": '{"trees": "many"}'}
    assert len(done.keys) == len(ledger.records(done.keys)) == 2
    assert done.completion_tokens == 10


def test_a_model_that_talks_nonsense_ends_in_unusable_reply(httpserver, client):
    asked = serve(httpserver, chat("bananas are yellow"))
    with pytest.raises(UnusableReply, match=r"3 replies.*bananas"):
        client().complete("coder", ask(), schema=SCHEMA)
    assert len(asked) == 3


def test_an_object_that_was_cut_off_is_asked_for_again_more_briefly(httpserver, client):
    asked = serve(httpserver, chat('{"trees": ', "length"), chat('{"trees": 5}'))
    assert client().complete("coder", ask(), schema=SCHEMA).parsed == {"trees": 5}
    assert "briefer" in asked[1]["messages"][-1]["content"]


def test_an_endpoint_that_refuses_schemas_is_asked_in_words(httpserver, client):
    asked = serve(
        httpserver, Response('{"error": "response_format is not supported"}', 400), chat('{"trees": 5}')
    )
    one = client()
    assert one.complete("coder", ask(), schema=SCHEMA).parsed == {"trees": 5}
    assert one.complete("coder", ask("other"), schema=SCHEMA).parsed == {"trees": 5}
    assert ["response_format" in body for body in asked] == [True, False, False]


def test_equal_calls_at_the_same_time_are_made_once(httpserver, client):
    def handler(request: Any) -> Response:
        count.append(1)
        time.sleep(0.3)
        return Response(json.dumps(chat("ok")), 200)

    count: list[int] = []
    httpserver.expect_request(CHAT).respond_with_handler(handler)
    one = client(concurrency=8)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: one.complete("coder", ask(), seed=1), range(8)))
    assert len(count) == 1
    assert [completion.cached for completion in done].count(False) == 1


def test_many_threads_never_pass_the_budget_or_the_concurrency(httpserver, client):
    under_way, most = [0], [0]
    lock = threading.Lock()

    def handler(request: Any) -> Response:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return Response(json.dumps(chat("ok")), 200)

    httpserver.expect_request(CHAT).respond_with_handler(handler)
    budget = Budget(tokens=300)
    one = client(budget, concurrency=4)

    def call(number: int) -> bool:
        try:
            return bool(one.complete("coder", ask(f"question {number}")).text)
        except BudgetExceeded:
            return False

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(call, range(40)))
    assert most[0] <= 4
    assert budget.spent.tokens == 15 * sum(made) <= 300
    assert 10 <= sum(made) < 40


def test_loopback_is_reached_past_a_proxy_of_the_environment(httpserver, client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    serve(httpserver, chat("ok"))
    assert client().complete("coder", ask()).text == "ok"


def test_an_embedded_profile_needs_a_served_url(ledger: Ledger):
    with pytest.raises(ProfileError, match="not being served"):
        Client(make_profile(endpoint="embedded:smollm2"), ledger, Budget())


def test_a_role_may_go_to_another_endpoint(httpserver, ledger):
    serve(httpserver, chat("ok"))
    url = httpserver.url_for("/v1")
    client = Client(make_profile(max_retries=0), ledger, Budget(), endpoint_overrides={"coder": url})
    assert client.complete("coder", ask()).text == "ok"
    with pytest.raises(EndpointError, match="cannot reach"):
        client.complete("refiner", ask("other"))


def test_keys_are_in_no_repr(monkeypatch, ledger):
    monkeypatch.setenv("TEST_KEY", "very-secret-key")
    client = Client(make_profile(api_key_env="TEST_KEY"), ledger, Budget())
    shown = f"{client!r} {client.profile!r} {client.profile.api_key()!r} {client._endpoints!r}"
    assert "very-secret" not in shown


def test_ping_says_what_is_wrong_and_what_to_do(httpserver):
    profile = make_profile(endpoint=httpserver.url_for("/v1"))
    httpserver.expect_ordered_request("/v1/models").respond_with_json({"data": [{"id": "m"}]})
    httpserver.expect_ordered_request("/v1/models").respond_with_json({"data": [{"id": "other"}]})
    httpserver.expect_ordered_request("/v1/models").respond_with_data("<html>", status=200)
    httpserver.expect_ordered_request("/v1/models").respond_with_data("no", status=401)
    assert ping(profile).ok
    missing, page, refused = ping(profile), ping(profile), ping(profile)
    assert [check.ok for check in (missing, page, refused)] == [False, False, False]
    assert "does not offer m" in missing.detail
    assert "other" in missing.remedy
    assert "401" in refused.detail
    down = ping(make_profile())
    assert not down.ok
    assert down.remedy


def test_ping_of_an_embedded_profile_names_the_pull(httpserver):
    found = ping(make_profile(endpoint="embedded:smollm2"))
    assert not found.ok
    assert found.remedy


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers, seconds):
    assert retry_after(headers) == seconds


def test_tokens_are_projected_high_for_numbers_and_other_scripts():
    assert projected_tokens(({"role": "user", "content": "word " * 300},)) > 400
    assert projected_tokens(({"role": "user", "content": "5.1,3.5," * 100},)) >= 800
    assert projected_tokens(({"role": "user", "content": "模型" * 100},)) >= 200
