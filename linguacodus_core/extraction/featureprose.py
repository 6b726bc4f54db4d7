"""New features, in sentences and in short steps: columns, dates, lags, groups, texts, images."""

import re
from collections.abc import Iterable

from linguacodus_core.extraction.evidence import Evidence, Step
from linguacodus_core.extraction.wording import are, listed
from linguacodus_core.extraction.wording import columns as cols

_PARTS = {
    "dayofweek": "day of week", "day_of_week": "day of week", "weekday": "day of week",
    "dayofyear": "day of year",
    "day_of_year": "day of year", "weekofyear": "week", "isocalendar": "week", "is_month_end": "month end",
    "is_month_start": "month start", "is_quarter_end": "quarter end", "is_quarter_start": "quarter start",
    "is_year_end": "year end", "is_year_start": "year start", "days_in_month": "days in the month",
    "daysinmonth": "days in the month",
}  # fmt: skip


def feature_steps(found: Evidence) -> tuple[str, ...]:
    """The same as short steps, a few words each, for the field `features`."""
    steps: list[str] = []
    for step in found.of("feature"):
        if step.how == "formula":
            steps.append(f"{step.columns[0]} = {step.detail}")
        elif step.detail and step.columns and step.how in ("text part", "derived"):
            steps.append(f"{listed(step.columns, 2)} from {step.detail}")
    steps += [f"bins of {listed(columns, 3)}" for _, columns in by_how(found.of("bin"), "") if columns]
    if parts := _date_parts(found):
        steps.append(f"date parts: {listed(parts, 5)}")
    steps += [f"lags {lags}" for lags in [_numbers(found.of("lag"))] if lags]
    steps += [f"rolling windows {windows}" for windows in [_numbers(found.of("rolling"))] if windows]
    for step in found.of("aggregate")[:4]:
        steps.append(f"{step.how or 'statistics'} of {listed(step.columns, 2) or 'columns'} by {step.detail}")
    for how, columns in by_how(found.of("encode"), ""):
        steps.append(f"{how} encoding of {listed(columns, 4)}" if columns else f"{how} encoding")
    steps += [f"{step.how}{f' ({step.detail})' if step.detail else ''}" for step in found.of("text", "embed")]
    steps += [f"{step.how} to {step.detail}" if step.detail else step.how for step in found.of("reduce")]
    if found.of("augment"):
        steps.append(f"augmentation: {listed([step.how for step in found.of('augment')], 4)}")
    return tuple(dict.fromkeys(step[:80] for step in steps if step))[:12]


def by_how(steps: Iterable[Step], prefix: str) -> list[tuple[str, list[str]]]:
    """What was done how, and to which columns, in order."""
    grouped: dict[str, list[str]] = {}
    for step in steps:
        columns = grouped.setdefault(f"{step.how} {prefix}".strip(), [])
        columns.extend(name for name in step.columns if name not in columns)
    return list(grouped.items())


def new_columns(found: Evidence) -> str:
    """Columns that are computed from others."""
    steps = found.of("feature")
    formulas = [
        f"{step.columns[0]} = {step.detail}" for step in steps if step.how == "formula" and step.columns
    ]
    parts: list[str] = []
    if formulas:
        shown = formulas[:5]
        more = len(formulas) - len(shown)
        parts.append("; ".join(shown) + (f"; and {more} more such columns" if more else ""))
    derived: dict[str, list[str]] = {}
    for step in steps:
        if step.how in ("text part", "derived") and step.detail:
            made = derived.setdefault(step.detail, [])
            made.extend(name for name in step.columns if name not in made)
    for source, names in list(derived.items())[: 5 if len(formulas) < 4 else 3]:
        parts.append(f"{cols(names, 4)} {are(names)} derived from {source}")
    for how in (
        "differences",
        "relative changes",
        "cumulative sums",
        "running counts",
        "ranks",
        "running maxima",
    ):
        columns = [name for step in steps if step.how == how for name in step.columns]
        if any(step.how == how for step in steps) and len(parts) < 7:
            parts.append(f"{how} of {listed(columns, 3)} are added" if columns else f"{how} are added")
    clusters = [step for step in steps if step.how in ("clusters", "k-means clusters")]
    if clusters:
        count = next((step.detail for step in clusters if step.detail), "")
        parts.append(f"k-means clusters{f' ({count})' if count else ''} serve as a feature")
    for step in found.of("polynomial")[:1]:
        parts.append(
            f"polynomial features of degree {step.detail} are added"
            if step.detail
            else "polynomial features are added"
        )
    if not parts:
        return ""
    first = f"new columns are made: {parts[0]}" if formulas else parts[0]
    return "; ".join([first, *parts[1:]])


def _date_parts(found: Evidence) -> list[str]:
    return list(
        dict.fromkeys(
            _PARTS.get(step.detail, step.detail) for step in found.of("date") if step.how == "parts"
        )
    )


def date_features(found: Evidence) -> str:
    """Parts of dates, and terms of trend and season."""
    parts = _date_parts(found)
    texts: list[str] = []
    if parts:
        sources = list(
            dict.fromkeys(name for step in found.of("date") if step.how == "parts" for name in step.columns)
        )
        plain = [name for name in sources if " " not in name]
        of = f" of {plain[0]}" if len(plain) == 1 else " of the dates"
        texts.append(f"{listed(parts, 8)}{of} {'is' if len(parts) == 1 else 'are'} used as features")
    others = list(dict.fromkeys(step.how for step in found.of("date") if step.how != "parts"))
    if others:
        texts.append(
            f"{listed(others, 4)} {'are' if len(others) > 1 or others[-1].endswith('s') else 'is'} added"
        )
    return "; ".join(texts)


def _numbers(steps: tuple[Step, ...]) -> str:
    values = sorted({int(step.detail) for step in steps if re.fullmatch(r"\d{1,5}", step.detail)})
    return listed([str(value) for value in values], 8)


def series_features(found: Evidence) -> str:
    """Lags and rolling statistics."""
    parts: list[str] = []
    lags = [step for step in found.of("lag") if step.how != "lead"]
    if lags:
        columns = [name for step in lags for name in step.columns if " " not in name]
        text = "lagged values" + (f" of {listed(columns, 4)}" if columns else "")
        steps = _numbers(tuple(lags))
        parts.append(text + (f" ({steps} step{'s' if steps != '1' else ''})" if steps else "") + " are added")
    windows = found.of("rolling")
    if windows:
        columns = [name for step in windows for name in step.columns if " " not in name]
        sizes = _numbers(windows)
        kinds = {step.how for step in windows}
        what = (
            "exponentially weighted statistics"
            if kinds == {"exponential"}
            else "expanding statistics"
            if kinds == {"expanding"}
            else "rolling statistics"
        )
        parts.append(
            what
            + (f" of {listed(columns, 4)}" if columns else "")
            + (f" over windows of {sizes}" if sizes else "")
            + " are added"
        )
    return "; ".join(parts)


def group_features(found: Evidence) -> str:
    """Statistics within groups."""
    steps = found.of("aggregate")
    if not steps:
        return ""
    by = list(dict.fromkeys(step.detail for step in steps if step.detail and step.detail != "group"))
    columns = [name for step in steps for name in step.columns]
    ways = list(dict.fromkeys(word for step in steps for word in step.how.split(", ") if word))
    what = (
        f"{listed(ways, 4)} of {listed(columns, 4) or 'columns'}"
        if ways
        else f"statistics of {listed(columns, 4) or 'columns'}"
    )
    return (
        f"{what} by {listed(by, 3)} {'is' if len(ways) == 1 else 'are'} added"
        if by
        else f"{what} within groups {'is' if len(ways) == 1 else 'are'} added"
    )


def bins(found: Evidence) -> str:
    """Columns cut into intervals."""
    parts = []
    for step in found.of("bin"):
        if not step.columns:
            continue
        count = f"{step.detail} " if step.detail else ""
        kind = "quantile bins" if step.how == "quantiles" else "bins"
        parts.append(f"{cols(step.columns, 4)} {are(step.columns)} cut into {count}{kind}")
    return "; ".join(dict.fromkeys(parts[:4]))


def text_features(found: Evidence) -> str:
    """Cleaning, tokens and vectors of texts."""
    vectors = list(found.of("text", "embed"))
    tokens = found.of("tokenise")
    stems = [
        step
        for step in vectors
        if step.how in ("stemming", "lemmatisation", "removal of HTML", "spelling correction")
    ]
    made = [step for step in vectors if step not in stems]
    if not (vectors or tokens):
        return ""
    parts: list[str] = []
    cleaning = list(dict.fromkeys(step.how for step in found.of("clean")))
    removed = [how.removesuffix(" removed") for how in cleaning if how.endswith(" removed")]
    words = []
    if "lower case" in cleaning:
        words.append("lower-cased")
    if removed:
        words.append(f"freed of {listed(removed, 4)}")
    words += {"stemming": ["stemmed"], "lemmatisation": ["lemmatised"]}.get(stems[0].how, []) if stems else []
    if words:
        parts.append(f"the text is {listed(words, 4)}")
    for step in list({step.how: step for step in made}.values())[:4]:
        detail = f" ({step.detail})" if step.detail else ""
        verb = "turn" if step.how.endswith(("counts", "scores")) else "turns"
        parts.append(f"{step.how}{detail} {verb} it into features")
    how = list(dict.fromkeys(step.how for step in tokens if step.how != "padded sequences"))
    if how:
        length = next((step.detail for step in tokens if step.how == "padded sequences" and step.detail), "")
        parts.append(
            f"it is tokenised by {listed(how, 2)}" + (f" and padded to {length} tokens" if length else "")
        )
    elif any(step.how == "padded sequences" for step in tokens):
        length = next((step.detail for step in tokens if step.detail), "")
        parts.append(f"sequences are padded{f' to length {length}' if length else ''}")
    text = "; ".join(parts)
    return (
        text
        if text.startswith("the text")
        else text.replace("it into", "the text into", 1).replace("it is", "the text is", 1)
    )


def image_steps(found: Evidence) -> str:
    """Sizes, scales and augmentation of images."""
    parts: list[str] = []
    resized = [step.detail for step in found.of("image") if step.how == "resized"]
    if any(step.how == "TFRecords" for step in found.of("image")):
        parts.append("images are read from TFRecords")
    if resized:
        size = next((detail for detail in resized if detail), "")
        parts.append(f"images are resized{f' to {size}' if size else ''}")
    if any(step.how == "divided by 255" for step in found.of("scale")):
        parts.append("pixel values are divided by 255")
    if any(step.how == "image normalisation" for step in found.of("scale")):
        parts.append("channels are normalised")
    augmentations = list(dict.fromkeys(step.how for step in found.of("augment")))
    if augmentations:
        parts.append(f"augmentation by {listed(augmentations, 6)}")
    return "; ".join(parts)
