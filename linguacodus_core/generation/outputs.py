"""What a generation leaves in its output folder."""

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pyarrow as pa

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.candidate import Candidate, program_id
from linguacodus_core.errors import StoreError
from linguacodus_core.generation.report import render_report
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.sandbox.machine import cores
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.settings import ledger_path
from linguacodus_core.tables import table

PACKAGES = ("prefect", "openai", "pandas", "scikit-learn", "lightgbm", "xgboost-cpu", "catboost", "xllamacpp")


def _versions() -> dict[str, str]:
    found = {"linguacodus": linguacodus_core.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


FILES = (
    "submission.csv", "solution.py", "instruction.md", "report.html", "run.json",
    "candidates.parquet", "instructions.parquet", "llm_calls.parquet",
)  # fmt: skip
"""What a generation leaves behind."""


def stands(run: Run) -> bool:
    """Whether the output folder holds a submission that this run made, blends too, not another one."""
    out = run.request.out
    if not ((out / "submission.csv").exists() and (out / "solution.py").exists()):
        return False
    made = {entry.note for entry in run.journal.entries if entry.kind == "submission"}
    return program_id((out / "solution.py").read_text("utf-8", "replace")) in made


def clear_outputs(out: Path) -> None:
    """Remove what an earlier generation left in the folder, and nothing else.

    Raises StoreError when it cannot be removed.
    """
    try:
        for name in FILES:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot clear {out}: {error.strerror}", "choose another --out folder") from error


def candidate_rows(run: Run, winner: Contender | None = None) -> list[dict[str, object]]:
    """The rows of the table `candidates`, in the order in which they were known, the winner's blend last."""
    when = {
        entry.evaluation.candidate: entry.elapsed
        for entry in run.journal.entries
        if entry.kind == "evaluation" and entry.evaluation
    }
    shown: dict[str, tuple[Candidate, Evaluation | None]] = {
        key: (item, run.search.evaluations.get(key)) for key, item in dict(run.search.candidates).items()
    }
    if winner:
        shown[winner.candidate.id] = (winner.candidate, winner.evaluation)
    rows: list[dict[str, object]] = []
    for key, (item, found) in shown.items():
        scores = found.scores if found else ()
        rows.append(
            {
                "candidate": key,
                "route": item.route,
                "label": item.label,
                "instruction": item.instruction,
                "status": found.status if found else "not run",
                "score": found.score if found else None,
                "score_spread": max(scores) - min(scores)
                if found and found.score is not None and scores[1:]
                else None,
                "claimed": found.claimed if found else None,
                "best": winner is not None and winner.candidate.id == key,
                "elapsed": when.get(key),
                "seconds": found.seconds if found else None,
                "peak_mb": found.peak_mb if found else None,
                "error": found.error if found else "",
                "origin": _as_json(item.origin),
                "repairs": _as_json(item.repairs),
                "plan": _as_json(item.plan) if item.plan else "",
                "prompts": _as_json(item.prompts),
                "calls": _as_json(item.calls),
                "program": item.program,
            }
        )
    return rows


def instruction_rows(instructions: Sequence[Instruction]) -> list[dict[str, object]]:
    """The rows of the table `instructions`."""
    return [
        {
            "instruction": item.id,
            "kind": item.kind,
            "place": item.place,
            "text": item.text,
            "critique": item.critique,
            "parents": _as_json(item.parents),
            "model": item.model,
            "prompt": item.prompt,
            "calls": _as_json(item.calls),
        }
        for item in instructions
    ]


def instruction_document(run: Run, winner: Contender) -> str:
    """instruction.md: what the winner was made from, then every instruction and the critique."""
    by_id = {item.id: item for item in run.search.instructions}
    made_from = _source(run, winner.candidate)
    own = by_id.get(made_from or "")
    parts = [f"# {run.spec.title}", f"Winner: {winner.candidate.label}."]
    if own:
        parts += ["## The instruction it was made from", own.text]
    elif winner.candidate.plan:
        parts += ["It was made without an instruction, from this plan:", _plan_block(winner.candidate)]
    else:
        parts += ["It was made without an instruction."]
    parts += _members(run, winner.candidate)
    for item in run.search.instructions:
        name = f"Instruction of place {item.place}" if item.kind == "raw" else "Refined instruction"
        if item.critique:
            parts += ["## Critique of the three", item.critique]
        parts += [f"## {name}", f"*{item.model}, {item.prompt}*", item.text]
    return "\n\n".join(parts) + "\n"


def _plan_block(candidate: Candidate) -> str:
    return f"```json\n{json.dumps(candidate.plan, indent=2, ensure_ascii=False)}\n```"


def _members(run: Run, blend: Candidate) -> list[str]:
    """The members of a blend, heaviest first, each with its plan or its instruction; [] without members."""
    texts = {item.id: item.text for item in run.search.instructions}
    parts = ["## The members of the blend"] if blend.members else []
    for key, weight in sorted(blend.members, key=lambda member: -member[1]):
        item = run.search.candidates.get(key)
        parts.append(f"### {weight:.0%} {item.label if item else key}")
        if item and item.plan:
            parts.append(_plan_block(item))
        elif item and item.instruction in texts:
            parts.append(texts[item.instruction])
    return parts


def _source(run: Run, candidate: Candidate) -> str | None:
    """The instruction behind a candidate; for a blend, that of its heaviest member that has one."""
    if candidate.instruction:
        return candidate.instruction
    heaviest = sorted(candidate.members, key=lambda member: -member[1])
    found = (run.search.candidates[key].instruction for key, _ in heaviest if key in run.search.candidates)
    return next((item for item in found if item), None)


def run_record(run: Run, winner: Contender, calls: pa.Table) -> dict[str, object]:
    """run.json: the run in numbers, every one of them measured by the harness."""
    found = winner.evaluation
    floors = [item for item in run.search.scored if run.search.candidates[item.candidate].route == "floor"]
    spent = calls.to_pydict()
    return {
        "status": "interrupted" if run.interrupted else "finished",
        "request": run.request.model_dump(mode="json"),
        "task": run.spec.model_dump(mode="json", exclude={"description"}),
        "split": run.split.model_dump(mode="json"),
        "metric": run.spec.metric,
        "direction": run.spec.direction,
        "winner": {
            "candidate": winner.candidate.id,
            "label": winner.candidate.label,
            "route": winner.candidate.route,
            "members": winner.candidate.members,
            "score": found.score if found else None,
            "claimed": found.claimed if found else None,
        },
        "floor_score": floors[0].score if floors else None,
        "candidates": len(run.search.candidates),
        "scored": len(run.search.scored),
        "first_submission_seconds": run.first_submission_seconds,
        "seconds": run.seconds,
        "llm": {
            "calls": calls.num_rows,
            "prompt_tokens": sum(spent["prompt_tokens"]),
            "completion_tokens": sum(spent["completion_tokens"]),
            "usd": money_spent(run),
            "seconds": sum(spent["seconds"]),
            "models": sorted(set(spent["model"])),
        },
        "sandbox": list(run.enforced),
        "notes": run.notes,
        "versions": _versions(),
        "cores": cores(),
    }


def call_rows(run: Run) -> list[dict[str, object]]:
    """The rows of the table `llm_calls`: every call that this run asked for, those of failed steps too."""
    asked: dict[str, None] = {}
    for entry in run.journal.entries:
        asked |= dict.fromkeys(entry.calls)
    if not asked:
        return []
    with Ledger(ledger_path()) as ledger:
        return ledger.records(asked)


def money_spent(run: Run) -> float:
    """US dollars for the calls of this run; one that the ledger knew before the run began costs nothing."""
    return sum(float(str(row["usd"])) for row in call_rows(run) if str(row["created"]) >= run.journal.began)


def write_outputs(run: Run, winner: Contender, submission: bytes) -> None:
    """Write every output; each file whole or not at all. Raises StoreError on a full disk."""
    out = run.request.out
    calls = table("llm_calls", call_rows(run))
    record = run_record(run, winner, calls)
    rows = candidate_rows(run, winner)
    store.write_bytes(out / "submission.csv", submission)
    store.write_text(out / "solution.py", winner.candidate.program)
    store.write_text(out / "instruction.md", instruction_document(run, winner))
    store.write_table(out / "candidates.parquet", table("candidates", rows))
    store.write_table(
        out / "instructions.parquet", table("instructions", instruction_rows(run.search.instructions))
    )
    store.write_table(out / "llm_calls.parquet", calls)
    store.write_text(out / "report.html", render_report(run, winner, record, rows))
    store.write_json(out / "run.json", record)
