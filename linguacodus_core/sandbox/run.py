"""Runs one generated program, which is taken to be hostile, and says what became of it.

Covered, with bubblewrap: no network (not even the host's loopback), no environment, no home folder,
nothing of the host's files but /usr, the Python installation and the data, all read-only; one writable
folder; no capabilities and no way to gain any; a process space that ends as a whole, daemons included.
Covered in any isolation: wall and processor time, memory, number of processes, size of a file and of all
files together, endless output, and results that are links, pipes or devices.

NOT covered: bugs in the kernel (there is no seccomp filter and no virtual machine), side channels through
processor caches and timing, and what this user may read below /usr and in the Python installation. The
sums over all processes (memory, number of processes, disk) are watched several times a second, not held by
the kernel: between two looks a program can pass them for a moment, and the superuser's number of processes
is only watched, so do not run as root where an ordinary user will do. /tmp and /dev/shm lie in memory,
bounded, beside the memory limit. GPUs are not shown.

The plain subprocess, chosen by name only, isolates NOTHING: it sees the network and every file of the user,
it can signal the user's processes, and a program that means to can leave it. It only limits and cleans up
after mistakes.
"""

import re
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.sandbox import bubblewrap, folder, plain
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.supervise import Launch, Outcome, supervise

ExecutionStatus = Literal["ok", "crashed", "timeout", "memory", "limit"]

_LAUNCHERS: dict[str, Callable[[Path, Mapping[str, Path], Limits], Launch]] = {
    "bubblewrap": bubblewrap.launch,
    "subprocess": plain.launch,
}
_OUT_OF_MEMORY = re.compile(
    r"MemoryError|std::bad_alloc|Cannot allocate memory|Unable to allocate|Memory allocation still failed"
    r"|can't allocate memory|bad allocation|malloc of size \d+ failed"
)
_LIMIT_REACHED = re.compile(
    r"File too large|No space left on device|can't start new thread|Too many open files"
    r"|Resource temporarily unavailable"
)


@dataclass(frozen=True)
class Execution:
    """What became of one run.

    status: ok (exit code 0), crashed, timeout (wall or processor time), memory, limit (processes, disk, file
    size). returncode: the exit code, -N when signal N ended it. stdout and stderr: their last 20,000
    characters. seconds: wall time; cpu_seconds: of all processes; peak_mb: the most resident memory seen.
    isolation: one sentence; enforced: what was in force, item by item. why: the limit that was passed.
    refused: kept files that were removed, and for what.
    """

    status: ExecutionStatus
    returncode: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    isolation: str
    enforced: tuple[str, ...] = ()
    why: str = ""
    refused: tuple[str, ...] = ()


def _exit_code(code: int) -> int:
    """128 + N, as shells and bubblewrap report a signal, becomes -N."""
    return 128 - code if 128 < code <= 128 + signal.NSIG else code


def _status(outcome: Outcome, code: int, limits: Limits) -> tuple[ExecutionStatus, str]:
    """The status and, for anything that was limited, the limit in words."""
    if outcome.stopped:
        return outcome.stopped, outcome.why
    if code == 0:
        return "ok", ""
    last = outcome.stderr[-2000:]
    if code == -signal.SIGXCPU:
        return "timeout", f"processor time is up: {limits.cpu_seconds:g} s"
    if code == -signal.SIGXFSZ:
        return "limit", f"a file grew past {limits.file_mb} MB"
    if _OUT_OF_MEMORY.search(last) or (code < 0 and outcome.peak_mb > 0.9 * limits.memory_mb):
        return "memory", f"an allocation failed; allowed: {limits.memory_mb:,} MB"
    reached = _LIMIT_REACHED.search(last)
    return ("limit", reached.group()) if reached else ("crashed", "")


def run_program(
    program: str,
    data: Mapping[str, Path],
    *,
    limits: Limits,
    isolation: str = "auto",
    workdir: Path,
    keep: Sequence[str] = ("submission.csv", "soft.csv"),
    cancel: threading.Event | None = None,
) -> Execution:
    """Run `program` in `workdir` with the `data` under ./data, isolated and limited.

    program: the text of a Python program; it is left in workdir/solution.py. data: name below ./data to a
    file or folder of the host. isolation: "auto" (bubblewrap, never less), "bubblewrap" or "subprocess".
    keep: names of the files that the caller reads afterwards: each is a regular file or absent. Whatever
    else the program left is deleted; what was in workdir before stays.
    cancel: set by another thread, it ends the run, which then raises supervise.Cancelled.
    Nothing of it is left running on return, nor when an exception (Ctrl-C too) passes through.
    LinguacodusError for bad arguments or an unwritable folder, SandboxUnavailable (a LinguacodusError) when
    the isolation cannot be had. What the program itself does never raises.
    """
    chosen = "bubblewrap" if isolation == "auto" else isolation
    if chosen not in _LAUNCHERS:
        raise LinguacodusError(f"unknown isolation {isolation!r}", "choose auto, bubblewrap or subprocess")
    if chosen == "bubblewrap":
        bubblewrap.require()
    sources = folder.check_names(data, keep)
    workdir = workdir.absolute()
    before = folder.prepare(workdir, program, keep)
    try:
        launch = _LAUNCHERS[chosen](workdir, sources, limits)
        outcome = supervise(launch, limits, workdir, cancel)
    except BaseException:
        folder.collect(workdir, keep, before, limits.file_mb)
        raise
    refused = folder.collect(workdir, keep, before, limits.file_mb)
    code = _exit_code(outcome.returncode)
    status, why = _status(outcome, code, limits)
    return Execution(
        status=status,
        returncode=code,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        seconds=outcome.seconds,
        cpu_seconds=outcome.cpu_seconds,
        peak_mb=outcome.peak_mb,
        isolation=launch.isolation,
        enforced=launch.enforced,
        why=why,
        refused=refused,
    )
