"""Made competitions: their metric in one of its many spellings, description, data, how scores lie."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random

from benchmarks.code4ml.author import GRAMMAR, World, columns
from benchmarks.code4ml.grammar import Voice

DROPPED_SHARE, UNKNOWN_SHARE = 0.08, 0.07
_NO_DATA_TYPE = 0.12
_CATEGORIES = {
    "AUC": 18,
    "categorization accuracy": 18,
    "RMSE/RMSLE": 16,
    "log loss": 7,
    "MAE": 7,
    "multiclass log loss": 6,
    "F-score binary": 5,
    "F-score multiclass": 5,
    "ranking precision": 5,
    "kappa": 3,
    "MSE": 3,
    "overlap": 3,
    "R2/correlation": 3,
    "Gini/MCC": 2,
    "percentage errors": 2,
    "edit distance": 1,
    "quantile/CRPS": 1,
}
_KINDS = {"tabular": 62, "image": 15, "text": 13, "series": 8, "audio": 2}
_DESCRIPTION_LOG, _DESCRIPTION_SPREAD = 8.06, 0.5
"""Lognormal with a mean of 3,600 characters."""


@dataclass(frozen=True)
class Metric:
    """A row of metrics.toml, or an invented name: category and direction are then empty."""

    name: str
    category: str
    direction: str
    dropped: bool
    prediction: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """Where a competition's scores lie; `usual` are those that many kernels share."""

    direction: str
    best: float
    spread: float
    usual: tuple[str, ...]

    def draw(self, rng: Random) -> str:
        """A score as the table has it."""
        return rng.choice(self.usual) if rng.random() < 0.18 else self.fresh(rng)

    def fresh(self, rng: Random) -> str:
        """A score of its own."""
        off = self.spread * rng.gammavariate(1.2, 1.0)
        if self.direction == "max":
            return f"{max(self.best - off, 0.0):.5f}"
        value = self.best * (1 + off)
        return f"{value:.5f}" if value < 100 else f"{value:.2f}"


@dataclass(frozen=True)
class Competition:
    """A row of competitions_meta.csv with what its kernels need. `metric` is the truth of `spelled`."""

    world: World
    metric: Metric
    spelled: str
    scores: Scores
    row: tuple[str, ...]


HEADER = (
    *("comp_name", "ref_link", "comp_type", "description"),
    *("metric", "data type", "subject", "problem type"),
)


def competitions(count: int, rng: Random) -> list[Competition]:
    """That many, names unique; of the metrics 8 % are of a dropped category, 7 % unknown."""
    dropped, unknown = round(count * DROPPED_SHARE), round(count * UNKNOWN_SHARE)
    sorts = ["dropped"] * dropped + ["unknown"] * unknown + ["known"] * (count - dropped - unknown)
    rng.shuffle(sorts)
    names: set[str] = set()
    return [_competition(rng, sort, names) for sort in sorts]


@lru_cache(maxsize=1)
def metrics() -> list[Metric]:
    """The rows of metrics.toml."""
    table = files("linguacodus_core.metrics").joinpath("metrics.toml")
    content = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Metric(
            row["name"],
            row["category"],
            row.get("direction", content["categories"][row["category"]]),
            row["category"] in content["dropped"]["categories"],
            row["prediction"],
            tuple(row["aliases"]),
        )
        for row in content["metrics"]
    ]


def _metric(rng: Random, sort: str, voice: Voice) -> tuple[Metric, str]:
    if sort == "unknown":
        spelled = "" if rng.random() < 0.2 else GRAMMAR.draw("unknown_metric", voice)
        return Metric("", "", "", False, rng.choice(("label", "value")), ()), spelled
    if sort == "dropped":
        rows = [row for row in metrics() if row.dropped]
    else:
        category = rng.choices(list(_CATEGORIES), list(_CATEGORIES.values()))[0]
        rows = [row for row in metrics() if row.category == category]
    metric = rng.choices(rows, [1 / place**1.5 for place in range(1, len(rows) + 1)])[0]
    return metric, spell(rng.choice((metric.name, metric.name, *metric.aliases)), rng)


def spell(name: str, rng: Random) -> str:
    """A metric's name in one of the ways that Kaggle's pages write names."""
    name = name.replace("@k", rng.choice(("@{K}", "@k", "@3", "@5", "@10")))
    words = name.split()
    plain = all(word.isascii() and word.isalpha() and len(word) > 2 for word in words)
    way = rng.random()
    if way < 0.35:
        return " ".join(word[0].upper() + word[1:] for word in words)
    if way < 0.5 and plain and len(words) > 1:
        return "".join(word.capitalize() for word in words)
    if way < 0.65 and len(name) <= 9:
        return name.upper()
    if way < 0.75 and plain:
        return rng.choice(("_", "-")).join(words)
    return name.capitalize() if way < 0.85 else name


def _competition(rng: Random, sort: str, names: set[str]) -> Competition:
    voice = Voice(rng.getrandbits(48))
    slug = GRAMMAR.draw("comp_name", voice)
    while slug in names:
        slug = GRAMMAR.draw("comp_name", voice) + str(rng.randint(2, 99))
    names.add(slug)
    metric, spelled = _metric(rng, sort, voice)
    kind = "image" if metric.prediction == "mask" else rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    real = metric.prediction == "value"
    numbers, categories = columns(rng)
    world = World(
        slug,
        kind,
        metric.category,
        real,
        numbers,
        categories,
        rng.choice(("target", "label", "Class", "y", "outcome", *(numbers[:1] * 3))),
        rng.choice(("id", "Id", "ID", "row_id", f"{slug.partition('-')[0]}_id")),
        rng.choice(("text", "comment_text", "review", "question_text", "tweet", "excerpt")),
        rng.choice(("date", "Date", "timestamp", "datetime", "ds", "month_id")),
    )
    described = describe(voice, kind, spelled, rng)
    problem = "real" if real else "class" if metric.prediction in ("label", "probability") else "other"
    row = (
        slug,
        f"https://www.kaggle.com/c/{slug}",
        GRAMMAR.draw("comp_type", voice),
        described,
        spelled,
        "" if rng.random() < _NO_DATA_TYPE else GRAMMAR.draw(f"data_type.{kind}", voice),
        GRAMMAR.draw("subject", voice),
        GRAMMAR.draw(f"problem.{problem}", voice),
    )
    return Competition(world, metric, spelled, _scores(rng, metric), row)


def _scores(rng: Random, metric: Metric) -> Scores:
    direction = metric.direction or rng.choice(("min", "max"))
    if direction == "max":
        best, spread = rng.uniform(0.55, 0.999), rng.uniform(0.005, 0.12)
    elif "log loss" in metric.category:
        best, spread = rng.uniform(0.02, 0.7), rng.uniform(0.03, 0.6)
    else:
        best, spread = rng.lognormvariate(0.5, 2.5), rng.uniform(0.02, 0.8)
    alone = Scores(direction, best, spread, ())
    return Scores(direction, best, spread, tuple(alone.fresh(rng) for _ in range(4)))


def describe(voice: Voice, kind: str, metric: str, rng: Random) -> str:
    """A description as competition pages have it; three in four name the metric."""
    length = rng.lognormvariate(_DESCRIPTION_LOG, _DESCRIPTION_SPREAD)
    parts = ["## Description\n\n" + _paragraph(voice, rng.randint(2, 5)), _data(voice, kind, rng)]
    if metric and rng.random() < 0.75:
        parts.append("## Evaluation\n\n" + GRAMMAR.draw("evaluation", voice).replace("METRIC", metric))
    size = sum(len(part) for part in parts)
    while size < length - 80:
        listed = rng.random() < 0.3
        part = _file_list(voice, rng.randint(2, 7)) if listed else _paragraph(voice, rng.randint(1, 6))
        parts.insert(rng.randint(1, len(parts)), part)
        size += len(part) + 2
    text = "\n\n".join(parts)
    return f"<p>{text}</p>" if rng.random() < 0.1 else text


def _paragraph(voice: Voice, sentences: int) -> str:
    return " ".join(GRAMMAR.draw("sentence", voice) for _ in range(sentences))


def _file_list(voice: Voice, lines: int) -> str:
    return "\n".join(GRAMMAR.draw("file_line", voice) for _ in range(lines))


def _data(voice: Voice, kind: str, rng: Random) -> str:
    said: Sequence[str] = [GRAMMAR.draw(f"data.{kind}", voice) for _ in range(rng.randint(2, 4))]
    return "## Data\n\n" + " ".join(said)
