"""The score on Kaggle's leaderboard that a notebook states of itself, in its title, text or comments.

Rather none than a wrong one: a decimal number counts only beside words for the leaderboard or for the score
of a submission, and not in a sentence about somebody else's score, a wish or a range. Scores of
cross-validation, places, percentages and versions never count, nor do private scores: the others are public.
"""

import re
from collections.abc import Iterable, Iterator

_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d{0,7})\.\d{1,10}"
_SIGN = r"(?:(?<=[\s:=(\[|])-)?"
_STARTS = r"(?<!\d[-\u2013~\u2192])(?<!\d [-\u2013~\u2192] )"  # no end of a range
_ENDS = (
    r"(?![\d,]*\d)(?!\.\d)"  # no cut number, no version
    r"(?!\s?%|\s*percent)"
    r"(?!\s*(?:-|\u2013|~|\u2192|->|to|and)\s*\d*\.\d)"  # no range
)
_NUMBER = rf"(?<![\w.,/+]){_STARTS}(?P<value>{_SIGN}{_DECIMAL}){_ENDS}"
_GLUED = rf"(?<![\d.,/+]){_STARTS}(?P<value>{_SIGN}{_DECIMAL}){_ENDS}"
"""A number that may follow a word without a space, as in "LB0.584"."""
_BOARD = (
    r"(?:(?<![a-z])(?:lb|leader ?board)(?![a-z])|"
    r"(?:public|kaggle|submission|submisson)(?: lb| leader ?board)? scores?)"
)
_SIGNS = r"(?:[\s:=~\u2248|()\[\]]|-(?![\d.])|(?<=[a-z])-){0,6}"
_GAP = rf"{_SIGNS}(?:(?:score|is|was|of|at|to|about|around|approximately|now)\b{_SIGNS}){{0,3}}"
_METRIC = r"(?:\(?(?:rmsle|rmse|mae|auc|f1|accuracy)\)?)?"
_AFTER = re.compile(rf"(?<!cv/)(?<!cv-){_BOARD}{_GAP}{_METRIC}{_GAP}{_GLUED}")
_BEFORE = re.compile(
    rf"{_NUMBER}[\s)\]]{{0,3}}(?:accuracy |score ){{0,2}}"
    rf"(?:(?:on|in)(?: the)? (?:public |kaggle |kaggle's ){{0,2}})?\(?(?:public )?{_BOARD}"
)
_SUBMITTED = re.compile(
    r"\bsubmi(?:ssions?|t|ts|tted|tting)\b[^.!?]{0,60}?\b(?:scored|scores|score of|score is|score was|got)\b"
    rf"(?: me| us| about| around| a| of| is| was| score| public){{0,4}}{_SIGNS}{_NUMBER}"
)
_STATEMENTS = (_AFTER, _BEFORE, _SUBMITTED)
_TITLES = (
    re.compile(rf"\bscore{_GAP}{_GLUED}"),
    re.compile(rf"{_NUMBER}\s?score\b"),
    re.compile(r"(?<![\w.,-])(?P<value>\d{1,3}\.\d{5})(?![\d%.])"),
)
"""What counts in a title only; Kaggle shows scores with five decimals."""
_NOT_OWN = re.compile(
    r"kaggle\.com/|\b(?:between|benchmark|target\w*|expect\w*|aim\w*|goal|beat\w*|surpass\w*|exceed\w*|"
    r"hop(?:e|ing)|want|will|should|would|could|might|at least|threshold|previous\w*|original\w*|others?|"
    r"someone|another|worse\w*|winner\w*|by @\w+|title|gain|drop\w*|rang(?:e|es|ing)|within|"
    r"top score|best score in|private|local)\b|\u76ee\u6a19"
)
_NOT_BOARD = re.compile(r"\b(?:cv|oof|val|valid\w*|cross|train\w*|test|acc\w*|r2|ch\d+)\b")
_A_BOARD = re.compile(_BOARD)
_ANY_NUMBER = re.compile(r"\d*\.\d+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\u3002")
_MARKUP = re.compile(r"<[^>]{0,200}>|&nbsp;|[*`#>]+")
_GROUPED = re.compile(r"(?<=\d)_(?=\d)")
_LONGEST_LINE = 4_000
_MOST_NUMBERS = 2
"""Different decimal numbers in a sentence; one with more of them compares: all count, and disagree."""


def stated_score(title: str, cells: Iterable[tuple[str, str]]) -> float | None:
    """The public score that a notebook says it had, in the metric's unit; None where it says none.

    cells: kind ("code" or "markdown") and text; of code only comments (after `#`) count. What the title says
    wins; else all statements have to agree: a notebook with several scores tells of several submissions.
    """
    if (score := _in_title(title)) is not None:
        return score
    found = {value for kind, text in cells for value in _in_cell(kind, text)}
    return found.pop() if len(found) == 1 else None


def _in_title(title: str) -> float | None:
    text = _plain(title)
    found = set(_statements(text))
    if not found and not _NOT_BOARD.search(text) and not _NOT_OWN.search(text):
        found = {_value(match) for pattern in _TITLES for match in pattern.finditer(text)}
    return found.pop() if len(found) == 1 else None


def _in_cell(kind: str, text: str) -> Iterator[float]:
    lowered = text.lower()
    if not _promising(lowered):
        return
    for line in lowered.split("\n"):
        if kind == "code":
            _, mark, line = line.partition("#")
            if not mark or "print" in line or '"' in line:
                continue
        if "." in line and len(line) <= _LONGEST_LINE and _promising(line):
            yield from _statements(_plain(line))


def _promising(lowered: str) -> bool:
    return "score" in lowered or "lb" in lowered or "leader" in lowered


def _statements(text: str) -> Iterator[float]:
    for sentence in _SENTENCE.split(text):
        if _NOT_OWN.search(sentence):
            continue
        numbers = set(_ANY_NUMBER.findall(sentence))
        if len(numbers) > _MOST_NUMBERS and _A_BOARD.search(sentence):
            yield from map(float, numbers)
            continue
        for pattern in _STATEMENTS:
            yield from map(_value, pattern.finditer(sentence))


def _plain(text: str) -> str:
    return " ".join(_GROUPED.sub("", _MARKUP.sub("", text.lower())).replace("_", " ").split())


def _value(match: re.Match[str]) -> float:
    return float(match["value"].replace(",", ""))
