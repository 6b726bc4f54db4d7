"""What a generation shows: progress lines everywhere, artifacts in the Prefect UI."""

from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from linguacodus_core.candidate import Candidate
from linguacodus_core.generation.outputs import candidate_rows
from linguacodus_core.generation.request import GenerateResult
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.progress import say, stand
from linguacodus_core.scoring.evaluation import Evaluation
from tasks.ui import artifact_key, courtesy, short

COLUMNS = ("label", "best", "status", "score", "claimed", "seconds", "elapsed")
MOST_ROWS = 100


class Board:
    """The public face of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._key = artifact_key(run.spec.slug)
        self._progress: UUID | None = None
        with courtesy():
            made = create_progress_artifact(0.0, key=f"{self._key}-progress", description=run.spec.title)
            self._progress = made if isinstance(made, UUID) else None
        self._known = run.finished is not None
        if self._known:
            say(f"found in the cache: this work was finished in {run.seconds:.0f} s")
        elif run.journal.elapsed > 1:
            done = f"taking up an earlier run: {run.journal.elapsed:.0f} s of work are done, and count"
            say(done, run.standing("going on"))

    def show(self, doing: str) -> None:
        """Say what is going on; of finished work, nothing is."""
        if self._known:
            return
        stand(self._run.standing(doing))
        self._advance(min(99.0, 100 * self._run.clock.elapsed / self._run.clock.limit))

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
        say(f"winner: {result.winner}, {score}", None if self._known else self._run.standing("done"))
        self._advance(100.0)
        self._table(winner)
        beside = f"floor: {short(result.floor_score)}"
        summary = (
            f"# {self._run.spec.title}\n\n**{result.winner}**: {score} ({beside}), "
            f"{result.candidates} candidates in {result.seconds} s.\n\n"
            f"Results: `{result.out}` (report.html, submission.csv, solution.py)\n\n"
            f"```python\n{winner.candidate.program}\n```\n"
        )
        with courtesy():
            create_markdown_artifact(summary, key=f"{self._key}-summary", description="What the run found")

    def _advance(self, percent: float) -> None:
        with courtesy():
            if self._progress:
                update_progress_artifact(self._progress, progress=percent)

    def _table(self, winner: Contender | None) -> None:
        ranks = {item.candidate: rank for rank, item in enumerate(self._run.search.scored)}
        found = candidate_rows(self._run, winner)
        found.sort(key=lambda row: (not row["best"], ranks.get(str(row["candidate"]), len(ranks))))
        rows = [{name: short(row[name]) for name in COLUMNS} for row in found]
        with courtesy():
            create_table_artifact(rows[:MOST_ROWS], key=f"{self._key}-candidates", description="Candidates")
