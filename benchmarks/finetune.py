"""A fine-tune as a user runs it, beside its control: the same with completions of other competitions.

`python benchmarks/finetune.py --dataset VERSION [--dataset VERSION] [--config smollm2-135m-cpu] [--out
DIR]` runs `linguacodus finetune` with these datasets, then once more with `--shuffle-completions`, in your
LINGUACODUS_HOME. It prints one Markdown table: each measure of the base, of the tuned model and of the
control on held-out competitions, differences with their interval (95 %, bootstrap), what the gate said of
both, seconds, tokens and steps. The first has to pass the gate and the second has to be refused, else the
exit status is 1. Run again after a kill, it goes on where it was.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.finetune_command import Outcome, finetune
from benchmarks.finetune_jobs import Failed
from linguacodus_core.adapters.metrics import Row
from linguacodus_core.settings import local_home


def main() -> int:
    """Both runs and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", action="append", required=True, help="a version; several are joined")
    parser.add_argument("--config", default="smollm2-135m-cpu")
    parser.add_argument("--max-steps", type=int, help="stop after so many steps")
    parser.add_argument("--out", type=Path, default=Path("finetune-benchmark"), help="the commands' output")
    given = parser.parse_args()
    asked = ["--config", given.config]
    for name in given.dataset:
        asked += ["--dataset", name]
    if given.max_steps:
        asked += ["--max-steps", str(given.max_steps)]
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        tuned = finetune(asked, local_home(), given.out / "tuned.log")
        print(f"tuned: {tuned.adapter}, {tuned.verdict}", flush=True)
        control = finetune([*asked, "--shuffle-completions"], local_home(), given.out / "control.log")
        print(f"control: {control.adapter}, {control.verdict}", flush=True)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    page = table(tuned, control)
    (given.out / "table.md").write_text(page)
    print(f"\n{page}")
    wrong = []
    if tuned.verdict != "passed":
        wrong.append("the tuned model did not pass the gate")
    if control.verdict != "refused":
        wrong.append("the control passed the gate: the gate does not see what a model learnt")
    for problem in wrong:
        print(f"NOT AS EXPECTED: {problem}", file=sys.stderr)
    return 1 if wrong else 0


def table(tuned: Outcome, control: Outcome) -> str:
    """The page: measures, the gates' words, what it took."""
    shuffled = {row.metric: row for row in control.metrics.comparison.rows}
    lines = [
        f"{tuned.metrics.comparison.competitions} held-out competitions.",
        "",
        "| | base | tuned | difference (95 %) | better | control | difference (95 %) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in tuned.metrics.comparison.rows:
        other = shuffled[row.metric]
        cells = [row.metric, _number(row.base), _number(row.tuned), interval(row), row.better]
        lines.append("| " + " | ".join([*cells, _number(other.tuned), interval(other)]) + " |")
    lines += ["", "| | tuned | control |", "|---|---|---|"]
    for name, (one, two) in _effort(tuned, control).items():
        lines.append(f"| {name} | {one} | {two} |")
    for name, outcome in (("tuned model", tuned), ("control", control)):
        lines += ["", f"The gate on the {name}:", ""]
        for check in outcome.metrics.verdict.checks:
            lines.append(f"- {'passed' if check.passed else 'NOT passed'}: {check.name}: {check.words}")
    return "\n".join(lines) + "\n"


def interval(row: Row) -> str:
    """The difference of a row, and its bounds."""
    if row.difference is None:
        return ""
    if row.low is None or row.high is None:
        return f"{row.difference:+.3f}"
    return f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _effort(*outcomes: Outcome) -> dict[str, list[str]]:
    trained = [outcome.stages["sft"] for outcome in outcomes]
    return {
        "gate": [outcome.verdict for outcome in outcomes],
        "seconds of training": [f"{stage['seconds']:,.0f}" for stage in trained],
        "seconds of measuring": [_seconds(outcome.stages["measure"]) for outcome in outcomes],
        "examples": [f"{stage['examples']:,}" for stage in trained],
        "tokens": [f"{stage['tokens']:,}" for stage in trained],
        "tokens/s": [f"{stage['tokens_per_second']:,.0f}" for stage in trained],
        "steps": [f"{stage['steps']:,}" for stage in trained],
        "loss at the end": [f"{stage['loss']:.3f}" for stage in trained],
        "resumed after a kill": [f"{stage['resumed']}" for stage in trained],
    }


def _seconds(stage: dict[str, float]) -> str:
    return f"{stage['seconds']:,.0f}" if "seconds" in stage else ""


if __name__ == "__main__":
    sys.exit(main())
