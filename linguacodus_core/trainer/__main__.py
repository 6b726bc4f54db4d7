"""The trainer's process: `python -m linguacodus_core.trainer STAGE JOB_FOLDER`.

Exit status 0: the stage's finished.json stands. 2: it ended with an error that its events name. Anything
else: what was printed says why.
"""

import argparse
import ctypes
import importlib
import os
import signal
import sys
import warnings
from pathlib import Path

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.trainer.events import Events
from linguacodus_core.training.base import kind_of
from linguacodus_core.training.job import Job, open_job

STAGES = {
    "base": "linguacodus_core.trainer.base",
    "sft": "linguacodus_core.trainer.sft",
    "dpo": "linguacodus_core.trainer.dpo",
    "measure": "linguacodus_core.trainer.measure",
}
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run one stage of one job."""
    given = _arguments()
    _die_with_parent()
    try:
        job = open_job(given.job)
    except LinguacodusError as error:
        print(error, file=sys.stderr)
        return 2
    if job.done(given.stage) is not None:
        return 0
    _prepare(job, given.stage)
    try:
        _run(job, given.stage)
    except LinguacodusError as error:
        Events(job.stage(given.stage)).error(error)
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _run(job: Job, stage: str) -> None:
    """The stage itself; memory and disk that ran out are said in words."""
    try:
        importlib.import_module(STAGES[stage]).run(job)
    except LinguacodusError:
        raise
    except Exception as error:
        from linguacodus_core.trainer.memory import translated

        if told := translated(error, job.config, stage):
            raise told from error
        raise


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="linguacodus_core.trainer", description=__doc__)
    arguments.add_argument("stage", choices=sorted(STAGES))
    arguments.add_argument("job", type=Path)
    return arguments.parse_args()


def _die_with_parent() -> None:
    """End when the parent does (the launcher, or accelerate), however it died (kill -9 included)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prepare(job: Job, stage: str) -> None:
    """Set what the libraries read when imported: plain lines, no network but for a base on the hub."""
    settings = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "warning",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin are many times slower beside busy neighbours
        "BITSANDBYTES_NOWELCOME": "1",
    }
    if stage != "base" or kind_of(job.base) != "hub":
        settings["HF_HUB_OFFLINE"] = "1"
    wanted = job.config.hardware
    if wanted.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif wanted.processes == 1:  # one process trains on one card; the trainers refuse to see several
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries among themselves


if __name__ == "__main__":
    sys.exit(main())
