"""Runs a stage in a process that ends without warning, as kill -9 would end it: `dying.py STAGE JOB STEP WHERE`.

WHERE: `step`, after that step; `save`, when the checkpoint after that step is written and not yet sealed.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from linguacodus_core.trainer import checkpoints, loop
from linguacodus_core.training.job import open_job

stage, job, step, where = sys.argv[1:]


def after_step(self: Any, args: Any, state: Any, control: Any, **more: Any) -> None:
    if state.global_step == int(step):
        os._exit(9)


def in_save(folder: Path, **state: Any) -> None:
    if checkpoints.step_of(folder) == int(step):
        os._exit(9)
    sealed(folder, **state)


sealed = checkpoints.seal
if where == "save":
    checkpoints.seal = in_save
else:
    loop.Reporter.on_step_end = after_step  # type: ignore[method-assign]
importlib.import_module(f"linguacodus_core.trainer.{stage}").run(open_job(job))
