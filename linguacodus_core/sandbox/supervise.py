"""Starts one isolated program, drains what it prints, watches what it uses and ends all of it.

One loop, no threads: pipes, the process itself and the clock are waited for together.
"""

import contextlib
import json
import os
import selectors
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from linguacodus_core.errors import SandboxUnavailable
from linguacodus_core.sandbox import machine, tree
from linguacodus_core.sandbox.limits import Limits

Stopped = Literal["", "timeout", "memory", "limit"]

_KEPT_CHARACTERS = 20_000
_CHUNK = 1 << 16
_FIRST_POLL, _POLL = 0.02, 0.15
_MOST_ENTRIES = 100_000


@dataclass
class Launch:
    """How an isolation starts a program.

    argv, env, cwd: of the process that is started. open_files: descriptors it inherits, closed here after the
    start. mark: an environment entry "NAME=value" that all its processes carry (plain), "" when they share a
    pid namespace that ends with them. status_fd: where bubblewrap reports, as JSON, the namespace's first
    process and the exit code. isolation and enforced: for the report. data_mb: copies of the data in workdir.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    isolation: str
    enforced: tuple[str, ...]
    mark: str = ""
    open_files: list[int] = field(default_factory=list)
    status_fd: int | None = None
    data_mb: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What happened: the reason it was stopped ("" when it ended by itself) and what it used."""

    stopped: Stopped
    why: str
    returncode: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


class _Tail:
    """The end of a stream: however much is printed, only the last characters are held."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._dropped = False

    def add(self, data: bytes) -> None:
        self._held += data
        room = _KEPT_CHARACTERS * 4
        if len(self._held) > 2 * room:
            del self._held[:-room]
            self._dropped = True

    def text(self) -> str:
        text = self._held.decode("utf-8", errors="replace")
        cut = self._dropped or len(text) > _KEPT_CHARACTERS
        return ("[...]\n" if cut else "") + text[-_KEPT_CHARACTERS:]


class _Disk:
    """Space used below a folder; scanned at most a tenth of the time, however many files are there."""

    def __init__(self, folder: Path, allowed_mb: float, data_mb: float) -> None:
        self.folder = folder
        free = machine.free_disk_mb(folder)
        self.allowed_mb = min(allowed_mb, free * 0.9) + data_mb
        self._next = 0.0

    def problem(self, now: float) -> str:
        """What is wrong with the folder, "" when nothing is or when it is too soon to look again."""
        if now < self._next:
            return ""
        began = time.monotonic()
        used = 0
        for entries, size in enumerate(self._sizes()):
            used += size
            if entries >= _MOST_ENTRIES:
                return f"more than {_MOST_ENTRIES:,} files were left in the working directory"
        self._next = now + max(0.1, 10 * (time.monotonic() - began))
        if used / 2**20 > self.allowed_mb:
            return f"{used / 2**20:,.0f} MB in the working directory; allowed: {self.allowed_mb:,.0f} MB"
        return ""

    def _sizes(self) -> Iterator[int]:
        waiting = [str(self.folder)]
        while waiting:
            with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        found = entry.stat(follow_symlinks=False)
                        if stat.S_ISDIR(found.st_mode):
                            waiting.append(entry.path)
                        yield found.st_blocks * 512


class _Watch:
    """Compares what the tree uses with its limits, and remembers the highest of it."""

    def __init__(self, root: int, launch: Launch, limits: Limits, workdir: Path) -> None:
        self.root, self.limits, self.marked = root, limits, bool(launch.mark)
        self.disk = _Disk(workdir, limits.disk_mb, launch.data_mb)
        self.peak_mb = 0.0
        self.cpu_seconds = 0.0
        self.known: dict[int, float] = {}

    def look(self) -> tuple[Stopped, str]:
        limits = self.limits
        pids = tree.descendants(self.root, most=4 * limits.processes)
        if self.marked:
            self.known.update({pid: tree.started(pid) for pid in pids if pid not in self.known})
        if len(pids) > limits.processes + 1:
            return "limit", f"more than {limits.processes} processes at once"
        used = tree.usage(pids)
        resident = used.rss_mb
        if resident > limits.memory_mb:
            resident = tree.shared_out_mb(pids)
        # A sum that counts shared pages several times is no peak; what one process had is.
        self.peak_mb = max(self.peak_mb, resident, used.peak_mb if used.peak_mb > used.rss_mb else 0.0)
        self.cpu_seconds = max(self.cpu_seconds, used.cpu_seconds)
        if resident > limits.memory_mb:
            return "memory", f"{resident:,.0f} MB of memory in use; allowed: {limits.memory_mb:,} MB"
        if used.tasks > limits.processes + 1:  # one is the isolation's own
            return "limit", f"{used.tasks} processes and threads at once; allowed: {limits.processes}"
        if self.cpu_seconds > limits.cpu_seconds:
            return "timeout", f"processor time is up: {limits.cpu_seconds:g} s"
        problem = self.disk.problem(time.monotonic())
        return ("limit", problem) if problem else ("", "")


class _Reports:
    """What bubblewrap says about itself: the first process of the namespace, and the exit code."""

    def __init__(self) -> None:
        self._text = b""
        self.child: int | None = None
        self.exited = False
        self.handle: int | None = None

    def add(self, data: bytes) -> None:
        self._text += data
        *whole, self._text = self._text.split(b"\n")
        for line in whole:
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                self.exited = self.exited or "exit-code" in said
                if self.child is None and "child-pid" in said:
                    self.child = int(said["child-pid"])
                    with contextlib.suppress(OSError, AttributeError):
                        self.handle = os.pidfd_open(self.child)


def _wait(process: "subprocess.Popen[bytes]", block: bool) -> float | None:
    """Reap the process when it has ended: its processor seconds, else None."""
    if process.returncode is not None:
        return 0.0
    try:
        pid, status, used = os.wait4(process.pid, 0 if block else os.WNOHANG)
    except ChildProcessError:
        process.returncode = -int(signal.SIGKILL)
        return 0.0
    if pid == 0:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _end(process: "subprocess.Popen[bytes]", launch: Launch, reports: _Reports, watch: _Watch) -> float:
    """End everything that was started and wait until it is gone; the seconds of processor time known."""
    spent = _wait(process, block=False)
    if launch.mark:
        if spent is None:
            tree.kill_below(process.pid)
        tree.kill_marked(launch.mark, process.pid, watch.known)
    elif reports.child is not None and reports.handle is not None:
        # The namespace's first process takes every other one with it, wherever they have hidden.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(reports.handle, signal.SIGKILL)
    if spent is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        spent = _wait(process, block=True) or 0.0
    if reports.handle is not None:
        with selectors.DefaultSelector() as gone:
            gone.register(reports.handle, selectors.EVENT_READ)
            gone.select(10.0)
    return spent


class Cancelled(Exception):
    """Another thread asked for the end of the run."""


def supervise(
    launch: Launch, limits: Limits, workdir: Path, cancel: threading.Event | None = None
) -> Outcome:
    """Run what `launch` describes under `limits`; when this returns or raises, nothing of it is left running.

    Raises Cancelled soon after `cancel` is set, SandboxUnavailable when the isolation itself could not
    start the program.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            launch.argv,
            env=dict(launch.env),
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=launch.open_files,
        )
    except BaseException:
        if launch.status_fd is not None:
            os.close(launch.status_fd)
        raise
    finally:
        for descriptor in launch.open_files:
            os.close(descriptor)
    assert process.stdout is not None
    assert process.stderr is not None
    out, err, reports = _Tail(), _Tail(), _Reports()
    watch = _Watch(process.pid, launch, limits, workdir)
    stopped: Stopped = ""
    why = ""
    pipes: dict[int, _Tail | _Reports] = {process.stdout.fileno(): out, process.stderr.fileno(): err}
    if launch.status_fd is not None:
        pipes[launch.status_fd] = reports
    selector = selectors.DefaultSelector()
    handle: int | None = None
    try:
        for descriptor in pipes:
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ)
        with contextlib.suppress(OSError, AttributeError):
            handle = os.pidfd_open(process.pid)
            selector.register(handle, selectors.EVENT_READ)
        end = began + limits.wall_seconds
        step = _FIRST_POLL
        poll = time.monotonic() + step
        ended = False
        while not ended:
            now = time.monotonic()
            if now >= end:
                stopped, why = "timeout", f"wall time is up: {limits.wall_seconds:.3g} s"
                break
            if cancel is not None and cancel.is_set():
                raise Cancelled
            if now >= poll:
                stopped, why = watch.look()
                if stopped:
                    break
                step = min(_POLL, step * 1.5)
                poll = time.monotonic() + step
            pause = max(0.0, min(end, poll) - time.monotonic())
            for key, _ in selector.select(pause if handle is not None else min(pause, 0.02)):
                if key.fd == handle:
                    ended = True
                elif not _drain(key.fd, pipes[key.fd]):
                    selector.unregister(key.fd)
            if handle is None:
                ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        seconds = time.monotonic() - began
    finally:
        try:
            spent = _end(process, launch, reports, watch)
            for descriptor, sink in pipes.items():
                _drain(descriptor, sink, everything=True)
        finally:
            selector.close()
            process.stdout.close()
            process.stderr.close()
            for other in (launch.status_fd, handle, reports.handle):
                if other is not None:
                    os.close(other)
    if launch.status_fd is not None and not stopped and not reports.exited and process.returncode > 0:
        raise SandboxUnavailable(
            f"bubblewrap could not start the program: {err.text().strip() or 'it said nothing'}",
            "run `linguacodus doctor` to see what is wrong with the sandbox",
        )
    return Outcome(
        stopped=stopped,
        why=why,
        returncode=process.returncode,
        stdout=out.text(),
        stderr=err.text(),
        seconds=seconds,
        cpu_seconds=max(spent, watch.cpu_seconds),
        peak_mb=watch.peak_mb,
    )


def _drain(descriptor: int, sink: "_Tail | _Reports", everything: bool = False) -> bool:
    """Read what is there (at most a chunk, or until nothing is left); False at the end of the stream."""
    budget = 64 if everything else 1
    for _ in range(budget):
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        sink.add(data)
    return True
