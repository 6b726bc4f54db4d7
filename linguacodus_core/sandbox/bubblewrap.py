"""Isolation by bubblewrap: new namespaces of every kind, and a bare file system.

Inside there are /usr, the interpreter and the data (read-only), a private /tmp and /dev/shm in memory,
and one writable folder, /job. https://github.com/containers/bubblewrap
"""

import functools
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from linguacodus_core import settings
from linguacodus_core.errors import SandboxUnavailable
from linguacodus_core.sandbox import folder, tree
from linguacodus_core.sandbox.environment import clean_environment
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.supervise import Launch

JOB = "/job"
# The kernel's bound on processes lies above the watchdog's: a fork bomb is to be ended, not only held.
HEADROOM = 64

_NAMESPACES = ("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "job")
_LIFE = ("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv")
# Read-only /proc: bubblewrap leaves /proc/sys to the user that started it; for root that is the host's own.
_KERNEL = ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")
_ETC = {
    "/etc/passwd": "job:x:1000:1000::/tmp:/bin/sh\n",
    "/etc/group": "job:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost job\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_PLAIN_REMEDY = (
    "or choose `--sandbox subprocess`, which isolates nothing but limits time, memory and processes"
)


def _system() -> list[str]:
    """Arguments that show the system's programs and libraries, read-only."""
    shown = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        place = Path("/", name)
        if place.is_symlink():
            shown += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            shown += ["--ro-bind", str(place), str(place)]
    for name in ("ld.so.cache", "alternatives"):
        shown += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return shown


def _interpreter() -> list[Path]:
    """The folders of the running interpreter that /usr does not hold already, each under its own path."""
    real = Path(sys.executable).resolve().parent.parent
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.prefix).resolve(), real}
    wanted = {path for path in wanted if not path.is_relative_to("/usr")}
    for path in wanted:
        if path == Path("/") or Path.home().resolve().is_relative_to(path):
            raise SandboxUnavailable(
                f"the Python installation {path} contains the home folder, which the sandbox must not show",
                "install Linguacodus in a virtual environment of its own",
            )
    return sorted(path for path in wanted if wanted.isdisjoint(path.parents))


def _hidden(shown: list[Path]) -> list[str]:
    """Arguments that cover Linguacodus's own home when it lies below something that is shown."""
    place = settings.home()
    if "://" in place:
        return []
    home = Path(place).expanduser().absolute()
    if any(home.is_relative_to(path) for path in (Path("/usr"), *shown)) and home.is_dir():
        return ["--size", "4096", "--tmpfs", str(home), "--remount-ro", str(home)]
    return []


def _why(said: str) -> SandboxUnavailable:
    """What bubblewrap's refusal means, and what mends it."""
    if re.search(r"namespace|uid map|Operation not permitted|Permission denied", said):
        remedy = (
            "allow user namespaces: `sysctl -w kernel.unprivileged_userns_clone=1` (Debian), "
            "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu 24.04), or in Docker "
            "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`; "
        )
    else:
        remedy = "install a current one with `apt-get install bubblewrap`; "
    return SandboxUnavailable(f"bubblewrap does not work here: {said.strip()[-400:]}", remedy + _PLAIN_REMEDY)


@functools.lru_cache(maxsize=8)
def _probe(bwrap: str) -> tuple[str, ...] | str:
    """The namespace arguments that work here, else what bubblewrap said."""
    said = ""
    for arguments in ((*_NAMESPACES, "--disable-userns"), _NAMESPACES):
        inside = [*_KERNEL, "--size", "4096", "--tmpfs", "/tmp", "--", "/usr/bin/prlimit"]
        try:
            done = subprocess.run(
                [bwrap, *arguments, *_LIFE, *_system(), *inside, "--core=0", "/usr/bin/true"],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=20,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode == 0:
            return arguments
        said = done.stderr or f"it ended with code {done.returncode}"
    return said


def require() -> tuple[str, tuple[str, ...]]:
    """bubblewrap's path and the namespace arguments that work (asked once a process); SandboxUnavailable."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed", f"install it with `apt-get install bubblewrap`, {_PLAIN_REMEDY}"
        )
    works = _probe(bwrap)
    if isinstance(works, str):
        raise _why(works)
    return bwrap, works


def _counts_apart() -> bool:
    """True where the kernel counts a user namespace's processes apart from the user's others (Linux 5.14)."""
    numbers = re.findall(r"\d+", platform.release())[:2]
    return len(numbers) == 2 and tuple(map(int, numbers)) >= (5, 14)


def _prlimit(limits: Limits) -> tuple[list[str], bool]:
    """The prlimit(1) command that comes before the program; whether the number of processes is held by it."""
    mb = 1 << 20
    wanted = {
        "data": (resource.RLIMIT_DATA, limits.memory_mb * mb),
        "fsize": (resource.RLIMIT_FSIZE, limits.file_mb * mb),
        "cpu": (resource.RLIMIT_CPU, int(limits.cpu_seconds) + 2),
        "core": (resource.RLIMIT_CORE, 0),
        "nofile": (resource.RLIMIT_NOFILE, 1024),
    }
    bounded = os.getuid() != 0  # the kernel never holds the superuser's number
    if bounded:
        others = 0 if _counts_apart() else tree.user_tasks()
        wanted["nproc"] = (resource.RLIMIT_NPROC, others + limits.processes + HEADROOM)
    command = ["/usr/bin/prlimit"]
    for name, (which, value) in wanted.items():
        hard = resource.getrlimit(which)[1]
        command.append(f"--{name}={value if hard == resource.RLIM_INFINITY else min(value, hard)}")
    return command, bounded


def _text_file(text: str) -> int:
    """A descriptor from which the text can be read once."""
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    return read


def launch(workdir: Path, data: Mapping[str, Path], limits: Limits) -> Launch:
    """How to start workdir/solution.py in a sandbox; `data` maps names below data/ to absolute host paths.

    SandboxUnavailable when bubblewrap is missing or cannot work here.
    """
    bwrap, namespaces = require()
    interpreter = _interpreter()
    memory = max(16, min(512, limits.memory_mb // 4)) << 20
    arguments = [bwrap, *namespaces, *_LIFE]
    for name, value in clean_environment(limits.threads, "/tmp").items():
        arguments += ["--setenv", name, value]
    arguments += _system()
    # Numeric libraries count the cores there.
    arguments += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    arguments += _KERNEL
    arguments += ["--size", str(memory), "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    arguments += ["--size", str(memory), "--perms", "1777", "--tmpfs", "/tmp"]
    for path in interpreter:
        arguments += ["--ro-bind", str(path), str(path)]
    arguments += _hidden(interpreter)
    program = f"{JOB}/{folder.PROGRAM}"
    arguments += ["--bind", str(workdir), JOB, "--ro-bind", str(workdir / folder.PROGRAM), program]
    arguments += ["--size", str(1 << 20), "--tmpfs", f"{JOB}/{folder.DATA}"]
    for name in sorted(data):
        arguments += ["--ro-bind", str(data[name]), f"{JOB}/{folder.DATA}/{name}"]
    arguments += ["--remount-ro", f"{JOB}/{folder.DATA}"]
    opened: list[int] = []
    for place, text in _ETC.items():
        opened.append(_text_file(text))
        arguments += ["--ro-bind-data", str(opened[-1]), place]
    status, reports = os.pipe()
    opened.append(reports)
    arguments += ["--json-status-fd", str(reports), "--remount-ro", "/", "--chdir", JOB, "--"]
    prlimit, bounded = _prlimit(limits)
    held = processes_held(limits, bounded)
    return Launch(
        argv=[*arguments, *prlimit, sys.executable, "-B", "-P", "-s", folder.PROGRAM],
        env={"PATH": "/usr/bin:/bin"},
        cwd=Path("/"),
        isolation=(
            "bubblewrap: no network, own process space, no capabilities, read-only interpreter and data, "
            "empty environment, one writable folder"
        ),
        enforced=(
            "no network: a network namespace of its own, loopback only",
            "file system: /usr, the Python installation and the data, all read-only; no home folder",
            f"writable: the working directory, /tmp and /dev/shm ({memory >> 20} MB each, in memory)",
            "environment: built from nothing, no variable that could hold a secret",
            "process space of its own, ended as a whole; no capabilities, no new privileges"
            + (", no further user namespaces" if "--disable-userns" in namespaces else ""),
            *described(limits, held),
        ),
        open_files=opened,
        status_fd=status,
    )


def described(limits: Limits, held: str) -> tuple[str, ...]:
    """The limits in words, for the report."""
    return (
        f"wall time: {limits.wall_seconds:.0f} s; processor time: {limits.cpu_seconds:.0f} s",
        f"memory: {limits.memory_mb:,} MB for all processes (watchdog) and for each (kernel)",
        f"processes and threads: {limits.processes} ({held})",
        f"files: {limits.file_mb:,} MB each (kernel), {limits.disk_mb:,} MB together (watchdog)",
        f"threads of numeric libraries: {limits.threads}",
    )


def processes_held(limits: Limits, by_kernel: bool) -> str:
    """Who holds the number of processes, in words."""
    return "watchdog" + (f"; {limits.processes + HEADROOM}, kernel" if by_kernel else "")
