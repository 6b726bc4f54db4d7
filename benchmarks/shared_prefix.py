"""How much faster examples train whose common prompt is computed once, and whether the loss is the same.

    python benchmarks/shared_prefix.py [--dataset latest] [--examples 48] [--rounds 2] [--device cpu]

The same examples, once each, by the product's own trainer with SmolLM2-135M (or another --base), batched in
three ways: `plain` (one prompt and completion a row, shuffled), `by_length` (rows of like length together),
`shared_prefix` (a competition's prompt once, then what each of its examples has of its own). Each in a
process of its own, in rounds of alternating order; loading is not counted. Then the three once more over
all examples in one step: its loss and gradient norm are those of the untrained adapter over all of them,
and have to agree. tokens/s counts an example's prompt and completion in full, however often its prompt was
really computed.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from benchmarks import finetune_jobs as jobs
from benchmarks.gpu import rows
from linguacodus_core.training.config import FinetuneConfig, load_config
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import EXAMPLES

WAYS = ("plain", "by_length", "shared_prefix")
BATCH = 4
"""Rows of one example a step; a pack holds as many tokens as these have."""
ALL_AT_ONCE = 4096
"""Batches a step, more than there are: an epoch is one step."""


def main() -> int:
    """Both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="latest", help="a version, or its folder")
    parser.add_argument("--examples", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--base", default="embedded:smollm2-135m-instruct-q4_1")
    parser.add_argument("--pack-length", type=int, default=2048)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--minutes", type=float, default=30, help="at most so long a process")
    given = parser.parse_args()
    chosen = rows.chosen(rows.read(given.dataset), "train", given.examples)
    examples = rows.as_examples(chosen, EXAMPLES)
    with tempfile.TemporaryDirectory() as place:
        try:
            found = measure(given, examples, Path(place))
        except jobs.Failed as error:
            print(error, file=sys.stderr)
            return 1
    print("\n" + found)
    return 0


def measure(given: argparse.Namespace, examples: pa.Table, place: Path) -> str:
    """Everything, as Markdown. Raises jobs.Failed."""
    limit = 60 * given.minutes
    prepared: Path | None = None
    speeds: dict[str, list[jobs.Pace]] = {way: [] for way in WAYS}
    read: dict[str, int] = {}

    def run(way: str, name: str, accumulation: int) -> tuple[Job, list[jobs.Event]]:
        nonlocal prepared
        config = configured(given, way, accumulation)
        job = jobs.make_job(place / f"{name}-{way}", config, examples, EXAMPLES.empty_table())
        if prepared:
            shutil.copytree(prepared, job.stage("base"))
        elif not jobs.run_stage(job, "base", limit=limit):
            raise jobs.Failed("the base was not ready in time: give more --minutes")
        prepared = job.stage("base")
        if not jobs.run_stage(job, "sft", limit=limit):
            raise jobs.Failed(f"{way} was not through in time: give more --minutes or fewer --examples")
        return job, jobs.events(job.stage("sft") / "events.jsonl")

    for number in range(given.rounds):
        for way in WAYS if number % 2 == 0 else reversed(WAYS):
            _, events = run(way, f"speed{number}", 1)
            speeds[way].append(jobs.pace(events))
            read[way] = next(event["tokens"] for event in events if event["event"] == "begin")
            print(f"round {number + 1}, {way}: {speeds[way][-1].seconds:.1f} s", flush=True)
    exact = {}
    for way in WAYS:
        events = run(way, "exact", ALL_AT_ONCE)[1]
        exact[way] = next(event for event in events if event["event"] == "step")
    return page(examples.num_rows, speeds, read, exact)


def configured(given: argparse.Namespace, way: str, accumulation: int) -> FinetuneConfig:
    """smollm2-135m-cpu but for the batching."""
    fields = load_config("smollm2-135m-cpu").model_dump()
    fields |= {"base": given.base, "name": f"batching-{way.replace('_', '-')}"}
    fields["hardware"] |= {"device": given.device}
    fields["training"] |= {
        "epochs": 1.0,
        "batching": way,
        "batch": 1 if way == "shared_prefix" else BATCH,
        "accumulation": accumulation,
        "pack_length": given.pack_length,
        "log_steps": 1,
        "save_steps": 10_000,
        "precision": "auto",
    }
    return FinetuneConfig.model_validate(fields)


def page(
    count: int, speeds: dict[str, list[jobs.Pace]], read: dict[str, int], exact: dict[str, jobs.Event]
) -> str:
    """The tables."""
    whole = read["plain"]
    seconds = {way: statistics.median(pace.seconds for pace in found) for way, found in speeds.items()}
    lines = [
        f"{count} examples, {whole:,} tokens; medians of {len(speeds['plain'])} rounds, loading not counted.",
        "",
        "| batching | tokens computed | s an example | tokens/s | times plain | peak GB |",
        "|---|---|---|---|---|---|",
    ]
    for way in WAYS:
        cells = [
            way,
            f"{read[way]:,}",
            f"{seconds[way] / count:.2f}",
            f"{whole / seconds[way]:,.0f}",
            f"{seconds['plain'] / seconds[way]:.2f}",
            f"{max(pace.memory for pace in speeds[way]) / 1e9:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "| all examples in one step | loss | difference | gradient norm | difference |",
        "|---|---|---|---|---|",
    ]
    plain = exact["plain"]
    for way, step in exact.items():
        loss, norm = step["loss"] - plain["loss"], step["grad_norm"] - plain["grad_norm"]
        lines.append(f"| {way} | {step['loss']:.6f} | {loss:+.1e} | {step['grad_norm']:.6f} | {norm:+.1e} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
