"""How good is `generate`? Runs it over a folder of task folders and prints a table.

    python benchmarks/generate.py TASKS_DIR --out DIR [--configurations full,direct,...] [--time-limit 600]

Each task is run as a user would, by the command line, from a copy that has no private/; afterwards
`linguacodus score` scores the submission with the answers. A row that is there is not run again, so
a killed benchmark goes on. Every configuration has a LINGUACODUS_HOME of its own (nothing is shared
but the model files), so that none profits from another's cache.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

CONFIGURATIONS = {
    "full": [],
    "plan": ["--sources", "plan", "--no-floor"],
    "staged": ["--sources", "staged", "--max-ideas", "4", "--no-floor"],
    "whole": ["--sources", "whole", "--max-ideas", "4", "--no-floor"],
    "direct": ["--sources", "direct", "--no-floor"],
    "random": ["--sources", "random", "--no-floor"],
    "prior": ["--sources", "prior", "--no-floor"],
}
LINGUACODUS = [str(Path(sys.executable).with_name("linguacodus"))]


def hidden_copy(task: Path, into: Path) -> Path:
    """The task folder without private/ (data by symbolic link)."""
    copy = into / task.name
    copy.mkdir(parents=True, exist_ok=True)
    for name in ("description.md", "task.toml"):
        if (task / name).exists():
            shutil.copyfile(task / name, copy / name)
    if not (copy / "data").exists():
        (copy / "data").symlink_to(task / "data")
    return copy


def one_row(task: Path, name: str, options: argparse.Namespace) -> dict[str, object]:
    """Run one task in one configuration and score it."""
    place = options.out / name / task.name
    home = options.out / "homes" / name
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(options.models.resolve())
    environment = {**os.environ, "LINGUACODUS_HOME": str(home)}
    command = [
        *LINGUACODUS, "generate", str(hidden_copy(task, options.out / "tasks")), "--out", str(place),
        "--profile", options.profile, "--time-limit", str(options.time_limit), "--seed", str(options.seed),
        *CONFIGURATIONS[name],
    ]  # fmt: skip
    place.mkdir(parents=True, exist_ok=True)
    with (place / "log.txt").open("w") as log:
        done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    row: dict[str, object] = {"configuration": name, "task": task.name, "returncode": done.returncode}
    if not (place / "run.json").exists():
        return row
    record = json.loads((place / "run.json").read_text())
    winner = record["winner"]
    row |= {
        "metric": record["metric"],
        "direction": record["direction"],
        "holdout": winner["score"],
        "floor": record["floor_score"],
        "winner": winner["label"],
        "scored": record["scored"],
        "candidates": record["candidates"],
        "first": record["first_submission_seconds"],
        "seconds": record["seconds"],
        "tokens": record["llm"]["prompt_tokens"] + record["llm"]["completion_tokens"],
    }
    scored = subprocess.run(
        [*LINGUACODUS, "score", str(place), str(task), "--json"], capture_output=True, text=True, check=False
    )
    if scored.returncode == 0:
        row |= {"valid": True, **json.loads(scored.stdout)}
    return row


def against_floor(row: dict[str, object]) -> int:
    """1 when the final hold-out score beats the floor's, 0 when it equals it or is not known, -1 below it."""
    final, floor = row.get("holdout"), row.get("floor")
    if not isinstance(final, float) or not isinstance(floor, float) or final == floor:
        return 0
    return 1 if (final < floor) == (row["direction"] == "min") else -1


def show(rows: list[dict[str, object]]) -> None:
    """The table of every configuration, then one line of summary each."""
    for name in dict.fromkeys(str(row["configuration"]) for row in rows):
        own = [row for row in rows if row["configuration"] == name]
        print(
            f"\n### {name}\n\n"
            "| task | metric | floor | hold-out | private | top % | first | seconds | winner |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for row in own:
            if "metric" not in row:
                print(f"| {row['task']} | no submission (exit {row['returncode']}) | | | | | | | |")
                continue
            cells = [row.get(key) for key in ("floor", "holdout", "score", "percentile", "first", "seconds")]
            numbers = [f"{cell:.4g}" if isinstance(cell, float | int) else "" for cell in cells]
            print(f"| {row['task']} | {row['metric']} | {' | '.join(numbers)} | {row['winner']} |")
        percentiles = [row["percentile"] for row in own if isinstance(row.get("percentile"), float | int)]
        first = [row["first"] for row in own if isinstance(row.get("first"), float | int)]
        print(
            f"\n{name}: valid {sum(bool(row.get('valid')) for row in own)} of {len(own)}; "
            f"better than the floor {sum(against_floor(row) > 0 for row in own)}, "
            f"worse {sum(against_floor(row) < 0 for row in own)}; "
            f"median top {statistics.median(percentiles) if percentiles else float('nan'):.1f} % "
            f"over {len(percentiles)} boards; "
            f"slowest first submission {max(first, default=float('nan')):.0f} s; "
            f"tokens {sum(int(row.get('tokens') or 0) for row in own):,}"
        )


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks_dir", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--configurations", default="full", help=", ".join(CONFIGURATIONS))
    parser.add_argument("--tasks", default="", help="only these, separated by commas")
    parser.add_argument("--profile", default="local")
    parser.add_argument("--time-limit", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", type=Path, default=Path.home() / ".linguacodus" / "models")
    options = parser.parse_args()
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    wanted = [part for part in options.tasks.split(",") if part]
    for name in options.configurations.split(","):
        for task in sorted(
            path for path in options.tasks_dir.iterdir() if (path / "description.md").exists()
        ):
            known = any(row["configuration"] == name and row["task"] == task.name for row in rows)
            if known or (wanted and task.name not in wanted):
                continue
            row = one_row(task, name, options)
            rows.append(row)
            with kept.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            print(json.dumps(row), file=sys.stderr, flush=True)
    show(rows)


if __name__ == "__main__":
    main()
