"""What a fine-tune shows: progress lines everywhere, artifacts in the Prefect UI."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from linguacodus_core.progress import doing, say
from linguacodus_core.training.evaluation import Comparison
from linguacodus_core.training.handover import Judged, in_words
from linguacodus_core.training.history import steps
from linguacodus_core.training.job import Job
from linguacodus_core.training.report import REPORT
from linguacodus_core.training.request import FinetuneResult
from linguacodus_core.training.verdict import Verdict
from tasks.counting import Counting
from tasks.ui import artifact_key, courtesy, short

WORDS = {
    "base": "the base",
    "sft": "fine-tuning",
    "dpo": "learning preferences",
    "measure": "measuring on held-out competitions",
}
MOST_ROWS = 200
"""Rows of the table of steps; of a longer training, as many spread over it."""


class Stage:
    """One stage's events as lines, a live status and a progress artifact."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._total = 0
        self._first: Mapping[str, Any] | None = None
        self._counting: Counting | None = None

    def heard(self, event: Mapping[str, Any]) -> None:
        """One event of the trainer; errors and the end are told by who started it."""
        match event["event"]:
            case "note":
                say(str(event["text"]))
            case "begin":
                self._begin(event)
            case "step":
                self._step(event)
            case "progress":
                self._progress(str(event["what"]), int(event["done"]), int(event["of"]))

    def end(self) -> None:
        """The stage is over."""
        if self._counting:
            self._counting.end()

    def _begin(self, event: Mapping[str, Any]) -> None:
        self._total, self._first = int(event["steps"]), None
        self._counting = Counting(WORDS[self._name], self._total)
        resumed = event.get("resumed_from")
        going_on = f"; going on after step {resumed:,}, from its checkpoint" if resumed is not None else ""
        say(
            f"{WORDS[self._name]}: {event['examples']:,} examples in {event['rows']:,} rows, "
            f"{self._total:,} steps, {event['tokens']:,} tokens to read{going_on}"
        )

    def _step(self, event: Mapping[str, Any]) -> None:
        aloud = self._first is None or event["step"] >= self._total
        self._first = self._first or event
        if self._counting:
            self._counting.show(
                step_line(event, self._first, self._total), event["step"], self._total, aloud=aloud
            )

    def _progress(self, what: str, done: int, of: int) -> None:
        if self._counting is None or self._counting.what != what:
            self.end()
            self._counting = Counting(what, of)
        self._counting.show(f"{what}: {done:,} of {of:,}", done, of)


class FinetuneBoard:
    """The public face of one fine-tune."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._key = artifact_key(job.name)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """One stage, from its beginning to its end."""
        began, known = time.monotonic(), self._job.done(name) is not None
        doing(WORDS[name])
        stage = Stage(name)
        yield stage
        stage.end()
        seconds = time.monotonic() - began
        say(f"{WORDS[name]}: {'found, done before' if known else 'done'} [{seconds:.1f} s]")
        if name in ("sft", "dpo"):
            self._curve(name)

    def compared(self, comparison: Comparison, verdict: Verdict) -> None:
        """Show what was compared with what, and what the gate says to it."""
        say(f"{comparison.tuned} against {comparison.base}, {comparison.competitions} held-out competitions:")
        for check in verdict.checks:
            say(f"  {in_words(check)}")
        rows = [row.model_dump(mode="json") for row in comparison.rows]
        shown = [{name: short(value) for name, value in row.items()} for row in rows]
        with courtesy():
            create_table_artifact(
                shown,
                key=f"{self._key}-{comparison.tuned}-comparison",
                description="Base against tuned, held out",
            )

    def finished(self, judged: Judged, result: FinetuneResult) -> None:
        """Show the verdict and where the adapter lies."""
        adapter = judged.adapter
        how = "registered" if result.new else "found, registered before"
        verdict = "the gate passes it" if result.passed else "the gate refuses it"
        say(f"adapter {adapter.name} {how}: {verdict}{', promoted' * result.promoted}")
        say(f"its report: {adapter.folder / REPORT}")
        checks = "\n".join(f"- {words}" for words in result.checks)
        summary = (
            f"# {adapter.name}: {verdict}\n\n{adapter.manifest.summary}\n\n{checks}\n\n"
            f"Files: `{adapter.folder}` ({REPORT}, README.md, metrics.json)\n"
        )
        with courtesy():
            create_markdown_artifact(summary, key=f"{self._key}-verdict", description="What the gate says")
        with courtesy():
            create_link_artifact(
                (adapter.folder / REPORT).as_uri(),
                link_text=REPORT,
                key=f"{self._key}-report",
                description="The report",
            )

    def _curve(self, stage: str) -> None:
        rows = steps(self._job.stage(stage)).to_pylist()
        every = max(1, -(-len(rows) // MOST_ROWS))
        shown = [{name: short(value) for name, value in row.items()} for row in rows[::every]]
        with courtesy():
            create_table_artifact(shown, key=f"{self._key}-{stage}-steps", description="The curve of steps")


def step_line(event: Mapping[str, Any], first: Mapping[str, Any], total: int) -> str:
    """One step in words. first: this process's first step event, which speed is measured from."""
    loss = "no number" if event.get("loss") is None else f"{event['loss']:.3f}"
    parts = [f"step {event['step']:,} of {total:,}: loss {loss}"]
    if event.get("lr") is not None:
        parts.append(f"learning rate {event['lr']:.1e}")
    steps_done = event["step"] - first["step"]
    seconds = event["seconds"] - first["seconds"]
    if steps_done > 0 and seconds > 0:
        parts.append(f"{(event['tokens'] - first['tokens']) / seconds:,.0f} tokens/s")
        if left := total - event["step"]:
            parts.append(f"{_duration(left * seconds / steps_done)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    """Seconds as a reader wants them: s below two minutes, min below two hours, else h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
