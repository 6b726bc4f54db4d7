"""Random plans: what a model's decisions are compared with."""

import random
from typing import Any

from linguacodus_core.synthesis.plan import MOST_FEATURES, PipelinePlan, repair, schema_for
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec


def random_plan(spec: TaskSpec, profile: DataProfile, seed: int) -> PipelinePlan:
    """A plan drawn uniformly, field by field, from the task's schema; the same for the same seed."""
    draw = random.Random(seed)
    schema = schema_for(spec, profile)
    values: dict[str, Any] = {"idea": f"A random plan, drawn with seed {seed}."}
    for name, part in schema["properties"].items():
        if "enum" in part:
            values[name] = draw.choice(part["enum"])
        elif name == "features":
            options = part["items"].get("anyOf", [part["items"]])
            values[name] = [
                _instance(draw, draw.choice(options)) for _ in range(draw.randint(0, MOST_FEATURES))
            ]
    plan, _ = repair(PipelinePlan.model_validate(values), spec, profile)
    return plan


def _instance(draw: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    return {name: draw.choice(part["enum"]) for name, part in schema["properties"].items()}
