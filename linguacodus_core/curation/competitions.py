"""Each competition judged: its metric's category and direction, its kinds of data, or why it is dropped."""

from collections import Counter
from typing import Any

import pyarrow as pa

from linguacodus_core.curation.data_types import from_description, from_names
from linguacodus_core.metrics.detect import detect
from linguacodus_core.metrics.table import CATEGORIES, DROPPED_CATEGORIES, find
from linguacodus_core.tables import DATASET, table

UNKNOWN_METRIC = "metric unknown"
DROPPED_METRIC = "metric dropped"

_CATEGORY_NAMES = {name.lower(): name for name in CATEGORIES}


def judge(competitions: pa.Table, *, keep_unknown: bool) -> tuple[pa.Table, pa.Table]:
    """Tables `competitions` (those kept, completed) and `dropped`.

    The metric is the one that the source names, else the one that the description says submissions are scored
    by; a name that the metric table does not know is reported in `dropped` with that name, never guessed.
    keep_unknown: keep competitions without a known metric (for kernels without a place); one that has
    one of the three categories that the paper drops goes all the same.
    """
    kept, dropped = [], []
    for row in competitions.to_pylist():
        metric, category, origin = _metric(row)
        if category in DROPPED_CATEGORIES:
            dropped.append(_drop(row, DROPPED_METRIC, category))
            continue
        if not category and not keep_unknown:
            dropped.append(_drop(row, UNKNOWN_METRIC, row["metric_name"] or "none named"))
            continue
        if not category:
            dropped.append(_drop(row, UNKNOWN_METRIC, row["metric_name"] or "none named") | {"table": "note"})
        if category:
            row |= {"metric": metric, "metric_category": category, "metric_from": origin}
            row["direction"] = CATEGORIES[category]
        kept.append(row | _data_types(row))
    return table("competitions", kept, DATASET), table("dropped", dropped, DATASET)


def unknown_metrics(dropped: pa.Table) -> dict[str, int]:
    """The metric names that the table does not know -> in how many competitions, most frequent first."""
    names = [
        row["detail"]
        for row in dropped.select(["table", "reason", "detail"]).to_pylist()
        if row["reason"] == UNKNOWN_METRIC
    ]
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _metric(row: dict[str, Any]) -> tuple[str, str, str]:
    """(metric, category, where it was found), "" for what is not known. A category's own name will do."""
    if name := row["metric_name"]:
        if known := find(name):
            return known.name, known.category, "metadata"
        category = _CATEGORY_NAMES.get(name.strip().lower(), "")
        return category, category, "metadata" if category else ""
    found = detect(row["description"] or "")
    return (found[0].metric.name, found[0].metric.category, "description") if found else ("", "", "")


def _data_types(row: dict[str, Any]) -> dict[str, Any]:
    named = from_names([*(row["data_types"] or ()), *(row["tags"] or ())])
    if named:
        return {"data_types": list(named), "data_types_from": "metadata"}
    described = from_description(row["description"] or "")
    return {"data_types": list(described), "data_types_from": "description" if described else None}


def _drop(row: dict[str, Any], reason: str, detail: str) -> dict[str, Any]:
    return {
        "table": "competitions",
        "row": row["competition"],
        "competition": row["competition"],
        "reason": reason,
        "detail": detail,
    }
