"""From a finished, judged fine-tune to the registry: the adapter with all that tells its worth."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linguacodus_core.adapters import registry
from linguacodus_core.adapters.registry import Adapter
from linguacodus_core.errors import TrainingError
from linguacodus_core.training.card import CARD, card
from linguacodus_core.training.evaluation import Comparison, as_json, from_json
from linguacodus_core.training.gate import said
from linguacodus_core.training.job import Job
from linguacodus_core.training.measures import LOSS
from linguacodus_core.training.report import REPORT, render
from linguacodus_core.training.request import FinetuneResult
from linguacodus_core.training.verdict import Check, Verdict

TRAINING = "training"
"""Where metrics.json keeps what the stage said of itself (its finished.json)."""


@dataclass(frozen=True)
class Judged:
    """A registered adapter, what it was compared with, and what training it took (finished.json)."""

    adapter: Adapter
    comparison: Comparison
    verdict: Verdict
    training: dict[str, Any]

    def result(self, *, new: bool, seconds: float) -> FinetuneResult:
        """What the flow ends with. seconds: what it took this time."""
        return FinetuneResult(
            adapter=self.adapter.name,
            folder=str(self.adapter.folder),
            passed=self.verdict.passed,
            promoted=registry.promoted() == self.adapter.name,
            checks=tuple(map(in_words, self.verdict.checks)),
            steps=self.training["steps"],
            loss=self.training["loss"],
            seconds=seconds,
            new=new,
        )


def in_words(check: Check) -> str:
    """A check on one line."""
    return f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.words}"


def kinds(job: Job) -> tuple[str, ...]:
    """The adapters that a job makes, in their order."""
    return ("sft", "dpo") if job.preferences else ("sft",)


def found(job: Job) -> Judged | None:
    """The job's last adapter, where the registry has it whole; None where there is work left."""
    name = job.adapter_name(kinds(job)[-1])
    adapter = next((known for known in registry.list_adapters() if known.name == name), None)
    if adapter is None or registry.verify(adapter):
        return None
    return _read(adapter)


def register(job: Job, kind: str, comparison: Comparison, verdict: Verdict) -> Judged:
    """Put a stage's adapter into the registry with report, card and measures, whole or not at all.

    An adapter of a second stage passes when the first one's does, too: its verdict holds the checks of both.
    Checkpoints, which nothing needs any more, are removed. Raises TrainingError when the stage is not
    finished, AdapterError, StoreError on a full disk.
    """
    training, base = job.done(kind), job.done("base")
    if training is None or base is None:
        raise TrainingError(f"the stage {kind} of {job.name} is not finished", "run the fine-tune again")
    parent = job.from_adapter
    if kind != kinds(job)[0]:
        first = registry.open_adapter(job.adapter_name(kinds(job)[0]))
        parent, verdict = first.name, joined({"sft": _read(first).verdict, kind: verdict})
    measures = as_json(comparison, verdict) | {TRAINING: training}
    loss = comparison.row(LOSS)
    adapter = registry.register(
        job.stage(kind) / "adapter",
        {
            "name": job.adapter_name(kind),
            "kind": kind,
            "base": job.base,
            "base_identity": job.base_identity,
            "base_folder": base["folder"],
            "architecture": base["architecture"],
            "datasets": job.datasets,
            "config": job.config.name,
            "prompt_set": job.config.prompt_set,
            "parent": parent,
            "passed": verdict.passed,
            "summary": said(loss) if loss else "",
        },
        {
            REPORT: render(job, comparison, verdict).encode(),
            CARD: card(job, kind, comparison, verdict).encode(),
            "config.toml": job.config.as_toml().encode(),
            "metrics.json": (json.dumps(measures, indent=2, ensure_ascii=False) + "\n").encode(),
            **{f"{name}.parquet": job.stage("measure") / f"{name}.parquet" for name in measured(job)},
        },
    )
    shutil.rmtree(job.stage(kind) / "checkpoints", ignore_errors=True)
    return Judged(adapter, comparison, verdict, training)


def measured(job: Job) -> Sequence[str]:
    """The tables of the measurement that there are."""
    names = ("losses", "samples", "preferences")
    return [name for name in names if (job.stage("measure") / f"{name}.parquet").is_file()]


def joined(verdicts: dict[str, Verdict]) -> Verdict:
    """The verdicts of several stages as one, each check named by its stage."""
    checks = [
        check.model_copy(update={"name": f"{stage}: {check.name}"})
        for stage, verdict in verdicts.items()
        for check in verdict.checks
    ]
    return Verdict(passed=all(verdict.passed for verdict in verdicts.values()), checks=tuple(checks))


def _read(adapter: Adapter) -> Judged:
    path: Path = adapter.folder / "metrics.json"
    try:
        record = json.loads(path.read_bytes())
        comparison, verdict = from_json(record)
        return Judged(adapter, comparison, verdict, dict(record[TRAINING]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is damaged: {error}", f"remove {adapter.folder} and run the fine-tune again"
        ) from error
