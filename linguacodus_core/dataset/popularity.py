"""The most popular model by data type and metric (paper, figure 2), as a table; the prior of `generate`."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa

from linguacodus_core.tables import DATASET, table

NO_MODELS = frozenset({"rule_based", "clustering"})

ANY = ""
"""The metric category of the row that counts a data type whatever the metric."""


def popularity(competitions: pa.Table, instructions: pa.Table) -> pa.Table:
    """Table `popularity`: how many solutions of a data type and metric category have a family as main model.

    A competition of several data types counts in each. The main model is the first family of an instruction
    that is one.
    Rows with the metric category "" count a data type over all metrics. share: of the cell's solutions.
    """
    about = {row["competition"]: row for row in competitions.to_pylist()}
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in instructions.select(["competition", "families"]).to_pylist():
        known = about.get(row["competition"])
        families = [family for family in row["families"] if family not in NO_MODELS]
        if not families or known is None:
            continue
        for kind in known["data_types"] or ():
            for category in {known["metric_category"] or ANY, ANY}:
                counts.setdefault((kind, category), Counter())[families[0]] += 1
    return table("popularity", list(_rows(counts)), DATASET)


def _rows(counts: Mapping[tuple[str, str], Counter[str]]) -> Iterable[dict[str, object]]:
    for (kind, category), families in sorted(counts.items()):
        total = families.total()
        for family, count in sorted(families.items(), key=lambda item: (-item[1], item[0])):
            yield {
                "data_type": kind,
                "metric_category": category,
                "family": family,
                "solutions": count,
                "cell_solutions": total,
                "share": count / total,
            }
