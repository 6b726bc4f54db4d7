"""Measures the solutions of the corpus that ships: each runs in the sandbox, the hidden answers score it.

    python benchmarks/measure_sample.py [--only COMPETITION] [--check [--tolerance 0.005]]

Writes the scores into <competition>/listing.json and the versions they were measured with into measured.json,
both in linguacodus_core/sources/sample_corpus. A solution that does not come to a valid submission has no
score; the table says why. `--check` writes nothing, compares, and ends with 1 where a score is another one.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from linguacodus_core.candidate import Candidate
from linguacodus_core.curation.cells import join
from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.answers import score_submission
from linguacodus_core.scoring.harness import submit
from linguacodus_core.sources.sample import FOLDER, SampleSource
from linguacodus_core.store import write_json, write_text
from linguacodus_core.taskfolder.examples import write_example
from linguacodus_core.taskfolder.read import read_task

SECONDS = 60.0
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "xgboost-cpu", "catboost", "pillow")
VERSIONS = FOLDER / "measured.json"


@dataclass(frozen=True)
class Measured:
    """A solution's score (6 significant digits) and seconds, or why it has none."""

    score: float | None
    seconds: float | None = None
    why: str = ""


def programs(source: SampleSource) -> dict[str, str]:
    """Kernel -> its code cells as one program, magics and shell lines left out."""
    cells: dict[str, list[str]] = defaultdict(list)
    for batch in source.blocks():
        for block in batch.to_pylist():
            if block["kind"] == "code":
                cells[block["kernel"]].append(block["code"])
    return {kernel: join(code) for kernel, code in cells.items()}


def measure(program: str, label: str, task: Path, work: Path) -> Measured:
    """Run a program on the task's data and score its submission with the task's answers."""
    limits = Limits(wall_seconds=SECONDS, threads=1)
    candidate = Candidate(route="whole", label=label, program=program)
    try:
        found = submit(candidate, read_task(task), limits, work=work)
        found.frame.to_csv(work / "submission.csv", index=False)
        score = score_submission(work / "submission.csv", task).score
    except SubmissionInvalid as error:
        return Measured(None, why=error.problem.strip().splitlines()[-1])
    return Measured(float(f"{score:.6g}"), found.execution.seconds)


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that solutions import."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def agree(one: float | None, other: float | None, tolerance: float) -> bool:
    """Whether two scores are the same up to `tolerance`, relative to the first or to 0.05."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance * max(0.05, abs(one))


def measure_competition(
    competition: str, kernels: list[dict[str, Any]], code: dict[str, str]
) -> dict[str, Measured]:
    """All kernels of one competition, on a fresh task folder; prints a row each."""
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="linguacodus-sample-") as folder:
        task = write_example(competition, Path(folder, "task"))
        work = Path(folder, "work")
        work.mkdir()
        for kernel in kernels:
            name = kernel["kernel"]
            if kernel["language"] == "python":
                found[name] = measure(code[name], name, task, work)
            else:
                found[name] = Measured(None, why=f"not run: {kernel['language']}")
            row = found[name]
            score = "-" if row.score is None else f"{row.score:g}"
            took = "" if row.seconds is None else f"{row.seconds:.1f} s"
            print(f"{competition:16} {name:54} {score:>10}  {took}{row.why[:90]}", flush=True)
    return found


def listing(kernels: list[dict[str, Any]], found: dict[str, Measured]) -> str:
    """The text of listing.json; nobody votes on these, so votes and comments are null."""
    rows = [
        {
            "kernel": kernel["kernel"],
            "listed": None,
            "votes": None,
            "comments": None,
            "score": found[kernel["kernel"]].score,
            "title": kernel["title"],
        }
        for kernel in kernels
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """The exit code: 1 where --check found another score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="COMPETITION")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--tolerance", type=float, default=0.005)
    asked = parser.parse_args()
    source = SampleSource()
    code = programs(source)
    by_competition: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for kernel in source.kernels().to_pylist():
        if asked.only in (None, kernel["competition"]):
            by_competition[kernel["competition"]].append(kernel)
    different = []
    for competition, kernels in by_competition.items():
        found = measure_competition(competition, kernels, code)
        if not asked.check:
            write_text(FOLDER / competition / "listing.json", listing(kernels, found))
            continue
        for kernel in kernels:
            now = found[kernel["kernel"]].score
            if not agree(kernel["score"], now, asked.tolerance):
                different.append(f"{competition} {kernel['kernel']}: {kernel['score']} recorded, {now} now")
    if not asked.check and asked.only is None:
        write_json(VERSIONS, versions())
    if different:
        recorded = json.loads(VERSIONS.read_text())
        print(*different, sep="\n")
        for name, here in versions().items():
            if recorded.get(name) != here:
                print(f"{name}: {recorded.get(name)} when the scores were recorded, {here} here")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
