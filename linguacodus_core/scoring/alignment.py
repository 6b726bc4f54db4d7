"""Which row of one table belongs to which id of another, whatever the spelling of the ids.

Both functions are also copied into the programs of blends: they use pandas only.
"""

import pandas as pd


def id_spellings(ids: pd.Series) -> dict[str, pd.Series]:
    """Ways to compare ids, strictest first: as written, as numbers ("007" = 7 = 7.0), as dates."""
    text = ids.astype(str).str.strip().reset_index(drop=True)
    found = {"text": text}
    parts = text.str.extract(r"^([+-]?)0*(\d+)(?:\.0*)?$")
    numbers = pd.to_numeric(text, errors="coerce")
    if parts[1].notna().all():
        found["number"] = parts[0].fillna("").str.replace("+", "", regex=False) + parts[1]
    elif numbers.notna().all():
        found["number"] = numbers.map(lambda number: repr(float(number)))
    elif text.str.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").all():
        dates = pd.to_datetime(text, errors="coerce", format="mixed", utc=True)
        if dates.notna().all():
            found["date"] = dates.dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return found


def order_of(wanted: pd.Series, ids: pd.Series) -> list[int] | None:
    """Positions in `ids` that put it into the order of `wanted`; None when they are not the same ids."""
    left, right = id_spellings(wanted), id_spellings(ids)
    for kind in left:
        if kind not in right or len(left[kind]) != len(right[kind]):
            continue
        if left[kind].is_unique and right[kind].is_unique:
            order = pd.Index(right[kind]).get_indexer(pd.Index(left[kind]))
            if (order >= 0).all():
                return [int(position) for position in order]
    return None
