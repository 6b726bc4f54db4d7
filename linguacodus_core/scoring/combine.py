"""How a blend combines its members' tables; the same functions run offline and inside the blend's program.

Every function is copied into that program by its source: pandas and numpy only, no other names.
A part is one member's table: a column a target (or class), rows in the same order in every part.
"""

import numpy as np
import pandas as pd


def weighted_mean(parts: list[pd.DataFrame], weights: list[float]) -> pd.DataFrame:
    """The weighted mean."""
    total = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total = total + part * weight
    return total / sum(weights)


def weighted_log_mean(parts: list[pd.DataFrame], weights: list[float]) -> pd.DataFrame:
    """The weighted mean of log(1 + value), taken back; for metrics that compare logarithms."""
    logs = [part.clip(lower=0).apply(np.log1p) for part in parts]
    return weighted_mean(logs, weights).apply(np.expm1)


def weighted_rank_mean(parts: list[pd.DataFrame], weights: list[float]) -> pd.DataFrame:
    """The weighted mean of the ranks within the table, from 0 to 1; for metrics that only see the order."""
    return weighted_mean([part.rank(method="average") / max(1, len(part)) for part in parts], weights)


def decide(soft: pd.DataFrame, columns: list[str], classes: list[str], kind: str) -> pd.DataFrame:
    """Soft predictions as labels: "largest" class, "top 3" classes, "round" to a grade, "threshold" (0.5)."""
    if kind == "largest":
        best = soft[classes].to_numpy().argmax(axis=1)
        return pd.DataFrame({columns[0]: np.array(classes, dtype=object)[best]}, index=soft.index)
    if kind == "round":
        grades = np.sort(np.array([float(name) for name in classes]))
        grade_names = {float(name): name for name in classes}
        middle = (grades[1:] + grades[:-1]) / 2
        nearest = {name: grades[np.searchsorted(middle, soft[name].to_numpy())] for name in columns}
        return pd.DataFrame(
            {name: [grade_names[grade] for grade in nearest[name]] for name in columns},
            index=soft.index,
            dtype=object,
        )
    if kind.startswith("top "):
        order = np.argsort(-soft[classes].to_numpy(), axis=1, kind="stable")[:, : int(kind.split()[1])]
        names = np.array(classes, dtype=object)[order]
        return pd.DataFrame({columns[0]: [" ".join(row) for row in names]}, index=soft.index, dtype=object)
    low, high = classes[0], classes[-1]
    return pd.DataFrame(
        {name: np.where(soft[name] >= 0.5, high, low) for name in columns}, index=soft.index, dtype=object
    )


def weighted_vote(parts: list[pd.DataFrame], weights: list[float]) -> pd.DataFrame:
    """The label with the most weight; the first member's where two have the same."""
    voted = {}
    for name in parts[0].columns:
        labels = list(dict.fromkeys(label for part in parts for label in part[name]))
        votes = np.zeros((len(parts[0]), len(labels)))
        for part, weight in zip(parts, weights, strict=True):
            votes += weight * (part[name].to_numpy()[:, None] == np.array(labels, dtype=object)[None, :])
        first = parts[0][name].to_numpy()[:, None] == np.array(labels, dtype=object)[None, :]
        best = np.argmax(votes.round(9) + 1e-10 * first, axis=1)
        voted[name] = np.array(labels, dtype=object)[best]
    return pd.DataFrame(voted, index=parts[0].index)
