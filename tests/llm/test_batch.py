import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from linguacodus_core.errors import BudgetExceeded, EndpointError
from linguacodus_core.llm import batch, batch_submit, deadline
from linguacodus_core.llm.batch import Ask, Limits, collect, forget, pending, submit, waiting
from linguacodus_core.llm.batch_api import BatchApi
from linguacodus_core.llm.batch_book import Book
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger

from .conftest import ask, chat, make_profile

SCHEMA = {
    "type": "object",
    "properties": {"trees": {"type": "integer"}},
    "required": ["trees"],
    "additionalProperties": False,
}


class Server:
    """Speaks files, batches and chat.

    first: answers to give first, by "METHOD /path". hidden: how many times GET /batches lists nothing yet.
    lost: how many batches are made and answered by HTTP 502.
    """

    def __init__(self, http: HTTPServer) -> None:
        self.url = http.url_for("/v1")
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.first: dict[str, list[Response]] = {}
        self.hidden = self.lost = 0
        self.text = '{"trees": 7}'
        http.expect_request(re.compile("/v1/.*")).respond_with_handler(self.handle)

    def handle(self, request: Request) -> Response:
        path = request.path.removeprefix("/v1")
        place = re.sub(r"(batch|file)-\d+", "ID", path)
        asked = f"{request.method} {place}"
        self.asked.append(asked)
        if self.first.get(asked):
            return self.first[asked].pop(0)
        match asked:
            case "POST /files":
                assert request.form["purpose"] == "batch"
                return self.json({"id": self.keep(request.files["file"].read()), "object": "file"})
            case "POST /batches":
                made = self.json(self.made(json.loads(request.data)))
                self.lost -= 1
                return Response("bad gateway", 502) if self.lost >= 0 else made
            case "GET /batches":
                self.hidden -= 1
                listed = [] if self.hidden >= 0 else list(self.batches.values())[::-1]
                return self.json({"object": "list", "data": listed, "has_more": False})
            case "GET /batches/ID":
                found = self.batches.get(path.split("/")[-1])
                return self.json(found) if found else Response("no such batch", 404)
            case "GET /files/ID/content":
                return Response(self.files[path.split("/")[2]], 200)
            case "POST /chat/completions":
                self.bodies.append(json.loads(request.data))
                return self.json(chat(self.text))
        return Response("not here", 404)

    @staticmethod
    def json(value: Any) -> Response:
        return Response(json.dumps(value), 200, content_type="application/json")

    def keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def made(self, body: dict[str, Any]) -> dict[str, Any]:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "status": "validating",
            "created_at": 4e9,
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            **body,
        }
        return self.batches[name]

    def requests(self, name: str) -> list[dict[str, Any]]:
        content = self.files[self.batches[name]["input_file_id"]]
        return [json.loads(line) for line in content.splitlines()]

    def end(
        self,
        name: str = "batch-0",
        status: str = "completed",
        answered: int | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        """Answer the first so many requests of a batch, the rest by these errors."""
        ids = [request["custom_id"] for request in self.requests(name)]
        good = ids if answered is None else ids[:answered]
        lines = [
            {
                "custom_id": one,
                "response": {"status_code": 200, "body": chat(self.text)},
                "error": None,
            }
            for one in reversed(good)
        ]
        bad = [
            {"custom_id": one, **error} for one, error in zip(ids[len(good) :], errors or [], strict=False)
        ]
        found = self.batches[name]
        found["status"] = status
        if lines:
            found["output_file_id"] = self.keep("\n".join(map(json.dumps, lines)).encode() + b"\n")
        if bad:
            found["error_file_id"] = self.keep("\n".join(map(json.dumps, bad)).encode())
        found["request_counts"] = {"total": len(ids), "completed": len(lines), "failed": len(bad)}


@pytest.fixture
def server(httpserver: HTTPServer) -> Server:
    return Server(httpserver)


@pytest.fixture
def make(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Client]]:
    """Every client is a run of its own, with the ledger opened anew."""
    monkeypatch.setattr(batch_submit, "SETTLE_SECONDS", 0.05)
    made: list[Client] = []

    def client(budget: Budget | None = None, **changes: Any) -> Client:
        fields = {"endpoint": server.url, "max_retries": 2} | changes
        ledger = Ledger(tmp_path / "ledger.sqlite")
        made.append(Client(make_profile(**fields), ledger, budget or Budget()))
        return made[-1]

    yield client
    for one in made:
        one.close()
        one.ledger.close()


def asks(*rows: int) -> list[Ask]:
    return [Ask(ask(f"row {row}"), {"schema": SCHEMA}) for row in rows]


def done(client: Client, row: int) -> Any:
    return client.complete("extractor", ask(f"row {row}"), schema=SCHEMA)


def test_submit_and_collect_in_two_runs_leaves_nothing_to_ask(server: Server, make):
    submitted = submit(make(), "extractor", asks(*range(5)))
    assert submitted.line().startswith("5 calls submitted in 1 batch, they may cost $0.00")
    server.end()
    later = make()
    status = collect(later)
    assert (status.collected, status.failed, status.waiting) == (5, (), 0)
    assert [found.state for found in status.batches] == ["completed"]
    assert pending(later.ledger) == []
    for row in range(5):
        found = done(later, row)
        assert (found.parsed, found.cached) == ({"trees": 7}, True)
    assert server.bodies == []


def test_the_ledger_holds_a_collected_call_like_any_other_at_the_price_of_the_batch(server: Server, make):
    client = make()
    submit(client, "extractor", asks(0))
    server.end()
    assert collect(client).cost.usd == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6 / 2)
    done(client, 1)
    one, two = client.ledger.records()
    different = {name for name in one if one[name] != two[name]}
    assert different == {"key", "messages", "usd", "seconds", "created"}


def test_a_request_of_a_batch_is_the_one_of_the_usual_way(server: Server, make):
    client = make(token_field="max_completion_tokens")
    submit(client, "extractor", [Ask(ask("row 0"), {"schema": SCHEMA, "seed": 3, "max_tokens": 9})])
    (request,) = server.requests("batch-0")
    done = client.complete("extractor", ask("row 0"), schema=SCHEMA, seed=3, max_tokens=9)
    assert request == {
        "custom_id": done.key,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": server.bodies[0],
    }
    made = server.batches["batch-0"]
    assert (made["endpoint"], made["completion_window"]) == ("/v1/chat/completions", "24h")


def test_the_discount_is_the_profiles(server: Server, make):
    role = {"model": "m", "max_tokens": 50, "prices": {"input": 1.0, "output": 2.0, "batch_discount": 0.2}}
    roles = dict.fromkeys(("extractor", "instructor", "refiner", "coder"), role)
    client = make(roles=roles)
    submitted = submit(client, "extractor", asks(0))
    assert submitted.cost.usd == pytest.approx(
        0.8 * client.projected("extractor", ask("row 0"), schema=SCHEMA).usd
    )
    server.end()
    assert collect(client).cost.usd == pytest.approx(0.8 * (10 * 1.0 + 5 * 2.0) / 1e6)


@pytest.mark.parametrize("state", ["validating", "in_progress", "finalizing", "cancelling"])
def test_an_open_batch_is_left_alone(server: Server, make, state):
    client = make()
    submit(client, "extractor", asks(0, 1))
    server.batches["batch-0"] |= {
        "status": state,
        "request_counts": {"completed": 1, "failed": 0, "total": 2},
    }
    status = collect(client)
    assert (status.collected, status.waiting) == (0, 2)
    assert status.batches[0].line() == f"batch-0: {state.replace('_', ' ')}, 1 of 2"
    assert waiting(client.ledger) == {
        client.key_of("extractor", ask(f"row {row}"), schema=SCHEMA) for row in (0, 1)
    }


def test_what_came_back_with_an_error_is_listed_and_alone_submitted_again(server: Server, make):
    client = make()
    submit(client, "extractor", asks(*range(4)))
    refused = {"response": {"status_code": 400, "body": {"error": {"message": "not allowed"}}}, "error": None}
    expired = {"response": None, "error": {"code": "batch_expired", "message": "took too long"}}
    server.end(answered=2, errors=[refused, expired])
    status = collect(client)
    assert status.collected == 2
    assert sorted(failed.why for failed in status.failed) == [
        "HTTP 400: not allowed",
        "batch_expired: took too long",
    ]
    assert {failed.prompt for failed in status.failed} == {"default/test@1"}
    again = submit(make(), "extractor", asks(*range(4)))
    assert (again.submitted, again.answered) == (2, 2)
    assert {request["custom_id"] for request in server.requests("batch-1")} == {
        failed.key for failed in status.failed
    }


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_of_a_batch_that_was_cut_short_the_answers_are_kept(server: Server, make, state):
    client = make()
    submit(client, "extractor", asks(*range(4)))
    server.end(status=state, answered=3)
    status = collect(client)
    assert status.collected == 3
    assert [failed.why for failed in status.failed] == [f"no reply: the batch is {state}"]
    assert done(client, 0).cached
    assert submit(client, "extractor", asks(*range(4))).submitted == 1


def test_a_batch_that_failed_shows_why_and_its_calls_are_submitted_again(server: Server, make):
    client = make()
    submit(client, "extractor", asks(0, 1))
    problems = [{"code": "invalid_json_line", "message": "this line is no JSON", "line": 2}]
    server.batches["batch-0"] |= {"status": "failed", "errors": {"object": "list", "data": problems}}
    status = collect(client)
    assert "line 2: this line is no JSON" in status.batches[0].line()
    assert {failed.why for failed in status.failed} == {"line 2: this line is no JSON"}
    assert submit(client, "extractor", asks(0, 1)).submitted == 2


def test_nothing_is_submitted_twice(server: Server, make):
    client = make()
    done(client, 0)
    first = submit(client, "extractor", asks(0, 1, 2, 2))
    assert (first.submitted, first.answered, first.waiting) == (2, 1, 1)
    second = submit(make(), "extractor", asks(0, 1, 2, 3))
    assert (second.submitted, second.answered, second.waiting) == (1, 1, 2)
    assert submit(make(), "extractor", asks(0, 1, 2, 3)).batches == ()
    assert len(server.batches) == 2


def test_a_run_killed_after_creating_finds_its_batch_again(server: Server, make, monkeypatch):
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Book, "created", killed)
        with pytest.raises(KeyboardInterrupt):
            submit(make(), "extractor", asks(0, 1))
    again = submit(make(), "extractor", asks(0, 1, 2))
    assert (again.submitted, again.waiting) == (1, 2)
    assert len(server.batches) == 2
    server.end("batch-0")
    server.end("batch-1")
    assert collect(make()).collected == 3


def test_a_run_killed_before_creating_submits_again(server: Server, make, monkeypatch):
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BatchApi, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            submit(make(), "extractor", asks(0, 1))
    assert len(pending(make().ledger)) == 1
    again = submit(make(), "extractor", asks(0, 1))
    assert (again.submitted, again.waiting) == (2, 0)
    assert len(server.batches) == 1


def test_collect_says_which_calls_were_never_submitted(server: Server, make, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(BatchApi, "create", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            submit(make(), "extractor", asks(0, 1))
    assert {failed.why for failed in collect(make()).failed} == {"its batch was never created"}
    assert pending(make().ledger) == []


def test_a_batch_that_turns_up_late_is_waited_for(server: Server, make, monkeypatch):
    monkeypatch.setattr(batch_submit, "SETTLE_SECONDS", 0.5)
    with monkeypatch.context() as patch:
        patch.setattr(Book, "created", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            submit(make(), "extractor", asks(0))
    server.hidden = 1
    assert submit(make(), "extractor", asks(0)).waiting == 1
    assert len(server.batches) == 1


def test_a_creation_that_succeeded_behind_an_error_is_not_repeated(server: Server, make):
    server.lost = 1
    submitted = submit(make(), "extractor", asks(0))
    assert [one.remote for one in submitted.batches] == ["batch-0"]
    assert server.asked.count("POST /batches") == 1
    assert len(server.batches) == 1


@pytest.mark.parametrize("place", ["POST /files", "POST /batches"])
@pytest.mark.parametrize("status", [429, 500])
def test_a_passing_refusal_is_tried_again(server: Server, make, place, status):
    server.first[place] = [Response("not now", status, {"Retry-After": "0.05"})]
    assert submit(make(), "extractor", asks(0)).submitted == 1
    assert server.asked.count(place) == 2
    assert len(server.batches) == 1


def test_a_download_that_fails_is_tried_again_and_loses_nothing(server: Server, make):
    client = make(max_retries=0)
    submit(client, "extractor", asks(0, 1))
    server.end()
    server.first["GET /files/ID/content"] = [Response("not now", 503)]
    with pytest.raises(EndpointError, match="503"):
        collect(client)
    assert len(waiting(client.ledger)) == 2
    assert collect(client).collected == 2


def test_a_file_of_replies_may_be_longer_than_any_one_reply(server: Server, make, monkeypatch):
    monkeypatch.setattr(deadline, "MAX_BYTES", 2000)
    client = make()
    submit(client, "extractor", asks(*range(20)))
    server.end()
    assert collect(client).collected == 20


@pytest.mark.parametrize(
    ("place", "status"), [("POST /files", 404), ("POST /files", 405), ("POST /batches", 404)]
)
def test_an_endpoint_without_the_api_says_so_and_nothing_waits(server: Server, make, place, status):
    server.first[place] = [Response("no", status)]
    client = make()
    with pytest.raises(EndpointError, match=r"offers no Batch API.*\n.*leave out --batch"):
        submit(client, "extractor", asks(0))
    assert pending(client.ledger) == []


@pytest.mark.parametrize("body", ["<html>", "[]", '{"object": "batch"}'])
def test_an_answer_that_is_no_batch_is_no_batch_api(server: Server, make, body):
    server.first["POST /batches"] = [Response(body, 200, content_type="application/json")]
    with pytest.raises(EndpointError, match="offers no Batch API"):
        submit(make(), "extractor", asks(0))


def test_a_refused_batch_leaves_no_trace_and_no_cost(server: Server, make):
    server.first["POST /batches"] = [Response('{"error": {"message": "no such model"}}', 400)]
    client = make(Budget(usd=1.0))
    with pytest.raises(EndpointError, match="no such model"):
        submit(client, "extractor", asks(0))
    assert pending(client.ledger) == []
    assert client.budget.spent.usd == 0


def test_a_batch_that_may_have_been_made_stays_written_down_and_booked(server: Server, make):
    server.first["POST /batches"] = [Response("on fire", 500)]
    client = make(Budget(usd=1.0), max_retries=0)
    with pytest.raises(EndpointError, match="on fire"):
        submit(client, "extractor", asks(0))
    assert [one.remote for one in pending(client.ledger)] == [None]
    assert client.budget.spent.usd > 0
    assert submit(make(), "extractor", asks(0)).submitted == 1


def test_what_the_budget_does_not_allow_is_left(server: Server, make):
    client = make()
    one = submit(client, "extractor", asks(0)).cost.usd
    budget = Budget(usd=3.5 * one)
    submitted = submit(make(budget), "extractor", asks(*range(1, 9)))
    assert (submitted.submitted, submitted.left) == (3, 5)
    assert submitted.left_cost.usd == pytest.approx(5 * one)
    assert budget.spent.usd == pytest.approx(3 * one)
    assert submitted.line().endswith(f"5 calls are left and may cost ${5 * one:.2f}")
    assert len(server.requests("batch-1")) == 3


def test_a_budget_that_allows_nothing_is_an_error(server: Server, make):
    with pytest.raises(BudgetExceeded, match="3 calls are left and may cost"):
        submit(make(Budget(usd=0.0)), "extractor", asks(0, 1, 2))
    assert server.asked == []


def test_calls_are_split_by_the_limits(server: Server, make):
    client = make()
    assert len(submit(client, "extractor", asks(*range(5)), Limits(requests=2)).batches) == 3
    size = len(server.files["file-0"]) // 2
    by_size = submit(client, "extractor", asks(*range(10, 15)), Limits(bytes=int(2.5 * size)))
    assert [one.calls for one in by_size.batches] == [2, 2, 1]
    for name in list(server.batches):
        server.end(name)
    assert collect(client).collected == 10


def test_an_error_halfway_says_what_was_submitted(server: Server, make):
    client = make()
    server.first["POST /batches"] = [
        Response(json.dumps(server.made({"metadata": {}})), 200, content_type="application/json"),
        Response("enough", 400),
    ]
    with pytest.raises(EndpointError, match="enough; 2 calls were submitted before that"):
        submit(client, "extractor", asks(*range(4)), Limits(requests=2))
    assert [one.calls for one in pending(client.ledger)] == [2]


def test_two_runs_at_the_same_time_wait_for_each_other(server: Server, make, monkeypatch):
    monkeypatch.setattr(batch, "LOCK_SECONDS", 0.1)
    client, inside, leave = make(), threading.Event(), threading.Event()

    def hold() -> None:
        with client.ledger.alone("batches", 5):
            inside.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(5)
    try:
        with pytest.raises(EndpointError, match="another run"):
            submit(client, "extractor", asks(0))
        with pytest.raises(EndpointError, match="another run"):
            collect(client)
    finally:
        leave.set()
        holder.join()
    assert server.asked == []


def test_a_reply_that_does_not_fit_is_asked_for_again_the_usual_way(server: Server, make):
    client = make()
    server.text = '{"trees": "many"}'
    submit(client, "extractor", asks(0))
    server.end()
    assert collect(client).collected == 1
    server.text = '{"trees": 7}'
    found = done(client, 0)
    assert found.parsed == {"trees": 7}
    assert len(found.keys) == 2
    assert len(server.bodies) == 1
    assert "is not of type 'integer'" in server.bodies[0]["messages"][-1]["content"]


def test_a_reply_that_is_no_completion_is_a_failure(server: Server, make):
    client = make()
    submit(client, "extractor", asks(0, 1))
    server.end(answered=1, errors=[{"response": {"status_code": 200, "body": {"odd": 1}}}])
    status = collect(client)
    assert status.collected == 1
    assert [failed.why for failed in status.failed] == ["its reply is no chat completion"]


def test_a_finished_batch_that_names_no_file_yet_is_not_closed(server: Server, make):
    client = make()
    submit(client, "extractor", asks(0))
    counts = {"total": 1, "completed": 1, "failed": 0}
    server.batches["batch-0"] |= {"status": "completed", "request_counts": counts}
    with pytest.raises(EndpointError, match="names no file"):
        collect(client)
    assert len(waiting(client.ledger)) == 1


def test_a_batch_that_the_endpoint_lost_is_kept_until_it_is_forgotten(server: Server, make):
    client = make()
    submit(client, "extractor", asks(0))
    server.batches.clear()
    with pytest.raises(EndpointError, match="404 for the batch batch-0"):
        collect(client)
    (lost,) = pending(client.ledger)
    forget(client.ledger, lost.batch)
    assert submit(client, "extractor", asks(0)).submitted == 1


def test_no_key_is_written(server: Server, make, monkeypatch):
    monkeypatch.setenv("TEST_KEY", "sk-very-secret-1234")
    client = make(api_key_env="TEST_KEY")
    submit(client, "extractor", asks(0, 1))
    refused = {
        "response": {"status_code": 401, "body": {"error": {"message": "bad key sk-very-secret-1234"}}}
    }
    server.end(answered=1, errors=[refused])
    status = collect(client)
    assert [failed.why for failed in status.failed] == ["HTTP 401: bad key ***"]
    client.ledger.close()
    assert all(b"very-secret" not in file.read_bytes() for file in client.ledger.path.parent.glob("ledger*"))
