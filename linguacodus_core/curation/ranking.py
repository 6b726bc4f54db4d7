"""The order in which a competition's kernels stand, from what is known of them without their code.

Scores in the metric's direction, ties by votes; where a competition has no score, the order in which a
listing by score gave them; where asked for, the score that a notebook states; else nothing ranks them.
"""

import pandas as pd
import pyarrow as pa

from linguacodus_core.curation.options import CurationOptions

NO_COMPETITION = "competition unknown or dropped"
NO_SCORE = "no score"
OTHER_LANGUAGE = "language: "


def rank(
    kernels: pa.Table, competitions: pa.Table, options: CurationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(ranked, dropped): kernels that may be selected, best first within each competition, and the others.

    `ranked` has the columns of `kernels`, and `ranked_by` (score, listed, stated, nothing). `dropped` has
    those of table `dropped`. Scores that are not finite count as none.
    """
    known = kernels.to_pandas().astype({"score": "float64", "stated_score": "float64"})
    known["language"] = known["language"].fillna("python")
    directions = dict(
        zip(competitions["competition"].to_pylist(), competitions["direction"].to_pylist(), strict=True)
    )
    reasons = pd.Series(pd.NA, index=known.index, dtype="string")
    reasons[~known["competition"].isin(directions.keys())] = NO_COMPETITION
    foreign = reasons.isna() & (known["language"] != "python")
    reasons[foreign] = OTHER_LANGUAGE + known.loc[foreign, "language"].astype("string")
    signs = {name: {"max": -1.0, "min": 1.0}.get(way or "", float("nan")) for name, way in directions.items()}
    sign = known["competition"].map(signs).astype("float64")
    key, ranked_by = _keys(known[reasons.isna()], sign[reasons.isna()], options)
    unranked = reasons.isna() & ~known.index.isin(key.index)
    if options.unranked == "drop":
        reasons[unranked] = NO_SCORE
    ranked = known[reasons.isna()].assign(key=key, ranked_by=ranked_by)
    ranked["ranked_by"] = ranked["ranked_by"].fillna("nothing")
    ranked = ranked.assign(popular=-ranked["votes"].fillna(0)).sort_values(
        ["competition", "key", "popular", "kernel"], na_position="last", kind="stable"
    )
    out = known[reasons.notna()]
    dropped = pd.DataFrame(
        {
            "table": "kernels",
            "row": out["kernel"],
            "competition": out["competition"],
            "reason": reasons[reasons.notna()],
            "detail": None,
        }
    )
    return ranked.drop(columns=["key", "popular"]).reset_index(drop=True), dropped.reset_index(drop=True)


def _keys(
    known: pd.DataFrame, sign: "pd.Series[float]", options: CurationOptions
) -> tuple["pd.Series[float]", "pd.Series[str]"]:
    """(sort key, what it is) of the kernels that something ranks: one kind of key within a competition."""
    finite = known["score"].abs() != float("inf")
    choices = [
        ("score", (known["score"] * sign).where(finite)),
        ("listed", known["listed"].astype("float64")),
    ]
    if options.stated_scores == "use":
        choices.append(("stated", known["stated_score"] * sign))
    keys: list[pd.Series[float]] = []
    names: list[pd.Series[str]] = []
    open_ = pd.Series(True, index=known.index)
    for name, key in choices:
        rated = key.notna() & open_
        keys.append(key[rated])
        names.append(pd.Series(name, index=key.index[rated]))
        open_ &= ~known["competition"].isin(known.loc[rated, "competition"].unique())
    return pd.concat(keys), pd.concat(names)
