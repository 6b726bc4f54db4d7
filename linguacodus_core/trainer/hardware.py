"""What this machine has to train on."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch


@dataclass(frozen=True)
class Hardware:
    """The device of this process. free: bytes it has left; bfloat16: whether it computes in it natively."""

    device: str
    name: str
    free: int
    bfloat16: bool
    cores: int

    @property
    def cuda(self) -> bool:
        """Whether it is a card."""
        return self.device.startswith("cuda")

    @property
    def words(self) -> str:
        """One line about it."""
        what = "GPU memory" if self.cuda else "memory"
        return f"{self.name}, {self.free / 1e9:.1f} GB of {what} free"


def find(wanted: str = "auto") -> Hardware:
    """The device to use: `cuda` and `auto` take a card where there is one, else it is the processor.

    Among several processes of one training each takes the card of its local rank.
    """
    if wanted != "cpu" and torch.cuda.is_available():
        return _card(int(os.environ.get("LOCAL_RANK", "0")))
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    free = psutil.virtual_memory().available
    return Hardware("cpu", f"CPU, {cores} cores", _limited(free), _cpu_bfloat16(), cores)


def _card(number: int) -> Hardware:
    """The card of that number. This has not been run on one."""
    torch.cuda.set_device(number)
    free, _ = torch.cuda.mem_get_info(number)
    bfloat16 = torch.cuda.get_device_capability(number) >= (8, 0)
    return Hardware(f"cuda:{number}", torch.cuda.get_device_name(number), free, bfloat16, os.cpu_count() or 1)


def _cpu_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16; one that does not is a hundred times slower with it."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))


def _limited(free: int) -> int:
    """What a container's limit leaves of the free memory (cgroup v2)."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if limit == "max" else min(free, max(0, int(limit) - used))
