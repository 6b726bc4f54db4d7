import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from linguacodus_core.errors import BudgetExceeded
from linguacodus_core.llm.budget import Budget, Cost


def test_what_is_reserved_counts_and_what_is_settled_replaces_it():
    budget = Budget(usd=1.0, tokens=100)
    with budget.reserve(Cost(0.9, 90)) as ticket:
        with pytest.raises(BudgetExceeded), budget.reserve(Cost(0.2, 5), wait=0):
            pass
        ticket.settle(Cost(0.1, 10))
    assert budget.spent == Cost(0.1, 10)
    with budget.reserve(Cost(0.9, 90), wait=0):
        pass


def test_a_call_that_fails_books_nothing():
    budget = Budget(tokens=10)
    with pytest.raises(OSError, match="down"), budget.reserve(Cost(0, 10)):
        raise OSError("down")
    assert budget.spent == Cost()
    with budget.reserve(Cost(0, 10), wait=0):
        pass


def test_the_message_says_spent_projected_left_and_remedy():
    budget = Budget(usd=0.5, tokens=1000)
    with budget.reserve(Cost(0.4, 100)) as ticket:
        ticket.settle(Cost(0.4, 100))
    with pytest.raises(BudgetExceeded) as caught, budget.reserve(Cost(0.2, 50)):
        pass
    for part in ("$0.4000 of $0.5000", "$0.2000", "$0.1000 is left", "100 of 1,000 tokens", "--budget-usd"):
        assert part in str(caught.value)


def test_a_free_endpoint_needs_no_money():
    with Budget(usd=0.0).reserve(Cost(0.0, 10**6)) as ticket:
        ticket.settle(Cost(0.0, 10**6))


def test_no_time_left_means_no_call():
    budget = Budget(seconds=0.02)
    time.sleep(0.03)
    assert budget.seconds_left() == 0.0
    with pytest.raises(BudgetExceeded, match="0 of 0 seconds"), budget.reserve(Cost()):
        pass


def test_a_call_waits_for_one_under_way_that_may_cost_less_than_projected():
    budget = Budget(tokens=100)
    entered, settled = threading.Event(), threading.Event()

    def first() -> None:
        with budget.reserve(Cost(0, 80)) as ticket:
            entered.set()
            time.sleep(0.1)
            ticket.settle(Cost(0, 10))
        settled.set()

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait()
    with budget.reserve(Cost(0, 80), wait=5):
        assert settled.wait(1)
    thread.join()


def test_reservations_of_many_threads_never_pass_the_limit_together():
    budget = Budget(usd=1.0, tokens=1000)
    held = [0]
    lock = threading.Lock()
    worst = [0]

    def call(_: int) -> bool:
        try:
            with budget.reserve(Cost(0.03, 30), wait=2) as ticket:
                with lock:
                    held[0] += 30
                    worst[0] = max(worst[0], held[0] + budget.spent.tokens)
                time.sleep(0.001)
                with lock:
                    held[0] -= 30
                ticket.settle(Cost(0.02, 20))
            return True
        except BudgetExceeded:
            return False

    with ThreadPoolExecutor(32) as pool:
        made = sum(pool.map(call, range(200)))
    assert worst[0] <= 1000
    assert budget.spent.tokens == 20 * made <= 1000
    assert made >= 48
