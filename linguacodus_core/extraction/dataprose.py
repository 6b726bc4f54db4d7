"""What becomes of the data, in sentences, from the steps that the code shows."""

import re

from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.featureprose import (
    bins,
    by_how,
    date_features,
    group_features,
    image_steps,
    new_columns,
    series_features,
    text_features,
)
from linguacodus_core.extraction.wording import are, joined, listed, number
from linguacodus_core.extraction.wording import columns as cols

_FILLS = {
    "median": "the median",
    "mean": "the mean",
    "mode": "the most frequent value",
    "max": "the maximum",
    "min": "the minimum",
    "median of the group": "the median of their group",
    "mean of the group": "the mean of their group",
    "mode of the group": "the most frequent value of their group",
    "max of the group": "the maximum of their group",
    "min of the group": "the minimum of their group",
    "forward fill": "the last value before them",
    "backward fill": "the next value after them",
    "interpolation": "interpolated values",
    "nearest neighbours": "the values of their nearest neighbours",
    "models of the other columns": "predictions from the other columns",
    "value": "computed values",
}
_ENCODINGS = {
    "one-hot": "one-hot encoded",
    "label": "label-encoded",
    "ordinal": "ordinally encoded",
    "target": "target-encoded",
    "weight-of-evidence": "encoded by weight of evidence",
    "count": "encoded by their counts",
    "binary": "binary-encoded",
    "hash": "hashed",
    "rare-label": "grouped where they are rare",
    "mapped to numbers": "mapped to numbers",
    "category type": "kept as categories",
    "multi-label binary": "turned into one binary column a label",
}
_GENERAL = {"one-hot": "categories", "label": "categories", "ordinal": "categories"}


def describe_data(found: Evidence) -> str:
    """The paragraph on preprocessing; empty where the code shows none."""
    return joined([
        _used(found), _tables(found), _rows(found), _gaps(found), new_columns(found), date_features(found),
        series_features(found),
        group_features(found), bins(found), text_features(found), image_steps(found), _encodings(found),
        _scales(found),
        _shape(found), _target(found), _dropped(found),
    ])  # fmt: skip


def _used(found: Evidence) -> str:
    chosen = found.of("use")
    if not chosen:
        return ""
    columns = chosen[-1].columns
    return f"the model uses {listed(columns, 10)}"


def _tables(found: Evidence) -> str:
    merges = found.of("merge")
    if not merges:
        return ""
    keys = list(dict.fromkeys(name for step in merges for name in step.columns))
    return f"tables are joined{f' on {listed(keys, 4)}' if keys else ''}"


def _rows(found: Evidence) -> str:
    parts: list[str] = []
    outliers = found.of("outliers")
    cut = [step for step in outliers if step.how != "clipping"]
    if cut:
        columns = [name for step in cut for name in step.columns]
        rules = [step.detail for step in cut if step.detail and len(step.detail) < 50]
        ways = [step.how for step in cut if step.how not in ("rows", "")]
        where = f" in {listed(columns, 4)}" if columns else ""
        how = f" by {listed(ways, 2)}" if ways else f" ({'; '.join(rules[:2])})" if rules else ""
        parts.append(f"outliers{where} are removed{how}")
    clipped = [name for step in outliers if step.how == "clipping" for name in step.columns]
    if clipped:
        parts.append(f"{cols(clipped, 4)} {are(clipped)} clipped")
    kept = [step.detail for step in found.of("filter") if step.detail and len(step.detail) < 60]
    if kept:
        parts.append(f"only rows with {listed(kept, 2)} are kept")
    if found.of("duplicates"):
        parts.append("duplicate rows are removed")
    drops = found.of("dropna")
    rows = [step for step in drops if step.how == "rows"]
    if rows:
        subset = [name for step in rows for name in step.columns]
        parts.append(
            f"rows without {listed(subset, 3)} are dropped"
            if subset
            else "rows with missing values are dropped"
        )
    if any(step.how == "columns" for step in drops):
        parts.append("columns with missing values are dropped")
    return "; ".join(parts)


def _gaps(found: Evidence) -> str:
    grouped: dict[str, list[str]] = {}
    for step in found.of("impute"):
        if step.how == "constant":
            filling = _constant(step.detail)
        else:
            filling = _FILLS.get(step.how, step.how)
            if step.detail and "group" in step.how:
                filling = filling.replace("their group", f"the same {step.detail}")
        columns = grouped.setdefault(filling, [])
        columns.extend(name for name in step.columns if name not in columns)
    if not grouped:
        return ""
    named = [(filling, columns) for filling, columns in grouped.items() if columns]
    rest = [filling for filling, columns in grouped.items() if not columns]
    parts = [f"of {listed(columns, 6)} with {filling}" for filling, columns in named[:5]]
    if not parts:
        return f"missing values are filled with {listed(rest, 3).replace(' and ', ' or ')}"
    text = f"missing values {'; '.join(parts[:1])}"
    text = f"missing values {parts[0].replace(' with ', ' are filled with ', 1)}"
    text += "".join(f", {part}" for part in parts[1:])
    return text + (f", all others with {rest[-1]}" if rest else "")


def _constant(detail: str) -> str:
    bare = detail.strip("'\"")
    if not detail:
        return "a constant"
    if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", bare):
        return bare.removesuffix(".0")
    return f'"{bare.replace("{}", "...")}"' if bare else "an empty text"


def _encodings(found: Evidence) -> str:
    parts: list[str] = []
    for how, columns in by_how(found.of("encode"), ""):
        way = _ENCODINGS.get(how, f"{how}-encoded")
        verb = "are" if not columns else are(columns)
        parts.append(
            f"{cols(columns, 6) if columns else _GENERAL.get(how, 'categorical columns')} {verb} {way}"
        )
    return "; ".join(parts[:4])


def _scales(found: Evidence) -> str:
    parts: list[str] = []
    for how, columns in by_how(found.of("scale"), ""):
        if how in ("divided by 255", "image normalisation"):
            continue
        detail = next((step.detail for step in found.of("scale") if step.how == how and step.detail), "")
        way = (
            f"scaled to {detail}"
            if how == "scaled to a fixed range" and detail
            else "scaled to [0, 1]"
            if how == "scaled to a fixed range"
            else how
        )
        parts.append(
            f"{cols(columns, 6) if columns else 'features'} {are(columns) if columns else 'are'} {way}"
        )
    for how, columns in by_how(found.of("transform"), ""):
        word = {"log1p": "transformed by log(1 + x)", "log": "log-transformed"}.get(how, f"{how}-transformed")
        parts.append(
            f"{cols(columns, 5) if columns else 'features'} {are(columns) if columns else 'are'} {word}"
        )
    return "; ".join(parts[:4])


def _shape(found: Evidence) -> str:
    parts: list[str] = []
    for step in list({step.how: step for step in found.of("reduce")}.values())[:2]:
        count = (
            f" to {number(step.detail)} components"
            if re.fullmatch(r"\d+", step.detail)
            else f" keeping {float(step.detail):.0%} of the variance"
            if re.fullmatch(r"0?\.\d+", step.detail)
            else ""
        )
        parts.append(f"{step.how} reduces the features{count}")
    for step in list({step.how: step for step in found.of("select")}.values())[:2]:
        count = f"{number(step.detail)} " if step.detail else ""
        way = step.how if step.how.startswith("by") else f"({step.how})"
        parts.append(f"{count}features are selected {way}")
    for step in list({step.how: step for step in found.of("resample")}.values())[:1]:
        parts.append(f"classes are balanced by {step.how}")
    return "; ".join(parts)


def _target(found: Evidence) -> str:
    steps = found.of("target")
    if not steps:
        return ""
    names = [
        name
        for step in steps
        for name in step.columns
        if len(name) > 2 and not re.match(r"(?i)y_|target", name)
    ]
    how = "log(1 + x)" if any(step.how == "log1p" for step in steps) else "the logarithm"
    return f"the target{f' {names[0]}' if names else ''} is transformed by {how}"


def _dropped(found: Evidence) -> str:
    columns = list(dict.fromkeys(name for step in found.of("drop") for name in step.columns))
    return f"{cols(columns, 8)} {are(columns)} dropped" if columns else ""
