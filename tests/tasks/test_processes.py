import os
import signal
import subprocess
import sys

import psutil
import pytest

from tasks.processes import apart, cores

PROGRAM = """
import os, time
from concurrent.futures import wait
from tasks.processes import pool
if __name__ == "__main__":
    jobs = [pool().submit(os.getpid) for _ in range(4)]
    wait(jobs)
    print("ready", flush=True)
    time.sleep(600)
"""


def refuse(text: str) -> None:
    raise ValueError(text)


def test_work_is_done_in_another_process() -> None:
    assert apart(os.getpid) != os.getpid()
    assert cores() >= 1


def test_an_error_there_is_raised_here() -> None:
    with pytest.raises(ValueError, match=r"^no$"):
        apart(refuse, "no")


def test_the_processes_end_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
