"""Which route is worth what? Takes finished runs of benchmarks/generate.py apart, route by route.

    python benchmarks/routes.py TASKS_DIR --runs DIR [--random]

For each task and route (plan, staged, whole, prior) the candidate that was best on the hold-out is run
on the full data and scored with the hidden answers. `--random` adds as many random valid plans of the
same schema as the model wrote, run on the same hold-out. A row that is there is not made again.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import LinguacodusError
from linguacodus_core.generation.splits import open_split
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.answers import score_submission
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.harness import evaluate, submit
from linguacodus_core.synthesis.render import render
from linguacodus_core.synthesis.sample import random_plan
from linguacodus_core.taskfolder.profile import profile
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec

ROUTES = ("plan", "staged", "whole", "prior", "direct")
SECONDS = 240.0


def written(run: Path) -> list[tuple[Candidate, float | None]]:
    """The candidates of one run that were run, with their hold-out scores."""
    rows = pq.read_table(run / "candidates.parquet").to_pylist()
    kept = [row for row in rows if row["status"] != "not run" and row["route"] != "blend"]
    return [
        (Candidate(route=row["route"], label=row["label"], program=row["program"]), row["score"])
        for row in kept
    ]


def random_candidates(
    spec: TaskSpec, count: int, seed: int, work: Path
) -> list[tuple[Candidate, float | None]]:
    """Random valid plans, each run on the hold-out."""
    data, split = profile(spec), open_split(spec, seed, work / "splits")
    found: list[tuple[Candidate, float | None]] = []
    for number in range(count):
        plan = random_plan(spec, data, seed + number)
        candidate = Candidate(route="random", label=f"random: {plan.family}", program=render(plan, spec))
        evaluation: Evaluation = evaluate(
            candidate,
            spec,
            split,
            Limits.for_machine(SECONDS),
            work=work,
            predictions_dir=work / "predictions",
        )
        found.append((candidate, evaluation.score))
    return found


def row_of(
    task: Path, route: str, tried: list[tuple[Candidate, float | None]], work: Path
) -> dict[str, object]:
    """The route's best candidate on the hold-out, scored on the hidden answers."""
    spec = read_task(task)
    scored = [(score, item) for item, score in tried if score is not None]
    row: dict[str, object] = {"task": task.name, "route": route, "tried": len(tried), "ran": len(scored)}
    if not scored:
        return row
    choose = min if spec.direction == "min" else max
    score, best = choose(scored, key=lambda pair: pair[0])
    row |= {"holdout": score, "label": best.label, "direction": spec.direction}
    try:
        made = submit(best, spec, Limits.for_machine(2 * SECONDS), work=work)
    except LinguacodusError as error:
        return row | {"error": error.problem[:200]}
    made.frame.to_csv(work / "submission.csv", index=False)
    found = score_submission(work / "submission.csv", task)
    return row | {"private": found.score, "percentile": found.percentile}


def show(rows: list[dict[str, object]]) -> None:
    """One line a route: how many ran, and the median place of its best."""
    print("| route | programs that ran | tasks with a valid submission | median top % | boards |")
    print("|---|---|---|---|---|")
    for route in dict.fromkeys(str(row["route"]) for row in rows):
        own = [row for row in rows if row["route"] == route]
        places = [float(str(row["percentile"])) for row in own if row.get("percentile") is not None]
        ran, tried = (sum(int(str(row[key])) for row in own) for key in ("ran", "tried"))
        valid = sum("private" in row for row in own)
        median = f"{statistics.median(places):.1f}" if places else ""
        print(f"| {route} | {ran} of {tried} | {valid} of {len(own)} | {median} | {len(places)} |")


def main() -> None:
    """Make the rows that are missing, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks_dir", type=Path)
    parser.add_argument("--runs", type=Path, required=True, help="DIR/full of benchmarks/generate.py")
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kept = options.runs / "routes.jsonl"
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    for run in sorted(path.parent for path in options.runs.glob("*/candidates.parquet")):
        tried = written(run)
        for route in (*ROUTES, *(["random"] if options.random else [])):
            if any(row["task"] == run.name and row["route"] == route for row in rows):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                work, task = Path(scratch), options.tasks_dir / run.name
                own = [(item, score) for item, score in tried if item.route == route]
                if route == "random":
                    count = sum(item.route == "plan" for item, _ in tried)
                    own = random_candidates(read_task(task), count, options.seed, work)
                if own:
                    rows.append(row_of(task, route, own, work))
                    with kept.open("a") as stream:
                        stream.write(json.dumps(rows[-1]) + "\n")
    show(rows)


if __name__ == "__main__":
    main()
