"""The numbers behind a plan's low, medium and high: model settings, rounds and time by effort."""

from typing import Any, Literal

from linguacodus_core.synthesis.plan import PipelinePlan

Effort = Literal["small", "normal"]

SECONDS: dict[Effort, float] = {"small": 20.0, "normal": 60.0}
"""How long a program may take: it begins no model after that and cuts short those at work."""

_LOW_MEDIUM_HIGH = ("low", "medium", "high")


def _of(level: str, values: tuple[Any, Any, Any]) -> Any:
    return values[_LOW_MEDIUM_HIGH.index(level)]


def learning_rate(plan: PipelinePlan, effort: Effort) -> float:
    """The step of a booster; not below 0.05 when there is little time."""
    rate = _of(plan.learning_rate, (0.02, 0.05, 0.1))
    return float(max(rate, 0.05) if effort == "small" else rate)


def rounds(plan: PipelinePlan, effort: Effort) -> int:
    """The most trees or passes."""
    if plan.family in ("random_forest", "extra_trees"):
        trees = int(_of(plan.size, (100, 200, 400)))
        return min(trees, 100) if effort == "small" else trees
    if plan.family == "mlp":
        return 20 if effort == "small" else 80
    most = round(80 / learning_rate(plan, effort))
    return min(most, 600) if effort == "small" else most


def settings(plan: PipelinePlan, effort: Effort, *, sparse: bool = False) -> dict[str, Any]:
    """The keyword arguments of the family's block."""
    firm = plan.regularisation
    rate = learning_rate(plan, effort)
    match plan.family:
        case "lightgbm":
            return {
                "learning_rate": rate,
                "num_leaves": _of(plan.size, (12, 31, 95)),
                "min_child_samples": _of(firm, (10, 20, 50)),
                "feature_fraction": 0.2 if sparse else _of(firm, (0.9, 0.7, 0.5)),
                "bagging_fraction": _of(firm, (0.95, 0.85, 0.7)),
                "lambda_l2": _of(firm, (0.1, 1.0, 10.0)),
            }
        case "xgboost":
            return {
                "learning_rate": rate,
                "max_depth": _of(plan.size, (4, 6, 9)),
                "min_child_weight": _of(firm, (1, 3, 10)),
                "colsample_bytree": 0.2 if sparse else _of(firm, (0.9, 0.7, 0.5)),
                "subsample": _of(firm, (0.95, 0.85, 0.7)),
                "reg_lambda": _of(firm, (0.5, 2.0, 10.0)),
            }
        case "catboost":
            return {
                "learning_rate": rate,
                "depth": _of(plan.size, (4, 6, 8)),
                "l2_leaf_reg": _of(firm, (2.0, 4.0, 12.0)),
                "border_count": 128,
            }
        case "hist_gradient_boosting":
            return {
                "learning_rate": rate,
                "max_leaf_nodes": _of(plan.size, (12, 31, 95)),
                "min_samples_leaf": _of(firm, (10, 20, 50)),
                "l2_regularization": _of(firm, (0.0, 1.0, 10.0)),
                "max_features": _of(firm, (1.0, 0.8, 0.5)),
            }
        case "random_forest" | "extra_trees":
            return {
                "min_samples_leaf": _of(firm, (1, 3, 8)),
                "max_features": _of(plan.size, (0.3, 0.5, 0.8)),
            }
        case "mlp":
            return {
                "layers": _of(plan.size, ((32,), (64, 32), (256, 128))),
                "rate": _of(plan.learning_rate, (0.0005, 0.001, 0.003)),
                "alpha": _of(firm, (0.0001, 0.003, 0.1)),
            }
        case "knn":
            return {"neighbours": _of(firm, (8, 20, 50))}
        case "naive_bayes":
            return {}
        case _:
            return {"C": _of(firm, (10.0, 1.0, 0.1))}
