"""What this machine (or this container) has to give: processor cores, memory, free disk."""

import os
import shutil
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def _number(path: Path) -> int | None:
    """The first whole number in a cgroup file; None when there is none ("max", no such file)."""
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def cores() -> int:
    """Processor cores this process may use: its affinity, cut by the container's quota; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        allowed = min(allowed, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, allowed)


def memory_mb() -> int:
    """Memory of the machine in MB (2**20 bytes), cut by the container's limit."""
    total: int = psutil.virtual_memory().total
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _number(_CGROUP / name)
        if limit:
            total = min(total, limit)
    return total >> 20


def free_disk_mb(path: Path) -> int:
    """Free space in MB on the file system of `path`, or of its nearest parent that exists."""
    for place in (path, *path.parents):
        if place.exists():
            return shutil.disk_usage(place).free >> 20
    return 0
