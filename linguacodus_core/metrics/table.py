"""The metric table: every spelling Kaggle uses for a metric -> category, direction, what it asks for.

The 20 categories are those of Code4ML (arXiv 2210.16018); the rows stand in `metrics.toml` beside this file.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.words import Word, fold_words

Direction = Literal["min", "max"]
Prediction = Literal["probability", "label", "value", "ranking", "mask"]
Need = Literal[
    "threshold",
    "round",
    "log",
    "nonnegative",
    "clip",
    "normalise",
    "median",
    "order",
    "balance",
    "quantiles",
    "top k",
    "text",
    "rle",
    "several",
]

_BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_DIRECTION_NOTE = re.compile(
    r"(?:the )?(?:lower|higher|smaller|larger|less|more)(?: is| the)? better|minimi[sz]ed?|maximi[sz]ed?"
)
_QUANTILE = re.compile(r"(?:\b(?:q|quantile|alpha|tau)\s*=?\s*|\s)(0?\.\d+)\s*$")
_SETTING = re.compile(r"(?P<kind>beta|\u03b2|k|q|quantile|alpha|tau)\s*=\s*(?P<value>\d*\.?\d+)")
_KIND_OF_SYMBOL = {"beta": "beta", "\u03b2": "beta", "k": "k"}
_LONGEST_NAME = 300


class Metric(BaseModel):
    """One row of the table: a metric under its canonical name.

    `base` is the row's name in metrics.toml; it differs from `name` only where the name carries a
    parameter ("map@5" has the base "map@k" and the parameter 5.0). `scored` is False for metrics that need
    more than truth and predictions (row weights, boxes); `stand_in` then names the nearest that has a score.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    base: str
    category: str
    direction: Direction
    prediction: Prediction
    needs: tuple[Need, ...]
    aliases: tuple[str, ...]
    weak: tuple[str, ...] = ()
    parameter_kind: Literal["k", "beta", "quantile"] | None = None
    parameter: float | None = None
    refines: str | None = None
    stand_in: str | None = None

    @property
    def scored(self) -> bool:
        """Whether `metrics.scoring.score` has a function for it."""
        return self.stand_in is None

    @property
    def dropped(self) -> bool:
        """Whether the paper drops its category from training."""
        return self.category in DROPPED_CATEGORIES

    def with_parameter(self, value: float) -> "Metric":
        """The same metric with its cut-off, beta or quantile set, and the name that goes with it."""
        number = f"{value:g}"
        name = {
            "k": self.base.replace("@k", f"@{number}"),
            "beta": f"f{number}",
            "quantile": f"{self.base} {number}",
        }
        if self.parameter_kind is None:
            return self
        return self.model_copy(update={"name": name[self.parameter_kind], "parameter": value})


def _load() -> tuple[dict[str, Direction], frozenset[str], dict[str, Metric]]:
    raw = tomllib.loads((files("linguacodus_core.metrics") / "metrics.toml").read_text(encoding="utf-8"))
    categories: dict[str, Direction] = raw["categories"]
    rows: dict[str, Metric] = {}
    for row in raw["metrics"]:
        kind = row.pop("parameter", None)
        metric = Metric(
            **{"base": row["name"], "direction": categories[row["category"]], "parameter_kind": kind} | row
        )
        rows[metric.name] = metric
    return categories, frozenset(raw["dropped"]["categories"]), rows


CATEGORIES: dict[str, Direction]
"""The 20 categories and their directions; those in DROPPED_CATEGORIES are dropped from training."""
CATEGORIES, DROPPED_CATEGORIES, METRICS = _load()


def spell(words: Iterable[Word]) -> str:
    """The key under which a spelling is compared: its folded words without spaces."""
    return "".join(word.text for word in words)


@lru_cache(maxsize=1)
def spellings() -> dict[tuple[str, ...], Metric]:
    """Folded words of every name and alias -> metric; ValueError when two metrics share a spelling."""
    found: dict[tuple[str, ...], Metric] = {}
    for metric in METRICS.values():
        for spelling in (metric.name, *metric.aliases):
            words = tuple(word.text for word in fold_words(spelling))
            other = found.setdefault(words, metric)
            if other is not metric:
                raise ValueError(f"metrics.toml: {spelling!r} names both {other.name!r} and {metric.name!r}")
    return found


@lru_cache(maxsize=1)
def _keys() -> dict[str, Metric]:
    keys: dict[str, Metric] = {}
    for words, metric in spellings().items():
        keys.setdefault("".join(words), metric)
    return keys


def find(raw: str) -> Metric | None:
    """The metric that a raw name spells, or None when the table does not know it; never a guess.

    Case, punctuation, hyphens, filler words ("score", "the") and "@{K}" do not matter. A bracketed
    addition must agree with what stands outside: "Mean Absolute Error (MAE)" is found, "MAE (RMSE)" is not.
    """
    text = raw.strip()[:_LONGEST_NAME]
    if direct := _exact(text):
        return direct
    inside = [part for part in _BRACKETED.findall(text) if part.strip()]
    if not inside:
        return None
    outside = _exact(_BRACKETED.sub(" ", text))
    if outside is None:
        return None
    for part in inside:
        if _DIRECTION_NOTE.fullmatch(part.strip().lower()):
            continue
        if setting := _SETTING.fullmatch(part.strip().lower()):
            if _KIND_OF_SYMBOL.get(setting["kind"], "quantile") != outside.parameter_kind:
                return None
            outside = outside.with_parameter(float(setting["value"]))
            continue
        named = _exact(part)
        if named is None or named.base != outside.base:
            return None
        if outside.parameter is None:
            outside = named
    return outside


def _exact(text: str) -> Metric | None:
    """The metric whose spelling is exactly this text, its parameter set when the text has one."""
    quantile = _QUANTILE.search(text.lower())
    words = fold_words(text)
    metric = _keys().get(spell(words))
    if metric is None and quantile:
        base = _keys().get(spell(fold_words(text[: quantile.start()])))
        if base is not None and base.parameter_kind == "quantile":
            return base.with_parameter(float(quantile.group(1)))
    if metric is None:
        return None
    values = {word.value for word in words if word.value is not None}
    if len(values) > 1 or (values and metric.parameter_kind is None):
        return None
    return metric.with_parameter(values.pop()) if values else metric


def get(name: str) -> Metric:
    """The metric of a canonical name or known spelling; LinguacodusError with close matches when unknown."""
    metric = find(name)
    if metric is not None:
        return metric
    pool = {spelling: row.name for row in METRICS.values() for spelling in (row.name, *row.aliases)}
    close = difflib.get_close_matches(name.strip().lower(), pool, n=12, cutoff=0.6)
    names = list(dict.fromkeys(pool[spelling] for spelling in close))[:6]
    hint = (
        f"Did you mean {' or '.join(repr(each) for each in names)}?"
        if names
        else "No known metric is close to it."
    )
    raise LinguacodusError(
        f"the metric {name!r} is not in the metric table",
        f"{hint} Set `metric` in task.toml to one of the names in linguacodus_core/metrics/metrics.toml.",
    )
