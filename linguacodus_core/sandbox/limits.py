"""How much of the machine one candidate program may use."""

import tempfile
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from linguacodus_core.sandbox import machine


def _disk_mb() -> int:
    return max(256, min(20_480, machine.free_disk_mb(Path(tempfile.gettempdir())) // 2))


class Limits(BaseModel):
    """The limits of one run; what is left out is derived from the machine.

    wall_seconds: from start to end. threads: what numeric libraries are told to use.
    cpu_seconds: processor time of the whole process tree, by default wall_seconds on every thread.
    memory_mb: resident memory of the whole tree, and the writable memory that any single process may ask for.
    processes: processes and threads together. file_mb: the largest file. disk_mb: everything in the working
    directory together. MB are 2**20 bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_seconds: float = Field(gt=0)
    threads: int = Field(default_factory=lambda: machine.cores(), ge=1)
    cpu_seconds: float = Field(default_factory=lambda known: known["wall_seconds"] * known["threads"], gt=0)
    memory_mb: int = Field(default_factory=lambda: max(1024, machine.memory_mb() * 6 // 10), ge=64)
    processes: int = Field(default_factory=lambda: 128 + 16 * machine.cores(), ge=4)
    disk_mb: int = Field(default_factory=_disk_mb, ge=1)
    file_mb: int = Field(default_factory=lambda known: max(1, min(4096, known["disk_mb"])), ge=1)

    @classmethod
    def for_machine(cls, wall_seconds: float) -> Self:
        """The limits that suit this machine: every core, six tenths of the memory, half the free disk."""
        return cls(wall_seconds=wall_seconds)
