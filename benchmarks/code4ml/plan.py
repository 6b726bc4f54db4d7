"""What is decided of a corpus before a line of it is written: which kernel goes where and copies which."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.code4ml.author import GRAMMAR
from benchmarks.code4ml.competitions import Competition, competitions
from benchmarks.code4ml.forks import fork
from benchmarks.code4ml.grammar import Voice
from benchmarks.code4ml.kernels import Kernel, write

FLAWS = {"": 0.915, "python2": 0.04, "broken": 0.02, "r": 0.01, "short": 0.01, "empty": 0.005}
"""Shares of the kernels by what is wrong with them; forks have what their parent has."""

_FORKS, _EXACT, _ABROAD = 0.255, 0.15, 0.04
_EXPLORES, _SCORED, _JUNK = 0.12, 0.60, 0.006
_SCATTERED, _STRAY = 0.01, 0.002
_CELLS_LOG, _CELLS_SPREAD, _MOST_CELLS = 2.7726, 0.945, 700
"""Lognormal with a median of 16 cells and a mean of 25, as pulled notebooks have."""
_ZIPF_SHIFT, _ZIPF_POWER = 3, 1.1


@dataclass(slots=True)
class Planned:
    """One kernel to be. `parent`: the place in the plan of what it copies, -1 for none.

    listed: it has a row of metadata. known_competition: that row's competition has one too.
    """

    id: int
    competition: int
    cells: int
    flaw: str = ""
    explores: bool = False
    parent: int = -1
    exact: bool = False
    scattered: bool = False
    score: str = ""
    listed: bool = True
    known_competition: bool = True


@dataclass
class Corpus:
    """A plan that can be written; equal arguments, equal corpus."""

    kernels: int
    competitions: int
    seed: int
    hosts: list[Competition] = field(init=False)
    plan: list[Planned] = field(init=False)

    def __post_init__(self) -> None:
        rng = Random(self.seed)
        self.hosts = competitions(self.competitions, rng)
        self.plan = _plan(self.hosts, self.kernels, rng)

    def kernel(self, place: int) -> Kernel:
        """The kernel at a place of the plan; a fork's parent is written anew, so that none is kept."""
        planned = self.plan[place]
        world, seed = self.hosts[planned.competition].world, (self.seed << 32) + place
        if planned.parent < 0:
            return write(seed, world, planned.cells, planned.flaw, planned.explores)
        return fork(seed, self.kernel(planned.parent), world, planned.exact)

    def family(self, place: int) -> int:
        """The place of the kernel that a fork goes back to; that of another is its own."""
        while self.plan[place].parent >= 0:
            place = self.plan[place].parent
        return place


def _plan(hosts: Sequence[Competition], count: int, rng: Random) -> list[Planned]:
    weights = [1 / (rank + _ZIPF_SHIFT) ** _ZIPF_POWER for rank in range(len(hosts))]
    where = rng.choices(range(len(hosts)), weights, k=count)
    ids = rng.sample(range(10_000, max(60_000_000, 20 * count)), count)
    everywhere: list[int] = []
    there: list[list[int]] = [[] for _ in hosts]
    plan: list[Planned] = []
    for place, (name, at) in enumerate(zip(ids, where, strict=True)):
        cells = max(round(rng.lognormvariate(_CELLS_LOG, _CELLS_SPREAD)), 1)
        planned = Planned(name, at, min(cells, _MOST_CELLS))
        _inherit(planned, plan, everywhere if rng.random() < _ABROAD else there[at], rng)
        planned.score = _score(planned, plan, hosts[at], rng)
        planned.scattered = rng.random() < _SCATTERED
        plan.append(planned)
        if planned.flaw not in ("empty", "short"):
            there[at].append(place)
            everywhere.append(place)
    _lose_some(plan, rng)
    return plan


def _inherit(planned: Planned, plan: list[Planned], choices: list[int], rng: Random) -> None:
    """Make it a fork of one of the choices, early ones first, or a kernel of its own."""
    if choices and rng.random() < _FORKS:
        planned.parent = choices[int(rng.random() ** 2 * len(choices))]
        planned.exact = rng.random() < _EXACT
        planned.flaw, planned.explores = plan[planned.parent].flaw, plan[planned.parent].explores
    else:
        planned.flaw = rng.choices(list(FLAWS), list(FLAWS.values()))[0]
        planned.explores = planned.flaw == "" and rng.random() < _EXPLORES


def _score(planned: Planned, plan: list[Planned], host: Competition, rng: Random) -> str:
    scored = 0.05 if planned.explores or planned.flaw == "empty" else _SCORED / (1 - _EXPLORES)
    if rng.random() > scored:
        return ""
    if rng.random() < _JUNK:
        return GRAMMAR.draw("score_junk", Voice(rng.getrandbits(32)))
    parent = plan[planned.parent] if planned.parent >= 0 else planned
    if parent.score and parent.competition == planned.competition and (planned.exact or rng.random() < 0.35):
        return parent.score
    return host.scores.draw(rng)


def _lose_some(plan: list[Planned], rng: Random) -> None:
    """Rows that do not join: kernels without metadata, and of competitions that the table lacks."""
    parents = {planned.parent for planned in plan}
    for place, planned in enumerate(plan):
        if planned.parent < 0 and place not in parents and planned.flaw == "" and not planned.scattered:
            fate = rng.random()
            planned.listed = fate >= _STRAY
            planned.known_competition = not _STRAY <= fate < 2 * _STRAY
