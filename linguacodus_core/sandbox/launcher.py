"""Runs one program without isolation but with limits, and ends whatever it started; used by sandbox.plain.

Executed as a script of its own (`python -I -S -B launcher.py LIMITS COMMAND...`), standard library only. It
adopts orphans (prctl PR_SET_CHILD_SUBREAPER), so that a daemonised grandchild is found and ended too.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _adopt_orphans() -> None:
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _own_children() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def _end_children() -> None:
    """Kill children, and the orphans that come to us in turn, until none is left (at most three seconds)."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for pid in _own_children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.002)


def main(limits: dict[str, int], command: list[str]) -> int:
    """Run the command under the resource limits; its exit code, 128 + N for signal N."""
    _adopt_orphans()
    child = os.fork()
    if child == 0:
        for name, value in limits.items():
            with contextlib.suppress(OSError, ValueError):
                which = getattr(resource, name)
                hard = resource.getrlimit(which)[1]
                value = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(which, (value, value))
        os.execv(command[0], command)

    def terminate(*_: object) -> None:
        _end_children()
        os._exit(143)

    signal.signal(signal.SIGTERM, terminate)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            break
    _end_children()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
