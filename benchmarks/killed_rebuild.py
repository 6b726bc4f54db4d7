"""A rebuild killed (-9) again and again: what is lost, and what is paid for twice.

`python benchmarks/killed_rebuild.py [--kills 20] [--seed 0]` makes a folder of pulled kernels and a local
endpoint that counts every prompt it answers, starts `linguacodus dataset rebuild`, kills its whole process
group at a random moment, so many times, then lets it end. It prints how many calls were answered, how many of
them twice (those under way at a kill may be), and whether the version is whole; it fails when anything
finished was lost.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.honest_endpoint import Endpoint
from benchmarks.pulled_kernels import write_corpus
from linguacodus_core.dataset.version import open_version, verify

LINGUACODUS = str(Path(sys.executable).with_name("linguacodus"))
COMPETITIONS, KERNELS, CONCURRENCY = 8, 70, 4


def start(folder: Path, profile: Path) -> "subprocess.Popen[bytes]":
    """The command, in a process group of its own."""
    arguments = ["--source", "kernels", "--path", str(folder), "--profile", str(profile), "--budget-usd", "5"]
    return subprocess.Popen(
        [LINGUACODUS, "dataset", "rebuild", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def main() -> None:
    """Kill, and look."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place, Endpoint(delay=0.6).serving() as endpoint:
        home = Path(place) / "home"
        os.environ |= {"LINGUACODUS_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
        folder = write_corpus(Path(place) / "pulled", COMPETITIONS, KERNELS, seed=77)
        profile = endpoint.profile(Path(place), CONCURRENCY)
        kills = 0
        for kill in range(given.kills):
            process = start(folder, profile)
            patience = draw.uniform(2, 16)
            try:
                process.wait(timeout=patience)
                print(f"run {kill + 1}: ended by itself before {patience:.1f} s", flush=True)
                break
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                print(f"kill {kills} after {patience:.1f} s: {endpoint.calls} calls answered", flush=True)
        process = start(folder, profile)
        out, _ = process.communicate(timeout=900)
        print(out.decode()[-400:])
        twice = sum(count - 1 for count in endpoint.asked.values())
        version = open_version("latest")
        problems = verify(version)
        solutions = COMPETITIONS * KERNELS
        instructions = version.manifest.rows["instructions"]
        print(
            f"{kills} kills: {instructions} of {solutions} instructions, {len(endpoint.asked)} prompts, "
            f"{endpoint.calls} answers, {twice} made again; at most {kills * CONCURRENCY} were under way"
        )
        if process.returncode or problems or instructions != solutions or twice > kills * CONCURRENCY:
            sys.exit(f"something was lost: exit status {process.returncode}, {problems}")


if __name__ == "__main__":
    main()
