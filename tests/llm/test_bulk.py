import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from linguacodus_core.errors import (
    BudgetExceeded,
    EndpointError,
    PromptTooLong,
    StoreError,
    UnusableReply,
)
from linguacodus_core.llm import bulk
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.bulk import each
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.meter import Meter
from linguacodus_core.llm.progress import Progress, Tally, duration

from .conftest import CHAT, ask, chat, make_profile

PRICE = (10 * 1.0 + 5 * 2.0) / 1e6


class Server:
    """Answers "answer N" to "row N". odd: another answer, by row. held: rows that wait until so many
    requests came."""

    def __init__(self, http: HTTPServer) -> None:
        self.url = http.url_for("/v1")
        self.held: dict[int, int] = {}
        self.odd: Callable[[int], Response | None] = lambda row: None
        self.asked: list[int] = []
        self.now = self.most = 0
        self._lock = threading.Lock()
        http.expect_request(CHAT).respond_with_handler(self.answer)

    def answer(self, request: Any) -> Response:
        row = int(json.loads(request.data)["messages"][0]["content"].split()[1])
        with self._lock:
            self.asked.append(row)
            self.now += 1
            self.most = max(self.most, self.now)
        until = time.monotonic() + 3
        while len(self.asked) < self.held.get(row, 0) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.002)
        with self._lock:
            self.now -= 1
        return self.odd(row) or Response(json.dumps(chat(f"answer {row}")), content_type="application/json")


@pytest.fixture(scope="module")
def _threaded() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as http:
        yield http


@pytest.fixture
def server(_threaded: HTTPServer) -> Iterator[Server]:
    yield Server(_threaded)
    _threaded.clear()


@pytest.fixture
def make(server: Server, ledger: Any) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def client(budget: Budget | None = None, **changes: Any) -> Client:
        fields = {"endpoint": server.url, "concurrency": 4, "max_retries": 1} | changes
        made.append(Client(make_profile(**fields), ledger, budget or Budget()))
        return made[-1]

    yield client
    for one in made:
        one.close()


def asking(client: Client) -> Callable[[int], str]:
    return lambda row: client.complete("extractor", ask(f"row {row}")).text


def test_every_row_comes_back_with_its_result_in_the_order_of_completion(server: Server, make):
    server.held = {0: 20, 1: 4}
    client = make()
    found = list(each(client, range(30), asking(client)))
    assert sorted(found) == [(row, f"answer {row}") for row in range(30)]
    assert found.index((0, "answer 0")) > 10
    assert server.most == 4


def test_a_result_is_in_the_ledger_before_it_is_handed_on(make, ledger):
    client = make()
    for row, _ in each(client, range(10), asking(client)):
        assert ledger.knows(client.key_of("extractor", ask(f"row {row}")))


def test_rows_are_pulled_as_workers_become_free(server: Server, make):
    client = make()
    pulled: list[int] = []

    def rows() -> Iterator[int]:
        for row in itertools.count():
            pulled.append(row)
            yield row

    results = each(client, rows(), asking(client))
    next(results)
    time.sleep(0.3)
    assert len(pulled) <= 4 * bulk.ROOM + 1
    results.close()  # type: ignore[attr-defined]
    begun = len(pulled)
    time.sleep(0.1)
    assert len(pulled) == begun


def test_an_error_of_one_row_is_its_result(server: Server, make):
    odd = {
        2: chat("", "content_filter"),
        5: Response('{"error": "this exceeds the context size"}', 400),
        7: Response('{"error": "the words of this prompt are not allowed"}', 400),
        8: Response("out of memory", 500),
        20: Response("slow down", 429),
    }
    server.odd = lambda row: (
        Response(json.dumps(odd[row]), 200) if isinstance(odd.get(row), dict) else odd.get(row)  # type: ignore[return-value]
    )
    client = make()
    found = dict(each(client, range(40), asking(client)))
    errors = {row: type(result) for row, result in found.items() if isinstance(result, Exception)}
    own = {2: UnusableReply, 5: PromptTooLong, 7: EndpointError, 8: EndpointError, 20: EndpointError}
    assert errors == own
    assert sum(isinstance(result, str) for result in found.values()) == 35


def test_the_budget_ends_the_work_before_it_is_passed_and_says_what_is_left(server: Server, make):
    budget = Budget(usd=12 * PRICE + 110e-6)  # a call may cost 50 tokens more than it does
    client = make(budget)
    found = []
    with pytest.raises(BudgetExceeded) as caught:
        found.extend(each(client, range(100), asking(client)))
    assert budget.spent.usd <= 12 * PRICE + 110e-6
    assert len(server.asked) == round(budget.spent.usd / PRICE) >= 5
    made = len(server.asked)
    assert f"{made} rows are done, {100 - made} are left and may cost about $0.00" in str(caught.value)
    assert "--budget-usd" in caught.value.remedy


def test_after_the_budget_is_raised_only_the_rest_is_asked(server: Server, make):
    client = make(Budget(tokens=300))
    seen: list[int] = []
    with pytest.raises(BudgetExceeded):
        seen.extend(row for row, _ in each(client, range(20), asking(client)))
    assert sorted(seen) == sorted(server.asked)
    progress: list[Progress] = []
    again = make()
    assert len(list(each(again, range(20), asking(again), on_done=progress.append))) == 20
    assert sorted(server.asked) == list(range(20))
    assert progress[-1].cached == len(seen)


@pytest.mark.parametrize(
    ("status", "text"), [(401, "no"), (404, "no"), (429, '{"error": {"code": "insufficient_quota"}}')]
)
def test_a_refusal_that_everyone_meets_ends_the_work_at_once(server: Server, make, status, text):
    server.odd = lambda row: Response(text, status) if row >= 10 else None
    client = make()
    seen: list[Any] = []
    with pytest.raises(EndpointError, match=rf"HTTP {status}.*; \d+ rows are done, \d+ are left"):
        seen.extend(each(client, range(1000), asking(client)))
    assert sorted(seen) == [(row, f"answer {row}") for row in range(10)]
    assert len(server.asked) <= 14


def test_an_endpoint_that_cannot_be_reached_ends_the_work(ledger):
    client = Client(make_profile(max_retries=1), ledger, Budget())
    with pytest.raises(EndpointError, match=r"cannot reach.*; 0 rows are done, 100 are left"):
        list(each(client, range(100), asking(client)))


def test_an_endpoint_that_answers_nobody_any_more_ends_the_work(server: Server, make):
    server.odd = lambda row: Response("the GPU is gone", 500) if row >= 20 else None
    client = make(max_retries=0)
    seen: list[Any] = []
    with pytest.raises(EndpointError, match="the GPU is gone"):
        seen.extend(each(client, range(1000), asking(client)))
    assert sorted(row for row, result in seen if isinstance(result, str)) == list(range(20))
    assert len(server.asked) < 40


def test_a_ledger_that_fails_ends_the_work(server: Server, make, ledger):
    client = make()
    with pytest.raises(StoreError, match=r"closed.*rows are done"):
        list(each(client, range(100), asking(client), on_done=lambda _: ledger.close()))


def test_a_closed_client_ends_the_work(make):
    client = make()
    with pytest.raises(EndpointError, match="the run has ended"):
        list(each(client, range(100), asking(client), on_done=lambda _: client.close()))


def test_a_bug_in_ask_or_in_the_rows_is_raised_as_it_is(make):
    client = make()

    def broken(row: int) -> str:
        return asking(client)(row) if row < 5 else str(1 / 0)

    def rows() -> Iterator[int]:
        yield from range(5)
        raise KeyError("no such column")

    with pytest.raises(ZeroDivisionError):
        list(each(client, range(100), broken))
    seen: list[Any] = []
    with pytest.raises(KeyError):
        seen.extend(each(client, rows(), asking(client)))
    assert len(seen) == 5


def test_stop_begins_no_more_rows_and_hands_on_those_under_way(server: Server, make):
    client, stop = make(), threading.Event()
    found = []
    for row, result in each(client, range(1000), asking(client), stop=stop):
        found.append((row, result))
        if len(found) == 10:
            stop.set()
    assert sorted(row for row, _ in found) == sorted(server.asked)
    assert 10 <= len(found) <= 20


def test_ctrl_c_ends_quickly_though_calls_are_under_way(server: Server, make, monkeypatch):
    monkeypatch.setattr(bulk, "GRACE_SECONDS", 0.2)
    server.held = dict.fromkeys(range(1000), 1000)
    client, pressed = make(), []

    def press() -> None:
        while len(server.asked) < 4:
            time.sleep(0.01)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        list(each(client, range(1000), asking(client)))
    assert time.monotonic() - pressed[0] < 1.5
    client.close()
    assert len(server.asked) == 4


def test_a_second_run_asks_nothing_and_says_so(server: Server, make):
    client = make()
    list(each(client, range(20), asking(client)))
    progress: list[Progress] = []
    again = make(Budget(usd=0.0))
    list(each(again, range(20), asking(again), on_done=progress.append))
    assert len(server.asked) == 20
    last = progress[-1]
    assert (last.done, last.cached, last.usd, last.tokens, last.left) == (20, 20, 0.0, 0, 0)
    assert last.line().startswith("20 of 20 (100 %), 20 known before")


def test_what_a_row_takes_counts_every_call_it_makes(server: Server, make):
    client, progress = make(), []

    def twice(row: int) -> str:
        return client.complete("extractor", ask(f"row {row}")).text + asking(client)(row + 100)

    list(each(client, iter(range(3)), twice, on_done=progress.append))
    assert progress[-1].usd == pytest.approx(6 * PRICE)
    assert progress[-1].tokens == 90
    assert progress[-1].total is None
    assert progress[-1].line().startswith("3, ")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tallied(total: int | None, cached: int, made: int, seconds: float, usd: float) -> Progress:
    """Rows known before come at once; then one row is paid for every `seconds`."""
    clock = Clock()
    tally = Tally(total, clock)
    for _ in range(cached):
        tally.add(Meter(known=1), False)
    for _ in range(made):
        clock.now += seconds
        tally.add(Meter(1, 0, usd, 1000), False)
    return tally.progress()


def test_projection_and_time_left_follow_the_rows_that_were_paid_for():
    progress = tallied(1000, 400, 100, 0.5, 0.01)
    assert progress.usd == pytest.approx(1.0)
    assert progress.projected_usd == pytest.approx(6.0)
    assert progress.seconds_left == pytest.approx(250, rel=0.05)
    assert progress.line() == (
        "500 of 1,000 (50 %), 400 known before, 2/s, $1.00 so far, about $6.00 in all, "
        f"{duration(progress.seconds_left or 0)} left"
    )


def test_the_rate_is_that_of_the_last_half_minute():
    clock = Clock()
    tally = Tally(None, clock)
    for step in [0.01] * 1000 + [1.0] * 60:
        clock.now += step
        tally.add(Meter(1), False)
    assert tally.progress().rate == pytest.approx(1.0, rel=0.05)


def test_nothing_is_projected_before_anything_was_paid_for():
    progress = tallied(100, 10, 0, 1.0, 0.0)
    assert (progress.projected_usd, progress.usd) == (None, 0.0)
    assert "$" not in progress.line()


def test_tokens_are_shown_where_calls_cost_nothing():
    assert "20,000 tokens" in tallied(100, 0, 20, 4.0, 0.0).line()
    assert "0.25/s" in tallied(100, 0, 20, 4.0, 0.0).line()


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59.4, "59 s"), (91, "1 min 31 s"), (7500, "2 h 05 min")]
)
def test_durations_are_said_in_two_units(seconds, said):
    assert duration(seconds) == said
