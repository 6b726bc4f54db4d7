"""Work of a task that would hold Python's lock for long, done in processes of this machine."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
PARENT_SECONDS = 1.0


def apart(function: Callable[Arguments, Result], *args: Arguments.args, **more: Arguments.kwargs) -> Result:
    """What the function returns, from another process: one a core, kept until this process ends.

    In a process that may have no children (a Dask worker) it is simply called.
    """
    if multiprocessing.current_process().daemon:
        return function(*args, **more)
    try:
        with undisturbed():
            job = pool().submit(function, *args, **more)
        return job.result()
    except (
        BrokenProcessPool
    ):  # one was killed, by the kernel for its memory perhaps: the next call has new ones
        pool.cache_clear()
        raise


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warm_up() -> None:
    """Start the processes, so that they are there when the first work comes."""
    with undisturbed():
        for _ in range(cores()):
            pool().submit(os.getpid)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Processes that are started here do not hear Ctrl-C, which a terminal sends to all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@lru_cache(maxsize=1)
def pool() -> ProcessPoolExecutor:
    """The processes, started when the first work comes."""
    return ProcessPoolExecutor(
        cores(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_die_with,
        initargs=(os.getpid(),),
    )


def _die_with(parent: int) -> None:
    """A worker whose parent was killed waits for ever; this one looks, and goes."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
