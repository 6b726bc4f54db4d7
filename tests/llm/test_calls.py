import sqlite3

import pytest

from linguacodus_core.errors import BudgetExceeded
from linguacodus_core.llm.budget import Budget, Cost
from linguacodus_core.llm.meter import Meter, metered

from .conftest import CHAT, ask, chat, replies
from .test_client import SCHEMA, serve


@pytest.mark.parametrize("schema_mode", ["json_schema", "none"])
@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_the_key_of_a_call_is_known_before_it_is_made(httpserver, client, ledger, schema_mode, schema):
    serve(httpserver, chat('{"trees": 3}'))
    one = client(schema_mode=schema_mode)
    key = one.key_of("coder", ask(), schema=schema, seed=7, max_tokens=20, temperature=0.1)
    assert not ledger.knows(key)
    assert one.complete("coder", ask(), schema=schema, seed=7, max_tokens=20, temperature=0.1).key == key
    assert ledger.knows(key)


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_what_a_call_may_cost_is_what_the_budget_asks_for(httpserver, client, schema):
    asked = serve(httpserver, chat('{"trees": 3}'))
    cost = client().projected("coder", ask(), schema=schema, max_tokens=20)
    with pytest.raises(BudgetExceeded):
        client(Budget(usd=cost.usd - 1e-7)).complete("coder", ask(), schema=schema, max_tokens=20)
    with pytest.raises(BudgetExceeded):
        client(Budget(tokens=cost.tokens - 1)).complete("coder", ask(), schema=schema, max_tokens=20)
    assert asked == []
    budget = Budget(usd=cost.usd, tokens=cost.tokens)
    assert client(budget).complete("coder", ask(), schema=schema, max_tokens=20).text


def test_a_schema_counts_among_the_tokens(client):
    plain, shaped = (client().projected("coder", ask(), schema=schema) for schema in (None, SCHEMA))
    assert shaped.tokens > plain.tokens + 20


def test_text_that_is_no_unicode_is_sent_and_kept_all_the_same(httpserver, client, ledger):
    asked = serve(httpserver, chat("half an emoji: \ud83d"))
    done = client().complete("coder", ask("half an emoji: \ud83d"))
    assert asked[0]["messages"][0]["content"] == "half an emoji: ?"
    assert done.text == "half an emoji: ?"
    assert ledger.knows(done.key)


def test_a_meter_counts_the_calls_of_its_block_and_of_the_blocks_inside(httpserver, client):
    serve(httpserver, chat("hello"))
    one = client()
    with metered() as outer:
        one.complete("coder", ask("a"))
        with metered() as inner:
            one.complete("coder", ask("b"))
            one.complete("coder", ask("a"))
    one.complete("coder", ask("c"))
    assert inner == Meter(made=1, known=1, usd=pytest.approx(2e-5), tokens=15)
    assert outer == Meter(made=2, known=1, usd=pytest.approx(4e-5), tokens=30)


def test_a_meter_counts_a_reply_that_could_not_be_used(httpserver, client):
    handler = replies(chat("no"), chat("no"), chat('{"trees": 1}'))
    httpserver.expect_request(CHAT).respond_with_handler(handler)
    with metered() as meter:
        client().complete("coder", ask(), schema=SCHEMA)
    assert (meter.made, meter.tokens) == (3, 45)


def test_a_budget_says_whether_a_cost_fits():
    budget = Budget(usd=1.0, tokens=100)
    assert budget.fits(Cost(1.0, 100))
    assert not budget.fits(Cost(1.1, 1))
    with budget.reserve(Cost(0.5, 50)):
        assert not budget.fits(Cost(0.6, 1))
        assert not budget.fits(Cost(0.1, 51))


def test_what_changes_together_is_undone_together(ledger):
    def change() -> None:
        with ledger.changing() as connection:
            connection.execute("CREATE TABLE notes (text TEXT)")
            connection.execute("INSERT INTO notes VALUES ('kept')")
        with ledger.changing() as connection:
            connection.execute("INSERT INTO notes VALUES ('undone')")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert ledger.query("SELECT text FROM notes") == [("kept",)]
    with sqlite3.connect(ledger.path) as other:
        assert other.execute("SELECT text FROM notes").fetchall() == [("kept",)]
