"""No isolation: a plain subprocess with limits, only for who asks for it by name.

It gets a clean environment, copies of the data and the same limits; the network and every file of the user's
are open to it.
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.sandbox import folder, launcher, machine, tree
from linguacodus_core.sandbox.bubblewrap import HEADROOM, described, processes_held
from linguacodus_core.sandbox.environment import clean_environment
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.supervise import Launch

_MARK = "LINGUACODUS_RUN"


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())


def _copy(data: Mapping[str, Path], into: Path) -> float:
    """Copy the data, read-only, so that the program cannot reach the originals through it; MB copied."""
    total = sum(_size(source) for source in data.values()) / 2**20
    if total > machine.free_disk_mb(into) * 0.9:
        raise LinguacodusError(
            f"copying the data ({total:,.0f} MB) to {into} would fill the disk",
            "free some space, or use bubblewrap, which needs no copy (`apt-get install bubblewrap`)",
        )
    for name, source in sorted(data.items()):
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=False, ignore_dangling_symlinks=True, dirs_exist_ok=True)
            copied = [path for path in target.rglob("*") if path.is_file()]
        else:
            shutil.copyfile(source, target)
            copied = [target]
        for path in copied:
            path.chmod(0o444)
    return total


def launch(workdir: Path, data: Mapping[str, Path], limits: Limits) -> Launch:
    """How to start workdir/solution.py as a plain subprocess; `data` maps names to absolute host paths."""
    data_mb = _copy(data, workdir / folder.DATA)
    mb = 1 << 20
    bounds = {
        "RLIMIT_DATA": limits.memory_mb * mb,
        "RLIMIT_FSIZE": limits.file_mb * mb,
        "RLIMIT_CPU": int(limits.cpu_seconds) + 2,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 1024,
    }
    bounded = os.getuid() != 0
    if bounded:
        bounds["RLIMIT_NPROC"] = tree.user_tasks() + limits.processes + HEADROOM
    mark = f"{_MARK}={secrets.token_hex(8)}"
    scratch = workdir / "tmp"
    scratch.mkdir(exist_ok=True)
    name, _, value = mark.partition("=")
    starter = [sys.executable, "-I", "-S", "-B", str(Path(launcher.__file__).resolve()), json.dumps(bounds)]
    return Launch(
        argv=[*starter, sys.executable, "-B", "-P", "-s", folder.PROGRAM],
        env={**clean_environment(limits.threads, str(scratch)), name: value},
        cwd=workdir,
        isolation="plain subprocess: limits only; network and file system are open to the program",
        enforced=(
            "NOT isolated: the network and all files of this user are open to the program",
            "environment: built from nothing, no variable that could hold a secret",
            "data: read-only copies",
            *described(limits, processes_held(limits, bounded)),
        ),
        mark=mark,
        data_mb=data_mb,
    )
