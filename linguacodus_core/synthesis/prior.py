"""Plans to start from, best expected first: the floor, then different models that blend well.

How a family is best set up was found by hand; which family comes first follows from how popular it is in the
corpus for that kind of data and metric (paper, figure 2).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from linguacodus_core.synthesis.facts import ColumnFacts, column_facts
from linguacodus_core.synthesis.objective import is_ordinal, problem_of
from linguacodus_core.synthesis.plan import MOST_FEATURES, Feature, PipelinePlan, repair
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

_NORTH = re.compile(r"(?i)(^|[^a-z])(lat(itude)?|northing|y_?coord\w*)([^a-z]|$)")
_EAST = re.compile(r"(?i)(^|[^a-z])(lon(g|gitude)?|lng|easting|x_?coord\w*)([^a-z]|$)")

BY_HAND = 300
"""Solutions that the order found by hand weighs as much as."""


def prior_plans(
    spec: TaskSpec, profile: DataProfile, popular: Mapping[str, int] | None = None
) -> list[PipelinePlan]:
    """Plans for the task, best expected first; [0] is the floor: one fast model that runs on anything.

    popular: family -> solutions of the corpus (dataset.prior); without it the order is the one by hand.
    """
    if spec.image_column:
        rows = _image_rows()
    elif spec.text_columns and spec.data_type == DataType.TEXT:
        rows = _text_rows(spec, profile)
    elif _is_series(spec):
        rows = _series_rows(spec, profile)
    else:
        rows = _table_rows(spec, profile)
    found: list[PipelinePlan] = []
    for row in rows:
        plan, _ = repair(PipelinePlan.model_validate(row), spec, profile)
        if all(plan.model_dump(exclude={"idea"}) != known.model_dump(exclude={"idea"}) for known in found):
            found.append(plan)
    return [*found[:1], *_by_popularity(found[1:], popular or {})]


def _by_popularity(plans: list[PipelinePlan], popular: Mapping[str, int]) -> list[PipelinePlan]:
    """One plan of each family, the popular first, then the families' second plans, and so on.

    The order by hand counts as if it were BY_HAND solutions more, the first family's most.
    """
    if not popular:
        return plans
    ranks = {family: rank for rank, family in enumerate(dict.fromkeys(plan.family for plan in plans))}
    whole = sum(1 / (1 + rank) for rank in ranks.values())
    votes = {family: popular.get(family, 0) + BY_HAND / (1 + rank) / whole for family, rank in ranks.items()}
    seen: Counter[str] = Counter()
    keyed = []
    for position, plan in enumerate(plans):
        keyed.append(((seen[plan.family], -votes[plan.family], position), plan))
        seen[plan.family] += 1
    return [plan for _, plan in sorted(keyed, key=lambda item: item[0])]


def _is_series(spec: TaskSpec) -> bool:
    numeric = problem_of(spec) == "regression" and not is_ordinal(spec)
    return spec.time_column is not None and numeric and DataType.TIME_SERIES in spec.data_types


def _scheme(spec: TaskSpec) -> str:
    """The validation that the data demand."""
    if spec.time_column and DataType.TIME_SERIES in spec.data_types:
        return "time"
    return "group" if spec.group_column else "stratified"


def _table_rows(spec: TaskSpec, profile: DataProfile) -> Iterator[dict[str, Any]]:
    facts = [fact for fact in column_facts(spec, profile) if not fact.target]
    words, numbers = word_features(facts, profile), number_features(facts)
    rows = spec.train_rows
    many_targets = len(spec.targets) > 1
    base: dict[str, Any] = {"validation": _scheme(spec), "text": "svd" if spec.text_columns else "none"}
    if any(fact.kind == "date" for fact in facts):
        base["time"] = "calendar"
    few = rows < 3_000
    firm = "high" if few else "medium"
    repeats = 3 if rows < 3_000 else 2 if rows < 10_000 else 1
    both = _few([*words, *numbers])
    yield base | {
        "idea": "A fast gradient boosting of all columns that runs on anything.",
        "family": "lightgbm", "learning_rate": "high", "folds": 3, "size": "low" if few else "medium",
    }  # fmt: skip
    yield base | {
        "idea": "Slow, well regularised leaf-wise boosting with ratios and sums of the strongest columns.",
        "family": "lightgbm", "learning_rate": "low", "regularisation": firm, "encode": "target",
        "features": both, "size": "low" if rows < 10_000 else "medium", "folds": 5, "seeds": repeats,
    }  # fmt: skip
    yield base | {
        "idea": "Ordered boosting handles categories well and overfits little.",
        "family": "catboost", "encode": "native", "features": words, "folds": 5, "seeds": 1,
        "learning_rate": "medium", "size": "medium", "regularisation": "medium",
    }  # fmt: skip
    yield base | {
        "idea": "Histogram boosting with categories split natively.",
        "family": "hist_gradient_boosting", "encode": "native", "features": both, "regularisation": "high",
        "learning_rate": "medium", "folds": 5,
    }  # fmt: skip
    yield base | {
        "idea": "Depth-wise boosting with strong sampling errs differently from the others.",
        "family": "xgboost", "learning_rate": "low" if rows < 20_000 else "medium", "regularisation": "high",
        "encode": "ordinal", "features": words, "size": "low", "folds": 5, "seeds": repeats,
    }  # fmt: skip
    yield base | {
        "idea": "Large trees with heavy column sampling.",
        "family": "lightgbm", "size": "high", "regularisation": "high", "learning_rate": "medium",
        "features": numbers, "encode": "native", "folds": 10,
    }  # fmt: skip
    if rows <= 200_000 and not (many_targets and rows > 50_000):
        yield base | {
            "idea": "Averaging many random trees is robust to noise and differs from boosting.",
            "family": "extra_trees", "features": both, "regularisation": "low" if rows < 3_000 else "medium",
            "size": "high", "folds": 5,
        }  # fmt: skip
    yield base | {
        "idea": "A small neural network on rank-scaled inputs complements the trees.",
        "family": "mlp", "scale": "rank", "encode": "onehot", "features": both, "folds": 5, "seeds": repeats,
        "regularisation": "high" if rows < 5_000 else "medium", "rare": 5,
    }  # fmt: skip
    yield base | {
        "idea": "A linear model of scaled columns is hard to beat on few or smooth data.",
        "family": "linear", "scale": "rank", "encode": "onehot", "features": both, "rare": 5, "folds": 5,
        "regularisation": "medium", "seeds": repeats,
    }  # fmt: skip
    if rows <= 20_000:
        yield base | {
            "idea": "A kernel machine on scaled columns suits few rows.",
            "family": "svm", "scale": "standard", "encode": "onehot", "features": words, "rare": 5,
            "folds": 5,
        }  # fmt: skip
    yield base | {
        "idea": "A classic random forest.",
        "family": "random_forest",
        "features": words,
        "folds": 5,
    }


def _series_rows(spec: TaskSpec, profile: DataProfile) -> Iterator[dict[str, Any]]:
    base: dict[str, Any] = {"validation": "time", "folds": 5}
    facts = column_facts(spec, profile)
    positive = not any(fact.negative for fact in facts if fact.target)
    logs = base | ({"target": "log1p"} if positive else {})
    yield logs | {
        "idea": "Calendar features and, when the test lies ahead, each series' level; boosted quickly.",
        "family": "lightgbm", "learning_rate": "high", "time": "trend", "folds": 3,
    }  # fmt: skip
    yield logs | {
        "idea": "Calendar effects by ordered boosting on the log scale.",
        "family": "catboost", "time": "trend", "encode": "native", "size": "high",
    }  # fmt: skip
    yield logs | {
        "idea": "Calendar effects with deep trees.",
        "family": "lightgbm", "time": "trend", "size": "high", "regularisation": "low",
    }  # fmt: skip
    yield logs | {
        "idea": "Depth-wise boosting of the calendar.",
        "family": "xgboost", "time": "trend", "regularisation": "low",
    }  # fmt: skip
    yield logs | {
        "idea": "Each series relative to its own level, which carries growth forward; the calendar by trees.",
        "family": "lightgbm", "time": "trend", "encode": "native", "seeds": 2,
    }  # fmt: skip
    yield logs | {
        "idea": "What each series was a season ago, and the calendar.",
        "family": "lightgbm", "time": "lags", "encode": "native",
    }  # fmt: skip
    yield logs | {
        "idea": "The calendar as it is, should the level not move.",
        "family": "catboost", "time": "calendar", "encode": "native",
    }  # fmt: skip
    yield logs | {
        "idea": "A forest of random trees on the calendar.",
        "family": "extra_trees", "time": "trend", "size": "high", "regularisation": "low",
    }  # fmt: skip
    yield logs | {
        "idea": "Additive effects of series and calendar extrapolate.",
        "family": "linear", "time": "trend", "encode": "onehot", "scale": "standard",
    }  # fmt: skip


def _text_rows(spec: TaskSpec, profile: DataProfile) -> Iterator[dict[str, Any]]:
    base: dict[str, Any] = {"validation": _scheme(spec), "encode": "onehot", "rare": 5}
    yield base | {
        "idea": "A linear margin classifier of words and pairs of words: fast and strong.",
        "family": "svm" if problem_of(spec) != "regression" else "linear", "text": "word", "folds": 3,
    }  # fmt: skip
    yield base | {
        "idea": "Word and character n-grams together tolerate misspelling.",
        "family": "linear", "text": "word_char", "folds": 5,
    }  # fmt: skip
    yield base | {
        "idea": "A margin classifier on word and character n-grams.",
        "family": "svm", "text": "word_char", "folds": 5,
    }  # fmt: skip
    yield base | {
        "idea": "Naive Bayes on words errs differently from linear models.",
        "family": "naive_bayes", "text": "word_char", "folds": 5,
    }  # fmt: skip
    yield base | {
        "idea": "Boosting on topics, text statistics and the table.",
        "family": "lightgbm", "text": "svd", "folds": 5, "learning_rate": "medium", "encode": "target",
    }  # fmt: skip
    yield base | {
        "idea": "Boosting directly on frequent words.",
        "family": "lightgbm", "text": "word", "folds": 5, "regularisation": "high",
    }  # fmt: skip


def _image_rows() -> Iterator[dict[str, Any]]:
    yield {
        "idea": "Boosting on the colours of the image and its quarters: fast and robust.",
        "family": "lightgbm", "image": "colours", "folds": 3, "learning_rate": "high",
        "regularisation": "high",
    }  # fmt: skip
    yield {
        "idea": "A kernel machine on patch features learned without labels: the best of the classical ways.",
        "family": "svm", "image": "patches", "folds": 3,
    }  # fmt: skip
    yield {
        "idea": "A linear model of patch features.",
        "family": "linear", "image": "patches", "folds": 3,
    }  # fmt: skip
    if find_spec("torch"):
        yield {
            "idea": "A network that learns its own features.",
            "family": "mlp", "image": "network", "folds": 3,
        }  # fmt: skip
    yield {
        "idea": "A kernel machine on oriented gradients and colours.",
        "family": "svm", "image": "shapes", "folds": 3,
    }  # fmt: skip
    yield {
        "idea": "Boosting on patch features.",
        "family": "lightgbm", "image": "patches", "folds": 3, "regularisation": "high",
    }  # fmt: skip
    yield {
        "idea": "Random trees on thumbnails.",
        "family": "extra_trees", "image": "pixels", "folds": 5,
    }  # fmt: skip


def word_features(facts: list[ColumnFacts], profile: DataProfile) -> list[Feature]:
    """What can be made of text columns that are no prose: titles, leading letters, numbers, counts."""
    found: list[Feature] = []
    for fact in facts:
        if fact.kind not in ("key", "category") or fact.unique < 15:
            continue
        cells = [str(row.get(fact.name, "")) for row in profile.examples]
        if any(re.search(r"\b[^\W\d_]{2,}\.\s", cell) for cell in cells):
            found.append(Feature(op="title", a=fact.name))
        elif any(re.search(r"\d", cell) for cell in cells) and fact.unique > 50:
            found.append(Feature(op="prefix", a=fact.name))
            found.append(Feature(op="digits", a=fact.name))
        if fact.unique > 50:
            found.append(Feature(op="count", a=fact.name))
    return found[:MOST_FEATURES]


def number_features(facts: list[ColumnFacts]) -> list[Feature]:
    """Pairs of the most informative numbers, and a map turned when there are coordinates."""
    numbers = [fact for fact in facts if fact.kind == "number"]
    wide = [fact for fact in numbers if fact.unique > 10]
    found: list[Feature] = []
    north = [fact.name for fact in numbers if _NORTH.search(fact.name)]
    east = [fact.name for fact in numbers if _EAST.search(fact.name)]
    if north and east:
        found.append(Feature(op="rotate", a=north[0], b=east[0]))
    for place, other in ((0, 1), (0, 2), (1, 2)):
        if other < len(wide):
            found.append(Feature(op="ratio", a=wide[place].name, b=wide[other].name))
    if len(wide) > 1:
        found.append(Feature(op="product", a=wide[0].name, b=wide[1].name))
    keys = [fact for fact in facts if fact.kind == "category" and 2 < fact.unique <= 200]
    if wide and keys:
        found.append(Feature(op="group_deviation", a=wide[0].name, b=keys[0].name))
    return found[:MOST_FEATURES]


def _few(features: list[Feature]) -> list[Feature]:
    """At most as many as a plan takes, from the front and the back half alike."""
    if len(features) <= MOST_FEATURES:
        return features
    half = MOST_FEATURES // 2
    return [*features[:half], *features[-half:]]
