"""Stands for the trainer: `fake_trainer.py BEHAVIOUR STAGE JOB_FOLDER` does what its first argument says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

behaviour, stage, job = sys.argv[1:4]
folder = Path(job) / stage
events = (folder / "events.jsonl").open("ab", buffering=0)


def emit(**event: object) -> None:
    events.write(json.dumps(event).encode() + b"\n")


def finish(**summary: object) -> None:
    (folder / "finished.json").write_text(json.dumps(summary))
    emit(event="end", **summary)


with (Path(job) / "runs.txt").open("a") as runs:
    runs.write(f"{behaviour}\n")

match behaviour:
    case "well":
        emit(event="begin", steps=2)
        events.write(b'{"event": "step", ')
        time.sleep(0.5)
        events.write(b'"step": 1}\n')
        emit(event="step", step=2)
        print("all went well")
        finish(steps=2, rank=os.environ.get("RANK"))
    case "late":
        time.sleep(1)
        finish(steps=1)
    case "environment":
        finish(variables=dict(os.environ), arguments=sys.argv[2:])
    case "processes":
        (folder / f"rank-{os.environ['RANK']}").write_text(os.environ["WORLD_SIZE"])
        if os.environ["RANK"] == "0":
            finish(steps=1)
    case "worker-killed":
        if os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    case "error":
        emit(event="error", problem="no example fits", remedy="raise max_length")
        sys.exit(2)
    case "error-and-hangs":
        emit(event="error", problem="no example fits", remedy="raise max_length")
        time.sleep(600)
    case "says-nothing":
        pass
    case "crash":
        print("\rstep 1\rstep 2\nthe reason stands here", flush=True)
        sys.exit(7)
    case "raises":
        print("Traceback:\n  File x\nValueError: this is why\n\nChildFailedError: x\nby the way", flush=True)
        sys.exit(1)
    case "memory":
        print("RuntimeError: DefaultCPUAllocator: can't allocate memory", flush=True)
        sys.exit(1)
    case "disk":
        print("OSError: [Errno 28] No space left on device", flush=True)
        sys.exit(1)
    case "SIGKILL" | "SIGSEGV":
        os.kill(os.getpid(), getattr(signal, behaviour))
    case "family":
        if os.environ.get("DEAF"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        own = subprocess.Popen(sleep)
        apart = subprocess.Popen(sleep, start_new_session=True)
        emit(event="begin", processes=[os.getpid(), own.pid, apart.pid])
        time.sleep(600)
