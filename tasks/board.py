"""What a generation shows: progress lines everywhere, artifacts in the Prefect UI."""

from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext

from linguacodus_core.generation.outputs import candidate_rows
from linguacodus_core.generation.progress import say
from linguacodus_core.generation.request import GenerateResult
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.synthesis.candidate import Candidate

COLUMNS = ("label", "status", "score", "claimed", "seconds", "elapsed", "best")
MOST_ROWS = 100


class Board:
    """The public face of one run; without a flow run (a library user's call) only lines are said."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._key = "".join(letter if letter.isalnum() else "-" for letter in run.spec.slug.lower())
        self._in_flow = FlowRunContext.get() is not None
        self._progress: UUID | None = None
        if self._in_flow:
            made = create_progress_artifact(0.0, key=f"{self._key}-progress", description=run.spec.title)
            self._progress = made if isinstance(made, UUID) else None
        if run.clock.elapsed > 1:
            say(f"taking up an earlier run: {run.clock.elapsed:.0f} s of work are done")

    def show(self, doing: str) -> None:
        """Say what is going on."""
        say("", self._run.standing(doing))
        if self._progress:
            share = 100 * self._run.clock.elapsed / self._run.clock.limit
            update_progress_artifact(self._progress, progress=min(99.0, share))

    def evaluated(self, candidate: Candidate, found: Evaluation, *, best: bool) -> None:
        """Say what became of a candidate."""
        if found.score is None:
            why = (found.error.strip().splitlines() or ["no message"])[-1][:160]
            text = f"{candidate.label}: {found.status} ({why})"
        else:
            text = f"{candidate.label}: {self._run.spec.metric} {found.score:.5g}{', best so far' * best}"
        say(f"{text} [{found.seconds:.0f} s]", self._run.standing("searching"))
        if best:
            self._table(None)

    def finished(self, winner: Contender, result: GenerateResult) -> None:
        """Show the end: the table of candidates, the summary, the winner's program and instruction."""
        score = (
            "not scored" if result.score is None else f"{result.metric} {result.score:.5g} on the hold-out"
        )
        say(f"winner: {result.winner}, {score}", self._run.standing("done"))
        if self._progress:
            update_progress_artifact(self._progress, progress=100.0)
        self._table(winner)
        if self._in_flow:
            summary = (
                f"# {self._run.spec.title}\n\n**{result.winner}**: {score} "
                f"(floor: {result.floor_score}), {result.candidates} candidates in {result.seconds} s.\n\n"
                f"Results: `{result.out}` (report.html, submission.csv, solution.py)\n\n"
                f"```python\n{winner.candidate.program}\n```\n"
            )
            create_markdown_artifact(summary, key=f"{self._key}-summary", description="What the run found")

    def _table(self, winner: Contender | None) -> None:
        if self._in_flow:
            rows = [{name: row[name] for name in COLUMNS} for row in candidate_rows(self._run, winner)]
            create_table_artifact(rows[:MOST_ROWS], key=f"{self._key}-candidates", description="Candidates")
