"""Metric names and descriptions as comparable words: the folding that `table` and `detect` share."""

import re
import unicodedata
from typing import NamedTuple

_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(
    rf"(?P<possessive>['\u2019]s\b)|(?P<asian>[{_EAST_ASIAN}])|(?P<word>[^\W_{_EAST_ASIAN}]+(?:(?<=\d)\.\d+)?)|(?P<at>@)"
)
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")
_BARRIER = re.compile(r"[.!?](?=\s)|[,;:()|\u3002\uff0c\uff1a\uff1b\u3001]|\n[ \t]*\n|\n[ \t]*[-*#\u2022]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_F_NUMBER = re.compile(r"f(\d(?:\.\d+)?)")

_DROPPED = frozenset({"the", "a", "an", "score", "scores", "metric", "coefficient", "coefficients"})
_FOLDED = {
    "square": "squared",
    "squares": "squared",
    "sq": "squared",
    "logarithmic": "log",
    "logarithm": "log",
    "logarithms": "log",
    "logs": "log",
    "logged": "log",
    "normalised": "normalized",
    "averaged": "average",
    "averaging": "average",
    "errors": "error",
    "losses": "loss",
    "aucs": "auc",
    "curves": "curve",
    "characteristics": "characteristic",
    "correlations": "correlation",
    "deviations": "deviation",
    "differences": "difference",
    "categorisation": "categorization",
    "accuracies": "accuracy",
    "absolut": "absolute",
    "classes": "class",
    "colwise": "columnwise",
    "columns": "column",
}
_MERGED = {
    ("multi", "class"): "multiclass",
    ("multi", "label"): "multilabel",
    ("multi", "log"): "multilog",
    ("column", "wise"): "columnwise",
    ("sample", "wise"): "samplewise",
    ("micro", "average"): "micro",
    ("macro", "average"): "macro",
    ("log", "transformed"): "log",
    ("natural", "log"): "log",
    ("f", "beta"): "fbeta",
    ("r", "2"): "r2",
    ("r", "squared"): "r2",
    ("cohen", "s"): "cohen",
}
_LARGEST_BETA = 5.0


class Word(NamedTuple):
    """A folded word, where it stands in the text, and its number (a cut-off, a beta) if it has one.

    `breaks`: a sentence, bracket, list or paragraph boundary lies between it and the word before.
    """

    text: str
    start: int
    end: int
    value: float | None = None
    breaks: bool = False


def fold_words(text: str) -> list[Word]:
    """The words of a text, folded: case, width, hyphens, "squared"/"square", "@{5}" -> "@k" with value 5."""
    raw: list[Word] = []
    last = 0
    for match in _WORD.finditer(text):
        if match.lastgroup == "possessive":
            last = match.end()
            continue
        start = match.start()
        breaks = _BARRIER.search(text, last, min(start + 1, len(text))) is not None if start > last else False
        last = match.end()
        whole = match.group()
        if len(whole) > 60:
            raw.append(Word("\N{HORIZONTAL ELLIPSIS}", start, last, None, True))
            continue
        for part in _CAMEL.split(whole):
            folded = unicodedata.normalize("NFKC", part).lower()
            raw.append(Word(_FOLDED.get(folded, folded), start, start + len(part), None, breaks))
            start += len(part)
            breaks = False
    return _merge(raw)


def _merge(raw: list[Word]) -> list[Word]:
    """Join the pairs that are one word ("multi class", "f 1", "@ 5") and leave out filler words."""
    words: list[Word] = []
    pending_break = False
    at = 0
    while at < len(raw):
        word = raw[at]
        following = raw[at + 1] if at + 1 < len(raw) and not raw[at + 1].breaks else None
        joined, used = _joined(word, following)
        at += used
        if joined.text in _DROPPED:
            pending_break = pending_break or joined.breaks
            continue
        if pending_break and not joined.breaks:
            joined = Word(joined.text, joined.start, joined.end, joined.value, True)
        pending_break = False
        # "micro averaged" and "multi class" may stand on either side of a word just merged.
        if words and not joined.breaks and (pair := _MERGED.get((words[-1].text, joined.text))):
            before = words.pop()
            joined = Word(pair, before.start, joined.end, None, before.breaks)
        words.append(joined)
    return words


def _joined(word: Word, following: Word | None) -> tuple[Word, int]:
    """The word, or the word made of it and the following one, and how many were used."""
    if following is not None:
        if word.text in {"@", "at"} and (following.text == "k" or _NUMBER.fullmatch(following.text)):
            value = None if following.text == "k" else float(following.text)
            return Word("@k", word.start, following.end, value, word.breaks), 2
        if word.text == "top" and (following.text in {"k", "n"} or _NUMBER.fullmatch(following.text)):
            value = None if following.text in {"k", "n"} else float(following.text)
            return Word("topk", word.start, following.end, value, word.breaks), 2
        if word.text == "f" and _NUMBER.fullmatch(following.text) and float(following.text) <= _LARGEST_BETA:
            return _f_word(float(following.text), word.start, following.end, word.breaks), 2
    if numbered := _F_NUMBER.fullmatch(word.text):
        value = float(numbered.group(1))
        if value <= _LARGEST_BETA:
            return _f_word(value, word.start, word.end, word.breaks), 1
    return word, 1


def _f_word(beta: float, start: int, end: int, breaks: bool) -> Word:
    return Word("f1", start, end, None, breaks) if beta == 1.0 else Word("fbeta", start, end, beta, breaks)
