"""Choosing the winner: the best that runs on the full data, the floor behind it."""

from pathlib import Path

from linguacodus_core.generation.run import Run
from linguacodus_core.generation.search import Contender
from linguacodus_core.scoring.blend import blend
from linguacodus_core.synthesis.candidate import Candidate

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
    scored = [Contender(run.search.candidates[item.candidate], item) for item in run.search.scored]
    found = _blend(run, scored, seconds) if run.request.blend else None
    floors = [
        Contender(item, run.search.evaluations.get(item.id))
        for item in run.search.candidates.values()
        if item.route == "floor"
    ]
    ranked = [*([found] if found else []), *scored, *floors]
    return list({item.candidate.id: item for item in ranked}.values())


def _blend(run: Run, scored: list[Contender], seconds: float) -> Contender | None:
    members = [(item.candidate, item.evaluation) for item in scored[:BLEND_FROM] if item.evaluation]
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
