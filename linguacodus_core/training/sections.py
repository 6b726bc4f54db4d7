"""The form of an instruction: its three sections, found whatever marks a model puts around their headings."""

import re
from dataclasses import dataclass
from typing import Final

from linguacodus_core.extraction.fields import HEADINGS

FEWEST_WORDS: Final = 2
"""Words that a section needs to say anything."""

_HEADS: Final = {
    "preprocessing": r"(?:data )?pre-?processing(?: (?:and|&) feature engineering| steps?| of the data)?|"
    r"data preparation|data cleaning(?: and (?:preparation|preprocessing))?",
    "architecture": r"model(?:l?ing)? architectures?|architecture(?: of the model)?|model (?:selection|"
    r"choice|design)|models?",
    "training": r"(?:model )?training(?: and (?:validation|evaluation|prediction))?(?: procedure| process|"
    r" strategy| setup)?|training of the model",
}
_MARKS: Final = (
    r"[ \t>#*_`~|\-\u2013\u2014\u2022\u00b7]{0,16}"
    r"(?:(?:step |section |part )?\(?(?:\d{1,2}|[ivx]{1,4}|[a-c])[.):][ \t]{0,4})?[ \t*_`\"]{0,8}"
)
_AFTER: Final = (
    r"[*_`\"]{0,4}[ \t]{0,4}(?:[:\uff1a][ \t]{0,4}[*_`\"]{0,4}|[\u2013\u2014][ \t]|-[ \t]|(?=\n|\Z)|[*_`]{2})"
)
_OWN_LINE: Final = {
    name: re.compile(rf"(?:\A|\n){_MARKS}(?:{head})(?: ?\([^)\n]{{0,40}}\))?{_AFTER}", re.IGNORECASE)
    for name, head in _HEADS.items()
}
_WITHIN: Final = {
    name: re.compile(
        rf"(?:(?<=[.!?])|(?<=\*\*))\s{{0,4}}[*_]{{0,4}}{heading}[*_]{{0,4}}:[*_]{{0,4}}", re.IGNORECASE
    )
    for name, heading in zip(_HEADS, HEADINGS, strict=True)
}


@dataclass(frozen=True)
class Sections:
    """What stands under each heading; None where there is no such heading.

    before: what stands before the first heading.
    """

    preprocessing: str | None = None
    architecture: str | None = None
    training: str | None = None
    before: str = ""

    @property
    def texts(self) -> tuple[str | None, str | None, str | None]:
        """The three texts in the order in which an instruction has them."""
        return self.preprocessing, self.architecture, self.training


def sections_of(text: str) -> Sections:
    """The sections of an instruction, by headings on a line of their own ("**2. Model Architecture**"), at
    a line's beginning ("Model architecture: ...") or, written out with a colon, within a paragraph.

    Of a heading that comes twice, what stands under both counts.
    """
    found = sorted(
        (hit.start(), hit.end(), name)
        for patterns in (_OWN_LINE, _WITHIN)
        for name, pattern in patterns.items()
        for hit in pattern.finditer(text)
    )
    heads: list[tuple[int, int, str]] = []
    for start, end, name in found:
        if not heads or start >= heads[-1][1]:
            heads.append((start, end, name))
    parts: dict[str, str] = {}
    for number, (_, end, name) in enumerate(heads):
        stop = heads[number + 1][0] if number + 1 < len(heads) else len(text)
        parts[name] = f"{parts.get(name, '')}\n{text[end:stop]}".strip()
    return Sections(**parts, before=(text[: heads[0][0]] if heads else text).strip())


def flaws_of(text: str, cut: bool = False) -> tuple[str, ...]:
    """What an instruction lacks of its form; empty for a whole one.

    cut: whether the model was stopped by its limit before it ended by itself.
    """
    flaws = [
        f"no section {heading}" if part is None else f"next to nothing under {heading}"
        for heading, part in zip(HEADINGS, sections_of(text).texts, strict=True)
        if part is None or len(re.findall(r"\w+", part)) < FEWEST_WORDS
    ]
    if cut:
        flaws.append("cut before its end")
    return tuple(flaws)
