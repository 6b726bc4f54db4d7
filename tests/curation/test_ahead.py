import threading
import time
from collections.abc import Iterator

import pytest

from linguacodus_core.curation.ahead import ITEMS, ahead


def test_items_come_in_order() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("torn")

    items = ahead(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="torn"):
        next(items)


def test_only_a_few_items_are_made_ahead() -> None:
    made: list[int] = []

    def counting() -> Iterator[int]:
        for n in range(1000):
            made.append(n)
            yield n

    items = ahead(counting())
    next(items)
    time.sleep(0.3)
    assert len(made) <= ITEMS + 3


def test_the_thread_ends_when_the_reader_gives_up() -> None:
    items = ahead(iter(range(1000)))
    next(items)
    items.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 10
    while (
        any(thread.name == "reading ahead" for thread in threading.enumerate()) and time.monotonic() < until
    ):
        time.sleep(0.05)
    assert not any(thread.name == "reading ahead" for thread in threading.enumerate())
