"""The candidates that need no language model: the floor, the prior's plans, random plans."""

from collections.abc import Mapping

from linguacodus_core.candidate import Candidate, Route
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.synthesis.constant import constant_candidate
from linguacodus_core.synthesis.hyper import Effort
from linguacodus_core.synthesis.plan import PipelinePlan
from linguacodus_core.synthesis.prior import prior_plans
from linguacodus_core.synthesis.render import render
from linguacodus_core.synthesis.sample import random_plan
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec

SMALL = 5_000
"""With fewer rows the floor's plan gains nothing from more effort, so that it is not run again."""

BRIEF = 200.0
"""Below this time limit (seconds) every program is rendered with small effort."""


def _candidate(
    route: Route, label: str, plan: PipelinePlan, spec: TaskSpec, effort: Effort = "normal"
) -> Candidate:
    program = render(plan, spec, effort=effort)
    return Candidate(
        route=route, label=f"{label}: {plan.family}", program=program, plan=plan.model_dump(mode="json")
    )


def effort_for(time_limit: float) -> Effort:
    """How much time programs take when the whole run has so many seconds."""
    return "small" if time_limit < BRIEF else "normal"


def floors(spec: TaskSpec, data: DataProfile) -> list[Candidate]:
    """Baselines, the better first; the last predicts a constant, from any files that the reader reads."""
    return [_candidate("floor", "floor", prior_plans(spec, data)[0], spec, "small"), constant_candidate(spec)]


def proposals(
    request: GenerateRequest, spec: TaskSpec, data: DataProfile, popular: Mapping[str, int]
) -> list[Candidate]:
    """What the corpus prior proposes, best expected first, and random plans where asked for.

    popular: family -> solutions of the corpus (dataset.prior).
    """
    found: list[Candidate] = []
    effort = effort_for(request.time_limit)
    if "prior" in request.sources:
        plans = prior_plans(spec, data, popular)
        new = plans[1:] if request.floor and spec.train_rows < SMALL else plans
        found += [
            _candidate("prior", f"prior {number}", plan, spec, effort) for number, plan in enumerate(new, 1)
        ]
    if "random" in request.sources:
        random_plans = (random_plan(spec, data, request.seed + number) for number in range(request.max_ideas))
        found += [
            _candidate("random", f"random {number}", plan, spec, effort)
            for number, plan in enumerate(random_plans, 1)
        ]
    return found
