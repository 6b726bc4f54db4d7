"""A fine-tune killed (-9) again and again, beside an unbroken one: steps, losses, and what was done twice.

`python benchmarks/killed_finetune.py [--kills 3] [--steps 12] [--dataset VERSION] [--out DIR]` runs
`linguacodus finetune` on SmolLM2-135M twice, each in a LINGUACODUS_HOME of its own: once unbroken, and once
with its whole process group killed at random moments and the same command started again, then left to its
end. The dataset is the corpus that ships, unless one is named. Model file and converted base are shared by
hard links. It fails when the killed run ends with other steps, when a process outlives its kill, or when a
loss is further away than --noise.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.finetune_command import (
    Outcome,
    command,
    dataset_folder,
    finetune,
    home_environment,
    link_into,
    step_events,
)
from benchmarks.finetune_jobs import Failed, events, run
from linguacodus_core.training.config import FinetuneConfig, load_config

LINGUACODUS = str(Path(sys.executable).with_name("linguacodus"))
SURVIVAL = 20.0
"""Seconds after a kill within which all that the command had started has to be gone."""


def main() -> int:
    """Both runs and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--save-steps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", type=float, default=0.02, help="nats that a loss may differ by")
    parser.add_argument("--dataset", help="a version, or its folder; the corpus that ships by default")
    parser.add_argument("--base", default="embedded:smollm2-135m-instruct-q4_1")
    parser.add_argument("--out", type=Path, help="keep homes and logs here; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = (given.out or Path(temporary)).resolve()
        try:
            return compare(given, place)
        except Failed as error:
            print(error, file=sys.stderr)
            return 1


def compare(given: argparse.Namespace, place: Path) -> int:
    """The exit status. Raises Failed when a run does not end as a fine-tune ends."""
    unbroken, killed = place / "unbroken", place / "killed"
    dataset = dataset_folder(given.dataset) if given.dataset else sample(place)
    for home in (unbroken, killed):
        link_into(home, dataset)
    config = place / "killed.toml"
    config.write_text(short(given.base, given.steps, given.save_steps).as_toml())
    asked = ["--dataset", dataset.name, "--config", str(config)]
    whole = finetune(asked, unbroken, place / "unbroken.log")
    print(f"unbroken: {whole.stages['sft']['steps']} steps in {whole.seconds:.0f} s", flush=True)
    if (unbroken / "bases").is_dir() and not (killed / "bases").exists():
        shutil.copytree(unbroken / "bases", killed / "bases", copy_function=os.link)
    draw = random.Random(given.seed)
    kills = survivors = 0
    for number in range(given.kills):
        survived = kill_once(asked, killed, draw.uniform(2, whole.seconds), place / f"kill{number + 1}.log")
        if survived is None:
            break
        kills, survivors = kills + 1, survivors + survived
    broken = finetune(asked, killed, place / "killed.log")
    print("\n" + page(whole, broken, kills))
    return judged(whole, broken, survivors, given.noise)


def short(base: str, steps: int, save_steps: int) -> FinetuneConfig:
    """smollm2-135m-cpu, short: few steps, a checkpoint every few of them, little measured."""
    fields = load_config("smollm2-135m-cpu").model_dump()
    fields |= {"name": "killed", "base": base}
    fields["training"] |= {"max_steps": steps, "save_steps": save_steps, "log_steps": 1}
    fields["evaluation"] |= {"examples_per_competition": 2, "samples": 1, "max_tokens": 16}
    return FinetuneConfig.model_validate(fields)


def sample(place: Path) -> Path:
    """A version of the corpus that ships, made in a home of its own."""
    home = place / "sample"
    made = home / "datasets"
    if not made.is_dir():
        asked = [LINGUACODUS, "dataset", "rebuild", "--source", "sample"]
        run(asked, place / "sample.log", limit=1800, env=home_environment(home))
    return next(folder for folder in made.iterdir() if (folder / "manifest.json").exists())


def kill_once(asked: list[str], home: Path, patience: float, log: Path) -> int | None:
    """Start the command, kill it after `patience` s; how many processes outlived it (None: it had ended)."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command(*asked),
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=home_environment(home),
            start_new_session=True,
        )
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(family, SURVIVAL)
        print(f"killed after {patience:.0f} s, {reached(home)}; outlived it: {len(alive)}", flush=True)
        return len(alive)
    print(f"ended by itself before {patience:.0f} s", flush=True)
    return None


def reached(home: Path) -> str:
    """How far training was, in words."""
    files = list(home.glob("training/*/sft/events.jsonl"))
    steps = [event["step"] for file in files for event in events(file) if event["event"] == "step"]
    return f"last step reported {steps[-1]}" if steps else "before the first step"


def page(whole: Outcome, broken: Outcome, kills: int) -> str:
    """The table."""
    lines = [
        "| | kills | steps | last loss | mean loss of the last tenth | steps done | of them twice |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, outcome, count in (("unbroken", whole, 0), ("killed", broken, kills)):
        steps = step_events(outcome.job)
        found = events(outcome.job.stage("sft") / "events.jsonl")
        done = sum(event["event"] == "step" for event in found)
        cells = [name, count, len(steps), f"{steps[-1]['loss']:.4f}", f"{outcome.stages['sft']['loss']:.4f}"]
        lines.append("| " + " | ".join(map(str, [*cells, done, done - len(steps)])) + " |")
    lines.append(f"\nLargest difference of the loss at any step: {difference(whole, broken):.2g} nats.")
    return "\n".join(lines)


def difference(whole: Outcome, broken: Outcome) -> float:
    """Of the losses at the same step."""
    pairs = zip(step_events(whole.job), step_events(broken.job), strict=False)
    return max(abs(one["loss"] - other["loss"]) for one, other in pairs)


def judged(whole: Outcome, broken: Outcome, survivors: int, noise: float) -> int:
    """The exit status, and what is wrong."""
    wrong = []
    if len(step_events(whole.job)) != len(step_events(broken.job)):
        wrong.append("the killed run has other steps than the unbroken one")
    if difference(whole, broken) > noise:
        wrong.append(f"its losses differ by more than {noise:g}")
    if survivors:
        wrong.append(f"{survivors} processes were there {SURVIVAL:.0f} s after their kill")
    for problem in wrong:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    begun = time.monotonic()
    status = main()
    print(f"{time.monotonic() - begun:.0f} s in all")
    sys.exit(status)
