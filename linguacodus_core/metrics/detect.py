"""Which metric a competition's description names, with the words it was found in.

Every mention that the metric table knows is weighed by where it stands: in the sentence that says how
submissions are scored, under a heading such as "Evaluation", or elsewhere. A changed metric ("modified
F-score") or one that combines several is no evidence for the plain one: no answer is better than a wrong one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from linguacodus_core.metrics.context import CREDIBLE, Context
from linguacodus_core.metrics.table import METRICS, Metric, spellings
from linguacodus_core.metrics.words import Word, fold_words


@dataclass(frozen=True, slots=True)
class Detected:
    """A metric that a description speaks of; `evidence` is the text around it, `weight` its strength."""

    metric: Metric
    evidence: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Mention:
    metric: Metric
    start: int
    end: int
    words: int
    weak: bool


@dataclass(frozen=True, slots=True)
class _Turn:
    """`base` becomes `into` when `pattern` stands up to `before` characters before or `after` behind it."""

    base: str
    into: str
    pattern: re.Pattern[str]
    before: int
    after: int


_LONGEST_TEXT = 400_000
_SPECIFIC_MARGIN = 3.0

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_BLOCK_TAG = re.compile(r"</?(?:p|div|li|ul|ol|h[1-6]|br|td|th|tr|table|section|pre)\b", re.IGNORECASE)

_MADE_OF = re.compile(r"(?:average|mean|sum|product|difference|ratio)\s+of\s+(?:the\s+)?$", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:\([^()]{0,40}\)\s*)?(?:and|plus|&|\+|,)\s+(?:the\s+)?", re.IGNORECASE)

# What a description says of a metric in other words than its name.
_PARAPHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(?:percentage|percent|proportion|fraction|share)\s+of\s+(?:\w{1,20}\s+){0,6}?"
            r"(?:correctly\b|correct\s+(?:predictions|labels|tokens|answers|guesses|classifications))",
            re.IGNORECASE,
        ),
        "categorization accuracy",
    ),
)

_LOGS = re.compile(
    r"(?:between|of|on|in)\s+(?:the\s+)?(?:natural\s+)?log(?:s|arithms?|arithmic|-?\s?transformed)?\b(?!\s+loss)",
    re.IGNORECASE,
)
_PER_COLUMN = re.compile(
    r"(?:calculated|computed|evaluated)\s+(?:\w{1,20}\s+){0,3}?(?:for|over|per|on)\s+each\b.{0,100}?\baveraged"
    r"|average\s+of\s+the\s+individual\b|each\s+target,?\s+and\s+the\s+(?:final\s+)?(?:score|mean|average)"
    r"|mean\s+of\s+the\s+(?:\w{1,20}\s+){0,3}(?:over|of|for|across)\s+(?:all|each|every|the)\s+(?:\w{1,20}\s+){0,2}"
    r"(?:columns?|targets?|labels?)|\bthe\s+(?:score|metric)\s+is\s+the\s+(?:mean|average)\s+of\s+(?:the\s+)?\w{1,20}\s+(?:of|for|over)\s+each",
    re.IGNORECASE | re.DOTALL,
)
_MANY_CLASSES = re.compile(
    r"multi-?\s?class|\\sum_\{?j|\bone\s+for\s+(?:every|each)\s+(?:class|categor|label|species|breed|image)|number\s+of\s+(?:\w{1,20}\s+)?class(?:es)?\b"
    r"|probabilit(?:y|ies)\s+for\s+(?:each|every|all)\s+(?:of\s+the\s+)?(?:\w{1,20}\s+)?(?:class|categor|label|breed|author)"
    r"|set\s+of\s+predicted\s+probabilities",
    re.IGNORECASE,
)
_MACRO = re.compile(r"\bmacro|for\s+each\s+class\s+(?:value\s+)?and\s+then\s+averaged", re.IGNORECASE)
_ROWS = re.compile(
    r"sample-?\s?wise|(?:calculated|computed)\s+(?:independently\s+)?for\s+(?:each|every)\s+"
    r"(?:predicted\s+)?(?:row|sample|image|example)\b",
    re.IGNORECASE,
)
_WEIGHTED = re.compile(
    r"observations?\s+(?:will\s+be|is|are)\s+weighted|weight(?:ed)?\s+column|\bweighted\s+by\b", re.IGNORECASE
)
_BOXES = re.compile(r"\biou\b|intersection\s+over\s+union|bounding\s+box", re.IGNORECASE)

_TURNS = (
    _Turn("rmse", "rmse of log", _LOGS, 0, 140),
    _Turn("auc", "mean column auc", _PER_COLUMN, 100, 420),
    _Turn("rmse", "mcrmse", _PER_COLUMN, 60, 250),
    _Turn("rmsle", "mean columnwise rmsle", _PER_COLUMN, 60, 250),
    _Turn("log loss", "multiclass log loss", _MANY_CLASSES, 160, 900),
    _Turn("f1", "f1 macro", _MACRO, 40, 200),
    _Turn("f1", "f1 samples", _ROWS, 40, 160),
    _Turn("mae", "wmae", _WEIGHTED, 0, 90),
    _Turn("rmse", "weighted rmse", _WEIGHTED, 0, 90),
    _Turn("map@k", "map over iou thresholds", _BOXES, 80, 160),
    _Turn("f-beta", "f-beta over iou thresholds", _BOXES, 80, 160),
    _Turn("f1", "f-beta over iou thresholds", _BOXES, 80, 160),
)


def detect(description: str) -> list[Detected]:
    """The metrics that a description says submissions are scored by, best first; empty when it does not say.

    Takes text, markdown, LaTeX or HTML of any length. Mentions outside of talk about scoring count only
    when they agree on the one metric of the whole text.
    """
    text = _TAG.sub(_blank, description[:_LONGEST_TEXT].replace("&nbsp;", " " * 6))
    mentions = _mentions(text)
    if not mentions:
        return []
    context = Context(text)
    blended = _blended(text, mentions)
    best: dict[str, tuple[float, _Mention]] = {}
    counts: dict[str, int] = {}
    changed = 0.0
    for mention in mentions:
        weight = context.weight(mention.start, mention.end)
        if weight >= CREDIBLE:
            weight += 0.1 * min(mention.words, 6) - (1.0 if mention.weak else 0.0)
        if context.changed(mention.start) or mention in blended:
            changed = max(changed, weight)
            continue
        name = mention.metric.base
        counts[name] = counts.get(name, 0) + 1
        if name not in best or weight > best[name][0]:
            best[name] = (weight, mention)
    strongest = max((weight for weight, _ in best.values()), default=0.0)
    if not best or (changed > strongest and changed >= CREDIBLE):
        return []
    if context.composite(max(best.values(), key=lambda each: each[0])[1].start):
        return []
    if strongest < CREDIBLE:
        return _only_one(
            text, [mention for weight, mention in best.values() if weight >= 1.0 and not mention.weak]
        )
    found: dict[str, Detected] = {}
    for name, (weight, mention) in best.items():
        if weight < CREDIBLE:
            continue
        metric = _turned(text, mention)
        weight = round(weight + 0.1 * min(counts[name] - 1, 3), 2)
        if metric.base not in found or weight > found[metric.base].weight:
            found[metric.base] = Detected(metric, _evidence(text, mention), weight)
    return _specific_first(sorted(found.values(), key=lambda each: -each.weight))


def _blank(tag: re.Match[str]) -> str:
    """White space as long as the tag; a block's tag also ends the paragraph."""
    ends = "\n\n" if _BLOCK_TAG.match(tag.group()) else ""
    return ends.ljust(len(tag.group()))


@lru_cache(maxsize=1)
def _known() -> tuple[dict[tuple[str, ...], tuple[Metric, bool]], dict[str, tuple[int, ...]]]:
    """Spelling -> (metric, weak), and first word -> lengths of the spellings that begin so, longest first."""
    weak = {
        tuple(w.text for w in fold_words(spelling)) for metric in METRICS.values() for spelling in metric.weak
    }
    known = {words: (metric, words in weak) for words, metric in spellings().items()}
    lengths: dict[str, set[int]] = {}
    for words in known:
        lengths.setdefault(words[0], set()).add(len(words))
    return known, {first: tuple(sorted(each, reverse=True)) for first, each in lengths.items()}


def _mentions(text: str) -> list[_Mention]:
    """Every place where the text spells or paraphrases a metric of the table; the longest spelling wins."""
    known, lengths = _known()
    words = fold_words(text)
    mentions: list[_Mention] = []
    at = 0
    while at < len(words):
        used = 1
        for length in lengths.get(words[at].text, ()):
            window = words[at : at + length]
            if any(word.breaks for word in window[1:]):
                continue
            hit = known.get(tuple(word.text for word in window))
            if hit is not None:
                mentions.append(_mention(window, *hit))
                used = length
                break
        at += used
    for pattern, name in _PARAPHRASES:
        for match in pattern.finditer(text):
            mentions.append(_Mention(METRICS[name], match.start(), match.end(), 3, True))
    return mentions


def _mention(window: list[Word], metric: Metric, weak: bool) -> _Mention:
    values = [word.value for word in window if word.value is not None]
    named = metric.with_parameter(values[0]) if values else metric
    weak = weak and not (values and metric.parameter_kind)
    return _Mention(named, window[0].start, window[-1].end, len(window), weak)


def _blended(text: str, mentions: list[_Mention]) -> set[_Mention]:
    """The mentions that a text makes one score of: "the average of RMSE and R2"."""
    blended: set[_Mention] = set()
    for one, other in pairwise(mentions):
        if one.metric.base == other.metric.base or other.start - one.end > 80:
            continue
        joined = _JOINED.fullmatch(text, one.end, other.start)
        if joined and _MADE_OF.search(text[max(0, one.start - 40) : one.start]):
            blended |= {one, other}
    return blended


def _turned(text: str, mention: _Mention) -> Metric:
    """The special metric that the sentence makes of the mentioned one, or the mentioned one."""
    metric = mention.metric
    for turn in _TURNS:
        if turn.base != metric.base:
            continue
        if turn.pattern.search(text, max(0, mention.start - turn.before), mention.end + turn.after):
            return METRICS[turn.into]
    return metric


def _specific_first(found: list[Detected]) -> list[Detected]:
    """Move a special metric before the general one that it refines, when both stand in talk about scoring."""
    top = found[0]
    for each in found[1:]:
        if top.metric.base in _ancestors(each.metric) and each.weight >= top.weight - _SPECIFIC_MARGIN:
            return [each, *(other for other in found if other is not each)]
    return found


def _ancestors(metric: Metric) -> set[str]:
    """The bases of the more general metrics that a metric refines."""
    names: set[str] = set()
    while metric.refines is not None and metric.refines not in names:
        names.add(metric.refines)
        metric = METRICS[metric.refines]
    return names


def _only_one(text: str, mentions: list[_Mention]) -> list[Detected]:
    """The metric of a text that does not speak of scoring, when it names only one."""
    general = {name for mention in mentions for name in _ancestors(mention.metric)}
    left = [mention for mention in mentions if mention.metric.base not in general]
    if len(left) != 1:
        return []
    return [Detected(_turned(text, left[0]), _evidence(text, left[0]), 1.0)]


def _evidence(text: str, mention: _Mention) -> str:
    """The words around a mention, cut at whole words."""
    start, end = max(0, mention.start - 70), min(len(text), mention.end + 50)
    piece = text[start:end]
    if start > 0:
        piece = piece[piece.find(" ") + 1 :] if " " in piece[: mention.start - start] else piece
    if end < len(text) and " " in piece[-50:]:
        piece = piece[: piece.rfind(" ")]
    return " ".join(piece.split())
