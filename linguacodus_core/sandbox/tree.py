"""The processes under one process: how much they use, and how all of them are ended.

Read straight from /proc where there is one (proc(5)), through psutil elsewhere.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a process tree uses: tasks (processes and threads), resident MB, peak MB, processor seconds."""

    tasks: int = 0
    rss_mb: float = 0.0
    peak_mb: float = 0.0
    cpu_seconds: float = 0.0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").iterdir():
        with contextlib.suppress(OSError):
            found.extend(map(int, (task / "children").read_text().split()))
    return found


def descendants(root: int, most: int = 20_000) -> list[int]:
    """The pids below `root`, parents first, at most `most` of them; empty when it is gone."""
    if not (_PROC / str(os.getpid()) / "task" / str(os.getpid()) / "children").exists():
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(root).children(recursive=True)][:most]
        return []
    found: list[int] = []
    waiting = [root]
    while waiting and len(found) < most:
        with contextlib.suppress(OSError):
            below = _children(waiting.pop())
            found.extend(below)
            waiting.extend(below)
    return found


def _one(pid: int) -> Usage:
    """Usage of one process, with the processor time of the children it has waited for."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        times = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:15]
        return Usage(
            tasks=int(status.get("Threads", "1")),
            rss_mb=int(status.get("VmRSS", "0 kB").split()[0]) / 1024,
            peak_mb=int(status.get("VmHWM", "0 kB").split()[0]) / 1024,
            cpu_seconds=sum(map(int, times)) / _TICKS,
        )
    if not _PROC.is_dir():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            rss = process.memory_info().rss / 2**20
            clock = process.cpu_times()
            return Usage(process.num_threads(), rss, rss, clock.user + clock.system)
    return Usage()


def usage(pids: Iterable[int]) -> Usage:
    """What the processes use together; resident memory they share is counted once for each of them.

    The peak is the larger of their sum now and the highest that any one of them has had.
    """
    parts = [_one(pid) for pid in pids]
    rss = sum(part.rss_mb for part in parts)
    return Usage(
        tasks=sum(part.tasks for part in parts),
        rss_mb=rss,
        peak_mb=max([rss, *(part.peak_mb for part in parts)]),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
    )


def shared_out_mb(pids: Iterable[int]) -> float:
    """Resident MB of the processes, shared pages divided among their users (PSS): exact but slow."""
    total = 0.0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        except (OSError, StopIteration, ValueError):
            total += _one(pid).rss_mb
    return total


def user_tasks() -> int:
    """Processes and threads of this user on the whole machine, as RLIMIT_NPROC counts them."""
    mine = os.getuid()
    count = 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids is not None and uids.real == mine:
            count += process.info["num_threads"] or 1
    return count


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process; those that are gone or another user's are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def kill_below(root: int, patience: float = 5.0) -> None:
    """End every process below `root`, not `root` itself; waits at most `patience` seconds.

    They are stopped first and killed afterwards, so that a fork bomb cannot outrun the killing.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        stopped: set[int] = set()
        while time.monotonic() < end:
            fresh = set(descendants(root, most=1_000_000)) - stopped
            if not fresh:
                break
            send(fresh, signal.SIGSTOP)
            stopped |= fresh
        send(stopped, signal.SIGKILL)
        if not any(_alive(pid) for pid in stopped):
            return
        time.sleep(0.005)


def started(pid: int) -> float:
    """When a process started, to tell it from a later one with the same pid; 0 when it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def kill_marked(mark: str, session: int, known: Mapping[int, float]) -> None:
    """End what escaped from a tree: its process group, its session, and what carries its mark.

    mark: "NAME=value" in the environment that the tree was started with. known: processes seen in the tree
    and when each started; one that has left the session and the environment behind is found by these.
    """
    name, _, value = mark.partition("=")
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                known.get(process.pid) == process.create_time()
                or os.getsid(process.pid) == session
                or process.environ().get(name) == value
            ):
                process.kill()
