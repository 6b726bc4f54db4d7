"""Choosing the winner: the best that runs on the full data, the floor behind it."""

from pathlib import Path

from linguacodus_core.candidate import Candidate
from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.scoring.blend import blend

BLEND_FROM = 8
"""A blend is chosen among so many of the best candidates."""


def submission_path(run: Run, candidate: Candidate) -> Path:
    """Where a candidate's validated submission on the full data is kept."""
    return run.folder / "submissions" / f"{candidate.id}.csv"


def contenders(run: Run, seconds: float) -> list[Contender]:
    """Who may win, best first: a blend if it wins on the hold-out, the scored, the floor.

    seconds: what is left for the winner's run on the full data; a blend that would not fit is made
    of fewer members.
    """
    single = ranked(run)
    found = _blend(run, single, seconds) if run.request.blend else None
    return [found, *single] if found else single


def ranked(run: Run) -> list[Contender]:
    """The scored candidates, best first, then a floor that was not scored."""
    search = run.search
    scored = [Contender(search.candidates[item.candidate], item) for item in search.scored]
    floors = [
        Contender(item, search.evaluations.get(item.id))
        for item in search.candidates.values()
        if item.route == "floor"
    ]
    return list({item.candidate.id: item for item in (*scored, *floors)}.values())


def _blend(run: Run, scored: list[Contender], seconds: float) -> Contender | None:
    members = [
        (item.candidate, item.evaluation)
        for item in scored[:BLEND_FROM]
        if item.evaluation and item.evaluation.score is not None
    ]
    while len(members) > 1:
        found = blend(members, run.spec, run.split, run.predictions)
        if found is None:
            return None
        candidate, evaluation = found
        chosen = [member for member, _ in candidate.members]
        if run.search.full_run_seconds(chosen) <= seconds:
            return Contender(candidate, evaluation)
        slowest = max(chosen, key=lambda item: run.search.evaluations[item].seconds)
        members = [member for member in members if member[0].id != slowest]
    return None
