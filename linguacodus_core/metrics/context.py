"""How much a mention of a metric says about scoring, by what stands around it in the description.

All patterns are bounded (no nested open repeats), so a text of 100,000 characters costs milliseconds.
"""

import bisect
import re

CREDIBLE = 3.0
"""A mention of at least this weight stands where the description speaks of scoring."""

_VERBS = r"(?:evaluated|scored|judged|assessed|measured|ranked|graded|rated|calculated|computed)"
_BY = r"(?:on|by|using|with|via|according\s+to|based\s+on|through|in\s+terms\s+of|as)"
# A phrase that the metric's name follows, in a dozen languages.
_PHRASE = re.compile(
    rf"\b{_VERBS}\s+(?:\w{{2,14}}\s+)?{_BY}\b"
    r"|\b(?:evaluation|scoring|competition|performance|quality|error|primary|official|success)\s+"
    r"(?:metric|measure|criteri(?:on|a)|function)s?\b"
    r"|\bmetrics?\s+(?:is|are|will\s+be|used|for|we|in\s+this)\b|\bmetrics?\s*:|\bevaluation\s*:|\bevaluated\b"
    r"|\bevaluates?\b|\bscor(?:e|ing)\s+(?:is|will\s+be|metric)\b|\bleaderboard\s+score\b|\bevaluation\s+of\b"
    r"|évalué|évaluation|métrique|mesurée?s?\s+par"
    r"|\bbewertet|bewertung|\bmetrik|\bgemessen|\bausgewertet"
    r"|\bmétrica|\bevalua|\bevaluación|\bavalia|\bvalutat|\bvalutazion|\bmetrica"
    r"|метрик|оценива|оценк|качеств|оцін"
    r"|评估|评价|评分|指标|評価|評估|評分|指標|평가|지표|\bdeğerlendir|\boceniane|\bbeoordeeld",
    re.IGNORECASE,
)
_PHRASE_REACH = 160
# The name comes first: "RMSE is the metric", "AUC will be used to rank submissions", "RMSE は評価指標".
_FOLLOWED = re.compile(
    r"\s{0,3}(?:\([^()]{0,60}\)\s{0,3})?[\"'*_`)\]]{0,4}\s{0,3}(?:score\s)?(?:is|was|will\sbe|are)\s{1,3}"
    r"(?:(?:used|chosen)\s+(?:as|to|for)\b.{0,40}?(?:metric|evaluat|scor|rank|measure|judge|assess)"
    r"|(?:the|our|an?)\s+(?:\w{1,20}\s+){0,2}(?:metric|measure|criterion))"
    r"|.{0,4}(?:で|を|に)?.{0,4}評価",
    re.IGNORECASE,
)
_HEADING_WORDS = (
    r"evaluations?|metrics?|scoring|judging|evaluierung|bewertung|évaluation|evaluación|avaliação|valutazione"
    r"|оценка|метрика|评估|评价指标|评测|評価|評価指標|평가"
)
_HEADING = re.compile(
    r"^[ \t>#*_\-=\d.]{0,40}(?:the\s+)?"
    r"(?:(?:competition|model|submission|scoring|evaluation|performance)\s+)?"
    rf"(?:{_HEADING_WORDS})(?:\s+(?:metrics?|criteria|criterion|method|metrik|measures?))?[ \t*_#:=]*$"
    r"|<h[1-6][^>]{0,80}>[^<]{0,20}(?:evaluation|metric|scoring)[^<]{0,30}</h[1-6]>",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_HEADING = re.compile(
    r"^[ \t>#*_\-]{0,40}(?:submission\s+(?:file|format|instructions?)|submissions?|dataset(?:\s+description)?"
    r"|data(?:\s+description|\s+fields)?|files?|timeline|prizes?|description|overview|rules|acknowledge?ments?"
    r"|citation|background|code\s+requirements)[ \t*_#:]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SECTION_REACH = 1500
_COMPOSITE_REACH = 700
_ASIDE = re.compile(
    r"(?:compared\s+(?:to|with)|unlike|instead\s+of|rather\s+than|in\s+contrast\s+to|\bnot|\bversus|\bvs\.?"
    r"|similar\s+to|equivalent\s+to|related\s+to|such\s+as|for\s+example|\be\.g\.|contrary\s+to|opposed\s+to"
    r"|inspired\s+by|same\s+as|than|\b1\s*[-\u2212]|reflect\s+both|commonly\s+used)(?:\s+\w{1,20}){0,2}\W{0,5}$",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"(?:modified|modification|variant|variation|adapted|adaptation|custom|extended|weighted|hierarchical"
    r"|generali[sz]ed|scaled|stratified|combination|combines?|balanced|pseudo|relative|normali[sz]ed"
    r"|penali[sz]ed|inverse|grouped)"
    r"(?:\s+(?:of|version|form|the|a|an|average|mean|sum)){0,5}[\s*_\"'(\[]{0,5}$",
    re.IGNORECASE,
)
_COMPOSITE = re.compile(
    r"(?:metric|score|evaluation)\s+(?:that\s+|which\s+|is\s+)?"
    r"(?:combines?|combining|a\s+combination\s+of|a\s+weighted\s+(?:sum|average|combination))"
    r"|newly\s+developed\s+metric|custom\s+(?:evaluation\s+)?metric",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:https?://|www\.)[^\s)]+|\]\([^)\s]{1,300}\)")
_SENTENCE_END = re.compile(r"[.!?]\s|\n\s*\n")


class Context:
    """Where in one description its talk about scoring stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._phrases = [match.end() for match in _PHRASE.finditer(text)]
        self._headings = [match.end() for match in _HEADING.finditer(text)]
        self._others = [match.start() for match in _OTHER_HEADING.finditer(text)]
        links = [match.span() for match in _LINK.finditer(text)]
        self._link_starts = [start for start, _ in links]
        self._link_ends = [end for _, end in links]
        self._composites = [match.start() for match in _COMPOSITE.finditer(text)]

    def changed(self, start: int) -> bool:
        """Whether the mention at `start` is of a changed metric ("modified F-score", "weighted ...")."""
        return _CHANGED.search(self._text[max(0, start - 70) : start]) is not None

    def composite(self, start: int) -> bool:
        """Whether the text says within reach of `start` that the metric is made of several."""
        return any(abs(start - each) <= _COMPOSITE_REACH for each in self._composites)

    def weight(self, start: int, end: int) -> float:
        """The weight of a mention from `start` to `end`: 0 is nothing, CREDIBLE is about scoring."""
        link = bisect.bisect_right(self._link_starts, start) - 1
        if link >= 0 and start < self._link_ends[link]:
            return 0.0
        if _ASIDE.search(self._text[max(0, start - 60) : start]):
            return 0.5
        weight = self._by_phrase(start) + self._by_heading(start)
        if _FOLLOWED.match(self._text, end):
            weight += 6.0
        return max(weight, 1.0)

    def _by_phrase(self, start: int) -> float:
        nearest = bisect.bisect_right(self._phrases, start) - 1
        if nearest < 0:
            return 0.0
        gap = start - self._phrases[nearest]
        if gap > _PHRASE_REACH:
            return 0.0
        weight = 6.0 * (1 - gap / _PHRASE_REACH)
        return weight * 0.6 if _SENTENCE_END.search(self._text, self._phrases[nearest], start) else weight

    def _by_heading(self, start: int) -> float:
        nearest = bisect.bisect_right(self._headings, start) - 1
        if nearest < 0:
            return 0.0
        heading = self._headings[nearest]
        if start - heading > _SECTION_REACH:
            return 0.0
        other = bisect.bisect_left(self._others, heading)
        if other < len(self._others) and self._others[other] < start:
            return 0.0
        return 3.5 - 2.0 * (start - heading) / _SECTION_REACH
