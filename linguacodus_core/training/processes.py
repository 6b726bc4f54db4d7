"""One training by several processes: the command line of `accelerate launch`, and the file that it reads."""

import os
import sys
from pathlib import Path
from typing import Any

from linguacodus_core import store
from linguacodus_core.training.config import HardwareSettings

FILE = "accelerate.json"
FSDP: dict[str, Any] = {
    "fsdp_version": 2,
    "fsdp_reshard_after_forward": True,
    "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
    "fsdp_state_dict_type": "FULL_STATE_DICT",  # the adapter is whole in every checkpoint
    "fsdp_cpu_ram_efficient_loading": False,
}
"""4-bit weights are sharded too, since the trainer stores them in a floating type."""


def accelerated(hardware: HardwareSettings, folder: Path) -> list[str]:
    """The beginning of a command line that runs what follows (`-m MODULE ...`) in several processes.

    Its settings are written to accelerate.json in the stage's folder, so that the user's own defaults of
    accelerate play no part. On a CPU, too, the processes are started as they are on cards (`--cpu` starts
    only one); ACCELERATE_USE_CPU in the environment makes them use it. Several cards have not been tried.
    """
    fsdp = hardware.strategy == "fsdp"
    settings = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "FSDP" if fsdp else "MULTI_GPU",
        "num_processes": hardware.processes,
        "num_machines": 1,
        "machine_rank": 0,
        "main_process_port": 0,  # one that is free
        "mixed_precision": "no",  # the trainer decides
    }
    store.write_json(folder / FILE, settings | ({"fsdp_config": FSDP} if fsdp else {}))
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(folder / FILE)]
    if "OMP_NUM_THREADS" not in os.environ:
        launch += ["--num_cpu_threads_per_process", str(max(1, _cores() // hardware.processes))]
    return launch


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
