"""Reading ahead: the next items are made in a thread while the last ones are worked on."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")
ITEMS = 4
"""Most items that wait, so that memory stays bounded."""


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order; what the iterator raises is raised here, in its place."""
    waiting: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(ITEMS)
    given_up = threading.Event()

    def put(item: T | None, error: BaseException | None, last: bool) -> None:
        while not given_up.is_set():
            try:
                waiting.put((item, error, last), timeout=0.5)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            for item in items:
                put(item, None, False)
                if given_up.is_set():
                    return
            put(None, None, True)
        except BaseException as error:
            put(None, error, True)

    threading.Thread(target=read, name="reading ahead", daemon=True).start()
    try:
        while True:
            item, error, last = waiting.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        given_up.set()
