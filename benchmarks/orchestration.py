"""What does the orchestration cost? Wall time of the command beside its candidates' runs on the hold-outs.

    python benchmarks/orchestration.py [--time-limit 40]

Runs `generate` on an example task, without a Prefect server (it starts a temporary one) and against a
running one, each time once with work to do and once with everything cached. What is left beside the
hold-outs: imports, Prefect, reading, the runs on the full data, outputs and report; in a cached run, all
of that but the runs. A second table takes the cached run apart, inside one process: what Prefect's import,
its server's start and the flow cost beyond the same steps as plain functions.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

BIN = Path(sys.executable).parent


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """A Prefect server of its own on a free port; yields its API URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [str(BIN / "prefect"), "server", "start", "--port", str(port), "--no-ui"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/api"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def timed(task: Path, out: Path, environment: dict[str, str], limit: float) -> float:
    """Wall seconds of the command."""
    start = time.perf_counter()
    subprocess.run(
        [str(BIN / "linguacodus"), "generate", str(task), "--out", str(out), "--sources", "prior",
         "--time-limit", str(limit)],
        env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start


def hold_out_seconds(out: Path) -> float:
    """Seconds that the candidates of a run spent on the hold-outs."""
    rows = pq.read_table(out / "candidates.parquet", columns=["route", "seconds"]).to_pylist()
    return sum(row["seconds"] or 0.0 for row in rows if row["route"] != "blend")


def inside(task: Path, out: Path, limit: float) -> None:
    """Print the seconds of a cached run's parts, measured in this process."""
    marks = [time.perf_counter()]

    def lap() -> float:
        marks.append(time.perf_counter())
        return marks[-1] - marks[-2]

    from linguacodus_core.generation.outputs import write_outputs
    from linguacodus_core.generation.request import GenerateRequest
    from linguacodus_core.generation.run import open_run
    from linguacodus_core.generation.splits import open_split
    from linguacodus_core.llm.profiles import load_profile
    from linguacodus_core.settings import local_home
    from linguacodus_core.taskfolder.profile import profile
    from linguacodus_core.taskfolder.read import read_task

    core = lap()
    from flows import terminal

    prefect = lap()
    if not terminal.api_url():
        terminal.start_server()
    server = lap()
    request = GenerateRequest(task_dir=task, out=out, time_limit=limit, sources=("prior",))
    terminal.generate_flow.generate(request)
    flow = lap()
    spec = read_task(task)
    split = open_split(spec, request.seed, local_home() / "splits")
    with open_run(request, spec, load_profile(request.profile), profile(spec), split) as run:
        winner = run.finished
        assert winner is not None
        write_outputs(run, winner, (out / "submission.csv").read_bytes())
    plain = lap()
    cells = (core, prefect, server, flow, plain, prefect + server + flow - plain)
    print(" | ".join(f"{cell:.1f}" for cell in cells))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--time-limit", type=float, default=40)
    parser.add_argument("--inside", nargs=2, type=Path, metavar=("TASK", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(*options.inside, options.time_limit)
        return
    print("| server | run | wall seconds | on the hold-outs | the rest |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        task = place / "task"
        subprocess.run([str(BIN / "linguacodus"), "example", "breast-cancer", str(task)], check=True)
        apart = []
        with prefect_server(place / "server") as url:
            for server, api in (("temporary", ""), ("running", url)):
                home = place / server
                environment = {
                    **os.environ,
                    "LINGUACODUS_HOME": str(home),
                    "PREFECT_HOME": str(home / "prefect"),
                    **({"PREFECT_API_URL": api} if api else {}),
                }
                for run in ("first", "cached"):
                    wall = timed(task, home / "out", environment, options.time_limit)
                    work = hold_out_seconds(home / "out") if run == "first" else 0.0
                    print(f"| {server} | {run} | {wall:.1f} | {work:.1f} | {wall - work:.1f} |", flush=True)
                command = [sys.executable, __file__, "--time-limit", str(options.time_limit)]
                parts = subprocess.run(
                    [*command, "--inside", str(task), str(home / "out")],
                    env=environment, check=True, capture_output=True, text=True,
                ).stdout.splitlines()[-1]  # fmt: skip
                apart.append(f"| {server} | {parts} |")
    print(
        "\n| server | import the core | import Prefect | start the server | the flow, cached "
        "| the same, plain | orchestration |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(apart))


if __name__ == "__main__":
    main()
