"""Each part of the benchmark: what is started, and what is kept of it. torch is for the processes."""

import hashlib
import json
import random
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import finetune_jobs as jobs
from benchmarks.finetune_command import dataset_folder, finetune, link_into
from benchmarks.gpu.report import WHO
from benchmarks.gpu.results import Record, Results
from benchmarks.gpu.rows import as_examples
from benchmarks.gpu.setup import Setup, changed
from linguacodus_core.training.config import FinetuneConfig, load_config
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import EXAMPLES

HERE = Path(__file__).parent
PRECISION = {"reference": "float16", "paper": "float16", "own": "bfloat16"}
SIZE = {"cuda": 8192, "cpu": 512}
KILL_STEPS = 24


def card(setup: Setup, results: Results) -> None:
    """The device and its matrix rate, measured anew in every run: another card is another benchmark."""
    before = results.of("card")
    found = _json(setup, "card.py", "card.json", "--size", str(SIZE[setup.device]))
    if before and before[-1]["name"] != found["name"]:
        raise jobs.Failed(
            f"{setup.out} holds results of {before[-1]['name']}; this is {found['name']}: use another --out"
        )
    results.add("card", **found)


def speed(setup: Setup, results: Results, who: tuple[str, ...] = tuple(WHO)) -> None:
    """Trainings of random weights in rounds, then one judge over what the last round trained."""
    counts = _random_base(setup)
    for number in range(setup.rounds):
        for name in who if number % 2 == 0 else reversed(who):
            if not results.of("speed", who=name, round=number):
                run = _train(setup, results, name, setup.out / "speed" / f"{name}-{number}", str(setup.base))
                results.add("speed", who=name, round=number, **_rates(setup, name, run, counts["tokens"]))
    _judge(setup, results, "speed", setup.base, str(setup.base))


def loss(setup: Setup, results: Results) -> None:
    """The three trainings of the small model, once each, and their loss on held-out examples."""
    small = str(setup.base) if setup.tiny else setup.small
    if setup.tiny:
        _random_base(setup)
    for who in WHO:
        if not results.of("loss", who=who):
            run = _train(setup, results, who, setup.out / "loss" / who, small)
            if not run["whole"]:
                raise jobs.Failed(f"{who} was cut off: give more --minutes, or fewer --examples")
            results.add("loss", who=who, seconds=run["pace"].seconds, steps=run["pace"].steps)
    _judge(setup, results, "loss", _materialised(setup, small), small)


def kill(setup: Setup, results: Results) -> None:
    """One training unbroken, the same killed after a checkpoint, somewhere in its second half."""
    if results.of("kill"):
        return
    _random_base(setup)
    steps = 6 if setup.tiny else KILL_STEPS
    config = changed(
        setup.configured("paper", str(setup.base), _memory(results)),
        training={"max_steps": steps, "save_steps": max(2, steps // 4), "log_steps": 1},
    )
    whole = _job(setup, config, setup.out / "kill" / "unbroken")
    broken = _job(setup, config, setup.out / "kill" / "killed")
    began = time.monotonic()
    _must(jobs.run_stage(whole, "sft", limit=setup.limit), "the unbroken run")
    seconds = time.monotonic() - began
    at = random.Random(0).randrange(steps // 2, steps - 1)

    def reached(events: list[jobs.Event]) -> bool:
        saved = any(event["event"] == "checkpoint" for event in events)
        return saved and any(event["event"] == "step" and event["step"] >= at for event in events)

    began = time.monotonic()
    if not jobs.kill_stage(broken, "sft", reached, limit=setup.limit):
        raise jobs.Failed("the run ended before it could be killed")
    killed_at = _steps(broken)[-1]["step"]
    _must(jobs.run_stage(broken, "sft", limit=setup.limit), "the resumed run")
    begun = [event for event in _events(broken) if event["event"] == "begin"]
    before, after = ({step["step"]: step["loss"] for step in _steps(job)} for job in (whole, broken))
    results.add(
        "kill",
        steps=max(before),
        loss=before[max(before)],
        seconds=seconds,
        killed_at=killed_at,
        resumed_from=begun[-1]["resumed_from"],
        killed_steps=max(after),
        killed_loss=after[max(after)],
        killed_seconds=time.monotonic() - began,
        twice=len(_steps(broken)) - len(after),
        difference=max(abs(before[step] - after[step]) for step in before),
    )


def gate(setup: Setup, results: Results) -> None:
    """The command itself, on a small model and this device, in a home of its own."""
    if any("skipped" not in record for record in results.of("gate")):
        return
    if find_spec("prefect") is None:
        results.add("gate", skipped="prefect is not installed")
        return
    home = setup.out / "home"
    config = changed(
        load_config("smollm2-135m-cpu"),
        name="gpu-small",
        base=str(setup.base) if setup.tiny else setup.small,
        hardware={"device": setup.device},
        training={"precision": "auto", **({"max_steps": 4, "save_steps": 2} if setup.tiny else {})},
        evaluation={"samples": 1, "max_tokens": 16, "examples_per_competition": 2} if setup.tiny else {},
    )
    if setup.tiny:
        _random_base(setup)
    dataset = link_into(home, dataset_folder(setup.dataset))
    path = setup.out / "gate.toml"
    path.write_text(config.as_toml())
    ended = finetune(
        ["--dataset", dataset, "--config", str(path)], home, setup.out / "gate.log", limit=3 * setup.limit
    )
    results.add(
        "gate",
        base=config.base,
        verdict=ended.verdict,
        seconds=ended.seconds,
        train_seconds=ended.stages["sft"]["seconds"],
        steps=ended.stages["sft"]["steps"],
        rows=[row.model_dump() for row in ended.metrics.comparison.rows],
        checks=[check.model_dump() for check in ended.metrics.verdict.checks],
    )


def _train(setup: Setup, results: Results, who: str, folder: Path, base: str) -> dict[str, Any]:
    """One training by one of the three: its pace, its events, notes, and whether it came to its end."""
    shutil.rmtree(folder, ignore_errors=True)
    if who == "reference":
        folder.mkdir(parents=True)
        _examples(setup, folder)
        model = _materialised(setup, base)
        command = [sys.executable, str(HERE / "reference.py"), "--model", str(model), "--out", str(folder)]
        command += ["--examples", str(folder / "train.parquet"), "--device", setup.device]
        command += ["--log-steps", str(setup.log_steps)]
        whole = jobs.run(command, folder / "log.txt", limit=setup.limit)
        file, config, notes = folder / "events.jsonl", setup.paper, []
    else:
        config = setup.configured(who, base, _memory(results))
        job = _job(setup, config, folder)
        whole = jobs.run_stage(job, "sft", limit=setup.limit)
        file = job.stage("sft") / "events.jsonl"
        notes = [event["text"] for event in jobs.events(file) if event["event"] == "note"]
    found = jobs.events(file)
    return {"pace": jobs.pace(found), "events": found, "whole": whole, "config": config, "notes": notes}


def _rates(setup: Setup, who: str, run: dict[str, Any], real: float) -> Record:
    """What the table shows of a training. real: tokens of all examples as the reference reads them."""
    pace: jobs.Pace = run["pace"]
    config: FinetuneConfig = run["config"]
    begun = next(event for event in run["events"] if event["event"] == "begin")
    read = real if who == "reference" else begun["tokens"]
    computed = pace.steady_tokens / pace.steady_seconds
    precision = PRECISION[who] if setup.device == "cuda" else "float32"
    return {
        "real_rate": computed * real / read,
        "computed_rate": computed,
        "step_seconds": pace.steady_seconds / pace.steady_steps,
        "examples_a_step": len(setup.train) / begun["steps"],
        "memory": pace.memory,
        "loss": pace.loss,
        "steps": pace.steps,
        "precision": precision,
        "r": config.lora.r,
        "whole": run["whole"],
        "notes": run["notes"],
    }


def _judge(setup: Setup, results: Results, what: str, base: Path, named: str) -> None:
    """The held-out loss of the base and of every adapter that was trained to its end."""
    _examples(setup, setup.out / what)
    adapters = []
    for who in WHO:
        run = f"{who}-{setup.rounds - 1}" if what == "speed" else who
        if (folder := setup.out / what / run / ("adapter" if who == "reference" else "sft/adapter")).is_dir():
            adapters.append(f"{who}={folder}")
    if results.of("judged", what=what, adapters=len(adapters)):
        return
    examples = setup.out / what / "heldout.parquet"
    losses = _json(setup, "heldout.py", f"judged-{what}.json", *adapters, first=[str(base), str(examples)])
    results.add("judged", what=what, base=named, adapters=len(adapters), losses=losses)


def _random_base(setup: Setup) -> dict[str, float]:
    """The random weights, made once; tokens of all examples, and characters of a token."""
    counts = setup.out / f"base-{setup.architecture}.json"
    if not counts.exists():
        free = shutil.disk_usage(setup.out).free
        if not setup.tiny and free < 20e9:
            raise jobs.Failed(
                f"{setup.out} has {free / 1e9:.0f} GB free, and the weights need 20: give --out"
            )
        _examples(setup, setup.out)
        command = [sys.executable, str(HERE / "base.py"), setup.architecture, str(setup.base)]
        command += [str(setup.out / "train.parquet"), str(counts)]
        _must(jobs.run(command, setup.out / "base.log", limit=max(setup.limit, 600)), "the making of weights")
    return dict(json.loads(counts.read_text()))


def _job(setup: Setup, config: FinetuneConfig, folder: Path) -> Job:
    """A job whose stage `base` is done; what it found serves all jobs on that base."""
    shutil.rmtree(folder, ignore_errors=True)
    train, heldout = (as_examples(rows, EXAMPLES) for rows in (setup.train, setup.heldout))
    job = jobs.make_job(folder, config, train, heldout)
    known = setup.out / f"prepared-{hashlib.sha256(config.base.encode()).hexdigest()[:8]}"
    if not known.exists():
        _must(jobs.run_stage(job, "base", limit=max(setup.limit, 600)), "the stage `base`")
        shutil.copytree(job.stage("base"), known)
    else:
        shutil.copytree(known, job.stage("base"))
    return job


def _materialised(setup: Setup, base: str) -> Path:
    """The folder of a base, by the product's stage of that name."""
    if Path(base).is_dir():
        return Path(base)
    job = _job(setup, setup.configured("paper", base), setup.out / "base-of-reference")
    return Path((job.done("base") or {})["folder"])


def _examples(setup: Setup, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(as_examples(setup.train, EXAMPLES), folder / "train.parquet")
    pq.write_table(as_examples(setup.heldout, EXAMPLES), folder / "heldout.parquet")


def _json(setup: Setup, script: str, out: str, *rest: str, first: list[str] | None = None) -> dict[str, Any]:
    """What one of the scripts beside this file measured."""
    file = setup.out / out
    file.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / script), *(first or []), str(file), *rest, "--device", setup.device]
    _must(jobs.run(command, setup.out / f"{script}.log", limit=max(setup.limit, 600)), script)
    return dict(json.loads(file.read_text()))


def _memory(results: Results) -> float:
    """Bytes of the card; without the part `card`, as if it were a large one."""
    found = results.of("card")
    return float(found[-1].get("memory", 0)) if found else 80e9


def _must(ended: bool, what: str) -> None:
    if not ended:
        raise jobs.Failed(f"{what} did not end in time: give more --minutes")


def _events(job: Job) -> list[jobs.Event]:
    return jobs.events(job.stage("sft") / "events.jsonl")


def _steps(job: Job) -> list[jobs.Event]:
    return [event for event in _events(job) if event["event"] == "step"]
