"""What an instruction decides: the main family of models, and the way of validation, read from its prose."""

import re
from collections.abc import Sequence
from typing import Final

from linguacodus_core.extraction.claims import claims_in
from linguacodus_core.extraction.vocabulary import VALIDATIONS
from linguacodus_core.training.mentions import Mention, mentions_of
from linguacodus_core.training.sections import sections_of

_FLAGS: Final = re.IGNORECASE
_ABOVE: Final = re.compile(
    r"\b(above them|on top of them|as (the |a |its )?(meta|final|second|top)[-\s]?\w*|(is|"
    r"as) (the )?meta[-\s]?\w+)", _FLAGS
)  # fmt: skip
_META: Final = re.compile(r"\bmeta[-\s]?(learner|model|estimator|classifier|regressor)\b", _FLAGS)
_ENSEMBLE: Final = re.compile(r"\b(stack\w*|voting|blend\w*|ensembl\w*|averag\w*)\b", _FLAGS)
_TOLD: Final = re.compile(r"\A\W*The (?=[\w\s,-]{3,90}? has\b)")
_CHOSEN: Final = re.compile(
    r"\b(final(ly)?|best(?! (practice|param|iteration))|main|primary|chosen|choose|chose|select(ed)?|"
    r"settled on|core|winning|outperform\w*)\b[^.;]{0,60}$", _FLAGS
)  # fmt: skip
_SIDE: Final = re.compile(
    r"\b(also (used|fitted|tried|trained)|compared (with|to)|features? come from|baselines?|tried|"
    r"experiment\w*|alternatives?|considered|evaluated|tested|other models)\b", _FLAGS
)  # fmt: skip
_NO_MAIN: Final = frozenset({"clustering", "rule_based"})
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+(?=[\"'(*_A-Z0-9-])|\n+")


def family_of(text: str) -> str | None:
    """The main model family (of FAMILIES) of an instruction, None where its prose names none.

    It is the one that the section on the architecture names first, unless the section says of another that
    it is the final one, or puts it above the others of a stack. Without such a section, or a model in it,
    the whole text is read.
    """
    architecture = sections_of(text).architecture
    return (_main(architecture) if architecture else None) or _main(text)


def _main(text: str) -> str | None:
    sentences = [part for part in _SENTENCE.split(text) if part.strip()]
    named = [(sentence, mentions_of(sentence)) for sentence in sentences]
    fitted = [
        (sentence, models)
        for sentence, found in named
        if (models := [mention for mention in found if mention.family not in _NO_MAIN])
    ]
    if not fitted:
        return next((mention.family for _, found in named for mention in found), None)
    for sentence, models in fitted:
        if chosen := _above(sentence, models):
            return chosen
    if chosen := _final(fitted):
        return chosen
    if len({mention.family for mention in fitted[0][1]}) > 1 and _ENSEMBLE.search(fitted[0][0]):
        told = [models for sentence, models in fitted[1:] if _TOLD.match(sentence)]
        if told:
            return told[0][0].family
    return fitted[0][1][0].family


def _above(sentence: str, models: Sequence[Mention]) -> str | None:
    """The model that a stack ends in."""
    if len(models) < 2:
        return None
    if mark := _ABOVE.search(sentence):
        before = [mention for mention in models if mention.end <= mark.start()]
        return before[-1].family if before else None
    if mark := _META.search(sentence):
        near = [mention for mention in models if abs(mention.start - mark.end()) < 40]
        return min(near, key=lambda mention: _apart(mention, mark)).family if near else None
    return None


def _apart(mention: Mention, mark: re.Match[str]) -> int:
    return min(abs(mention.start - mark.end()), abs(mark.start() - mention.end))


def _final(fitted: Sequence[tuple[str, Sequence[Mention]]]) -> str | None:
    """The model that the text calls the final, best or chosen one, where it names several."""
    if len({mention.family for _, models in fitted for mention in models}) < 2:
        return None
    for sentence, models in fitted:
        for mention in models:
            cue = _CHOSEN.search(sentence[: mention.start])
            if cue and not _SIDE.search(sentence[cue.start() : mention.start]):
                return mention.family
    return None


_SEARCH: Final = re.compile(
    r"\b(grid|random(i[sz]ed)?|bayesian)[-\s]?search\w*|\b(gridsearchcv|optuna|hyperopt)\b|"
    r"hyper-?param\w*[^.]{0,80}\b(tuned|optimi[sz]ed|chosen|searched|selected)|penalty is chosen", _FLAGS
)  # fmt: skip
_MORE_SCHEMES: Final = (
    ("group_kfold", r"\bfolds?\b[^.]{0,40}\b(by|per|on) (group|patient|user|subject|customer|session|well|"
     r"game|id)\b|same (group|patient|user|subject|customer)\w* (never|not|do(es)? not|stays?|in one fold)"),
    ("group_kfold", r"with groups kept together"),
    ("stratified_kfold", r"\bstratified (by \w+ )?(\w+ )?(k-?)?folds?|\bfolds?\b[^.]{0,30}\bstratified|"
     r"stratified (\d+|\w+)[-\s]?fold|\bstratified cv\b"),
    ("time_split", r"\b(last|latest|most recent|final) (\d+|\w+) ?(%|percent)? ?(of the (rows|data) |rows |"
     r"days?|weeks?|months?|years?|periods?|hours?)[^.]{0,40}\b(held|valid|hold)|latest rows|\b(expanding|"
     r"rolling|sliding)[-\s]window|\bwalk-?forward|\btime[-\s]based\b[^.]{0,20}(split|valid|hold|cv|fold)|"
     r"\btemporal(ly)?\b[^.]{0,20}(split|valid|hold)|chronological|\btime[-\s]?series[-\s](split|cross|cv)|"
     r"back-?test\w*|successive periods|without shuffling"),
    ("kfold", r"\bout[-\s]of[-\s]fold\b|\boof\b|\b(\d+|k|two|three|five|ten)[-\s]folds?\b|"
     r"\bcross[-\s]?valid\w*|\bk-?folds?\b|\bcv\b(?! ?[=:])"),
    ("holdout", r"\bheld?[-\s]?(back|out)\b|\bhold-?outs?\b|\b\d{2} ?[/:-] ?\d{2}\b[^.]{0,30}(split|train|"
     r"ratio)|(split|ratio|divided)\b[^.]{0,60}\b\d{2} ?[/:] ?\d{2}\b|\bvalidation[_\s](set|split|data|"
     r"subset|part|portion|samples?|files?)\b|\btest_size\b|\b\d+ ?(%|percent)[^.]{0,40}\b(validation|"
     r"evaluation|held|hold)|\bsplit\b[^.]{0,50}\b(train\w*)\b[^.]{0,30}\b(valid\w*|test\w*)"),
)  # fmt: skip
_MORE_PATTERNS: Final = tuple((name, re.compile(pattern, _FLAGS)) for name, pattern in _MORE_SCHEMES)
_WEAK: Final = re.compile(
    r"\bvalidation (loss|score|accuracy|error|metric|auc|rmse|performance|mae)\b|\bon the validation\b",
    _FLAGS,
)
_NOTHING: Final = re.compile(
    r"(nothing is (held|fitted)|\bno (separate |explicit )?(validation|hold-?out|cross[-\s]?validation|"
    r"held[-\s]out)|without (a |any )?(separate )?(validation|cross[-\s]?validation|hold-?out)|"
    r"fitted on all (training )?(rows|data)|\bnot (cross[-\s]?)?validated|\b(entire|whole|full|"
    r"all) (of the )?training (data|set|rows)[^.]{0,30}(no|without) )[^,;.]*", _FLAGS
)  # fmt: skip
_RANK: Final = (
    "nested", "stratified_group_kfold", "repeated_kfold", "group_kfold", "leave_one_out", "time_split",
    "stratified_kfold", "kfold", "holdout",
)  # fmt: skip
assert set(_RANK) | {"none"} == set(VALIDATIONS)


def validation_of(text: str) -> str:
    """The way of validation (of VALIDATIONS) that an instruction's prose decides on, "none" without one.

    The section on training is read first, then the whole text. What evaluates the model stands before the
    folds of a search for hyper-parameters, folds before a hold-out.
    """
    training = sections_of(text).training
    return (_scheme(training) if training else None) or _scheme(text) or "none"


def _scheme(text: str) -> str | None:
    evaluated: list[str] = []
    searched: list[str] = []
    weak = False
    for sentence in _SENTENCE.split(text):
        sentence = _NOTHING.sub(" ", sentence)
        schemes = list(claims_in(sentence).schemes)
        schemes += [name for name, pattern in _MORE_PATTERNS if pattern.search(sentence)]
        if {"group_kfold", "stratified_kfold"} <= {*schemes}:
            schemes.append("stratified_group_kfold")
        (searched if _SEARCH.search(sentence) else evaluated).extend(schemes)
        weak = weak or bool(_WEAK.search(sentence))
    for schemes in (evaluated, searched):
        if schemes:
            return min(schemes, key=_RANK.index)
    return "holdout" if weak else None
