"""Reads grammar.txt: text with gaps, compiled so that drawing an alternative costs microseconds."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

_HEADING = re.compile(r"== (words|lines|blocks) (\S+)")
_GAP = re.compile(
    r"<(?:=(?P<again>\w+)"
    r"|(?:(?P<keep>\w+)=)?(?:(?P<low>-?[\d.]+?)\.\.(?P<high>-?[\d.]+)(?:/(?P<step>\d+))?"
    r"|(?P<name>[A-Za-z][\w.]*)(?:\*(?P<least>\d+)-(?P<most>\d+)\|(?P<between>[^>]*))?))>"
)


class Voice:
    """What drawing needs: the random numbers, the kernel's own names, and what was drawn to be repeated."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.random = self.rng.random
        self.kept: dict[str, str] = {}

    def pick(self, choices: Sequence[str]) -> str:
        """One of them at random."""
        return choices[int(self.random() * len(choices))]


_SEPARATORS = {"lines": "\n", "blocks": "\n--\n"}
Draw = Callable[..., str]
"""From a Voice to text; which class of voice is for who gives the draws of a grammar."""


class Section:
    """Alternatives under one name; a call draws one."""

    def __init__(self) -> None:
        self.raw: list[str] = []
        self.alternatives: list[tuple[str, tuple[Draw, ...]]] = []

    def __call__(self, voice: Voice) -> str:
        """A random alternative with its gaps filled."""
        return fill(self.alternatives[int(voice.random() * len(self.alternatives))], voice)


def fill(alternative: tuple[str, tuple[Draw, ...]], voice: Voice) -> str:
    """An alternative with its gaps filled, from left to right."""
    text, draws = alternative
    return text % tuple([draw(voice) for draw in draws]) if draws else text


class Grammar:
    """The sections of the text, with `draws` for the gaps that no section fills."""

    def __init__(self, text: str, draws: Mapping[str, Draw]) -> None:
        self.sections: dict[str, Section] = {}
        self._draws = draws
        for kind, name, body in _parts(text):
            section = self.sections.setdefault(name, Section())
            section.raw += body.split() if kind == "words" else _cut(body, _SEPARATORS[kind])
        for section in self.sections.values():
            section.alternatives = [self._compiled(raw) for raw in section.raw]

    def draw(self, name: str, voice: Voice) -> str:
        """A random alternative of a section; KeyError for an unknown name."""
        return self.sections[name](voice)

    def _compiled(self, raw: str) -> tuple[str, tuple[Draw, ...]]:
        draws: list[Draw] = []
        text, end = "", 0
        for gap in _GAP.finditer(raw):
            text += raw[end : gap.start()].replace("%", "%%") + "%s"
            end = gap.end()
            draws.append(self._gap(gap))
        return (text + raw[end:].replace("%", "%%"), tuple(draws)) if draws else (raw, ())

    def _gap(self, gap: re.Match[str]) -> Draw:
        if again := gap["again"]:
            return lambda voice: voice.kept[again]  # type: ignore[no-any-return]
        if gap["low"]:
            draw = _number(gap["low"], gap["high"], int(gap["step"] or 1))
        elif gap["least"]:
            between = gap["between"].replace("\\n", "\n")
            draw = _several(self.sections[gap["name"]], int(gap["least"]), int(gap["most"]), between)
        else:
            draw = self._draws.get(gap["name"]) or self.sections[gap["name"]]
        return _keeping(draw, gap["keep"]) if gap["keep"] else draw


def _parts(text: str) -> list[tuple[str, str, str]]:
    """(kind, name, body) of each heading."""
    found: list[tuple[str, str, list[str]]] = []
    for line in text.splitlines():
        if heading := _HEADING.fullmatch(line):
            found.append((heading[1], heading[2], []))
        elif found:
            found[-1][2].append(line)
    return [(kind, name, "\n".join(lines)) for kind, name, lines in found]


def _cut(body: str, separator: str) -> list[str]:
    return [part for each in body.split(separator) if (part := each.strip("\n"))]


def _number(low: str, high: str, step: int) -> Draw:
    places = len(low.partition(".")[2])
    if places:
        start, width, shape = float(low), float(high) - float(low), f"%.{places}f"
        return lambda voice: shape % (start + voice.random() * width)
    first, count = int(low), (int(high) - int(low)) // step + 1
    return lambda voice: str(first + step * int(voice.random() * count))


def _several(section: Section, least: int, most: int, between: str) -> Draw:
    def draw(voice: Voice) -> str:
        count = least + int(voice.random() * (most - least + 1))
        if len(section.alternatives) == 1:
            return between.join([section(voice) for _ in range(count)])
        chosen = voice.rng.sample(section.alternatives, min(count, len(section.alternatives)))
        return between.join([fill(each, voice) for each in chosen])

    return draw


def _keeping(draw: Draw, name: str) -> Draw:
    def kept(voice: Voice) -> str:
        voice.kept[name] = text = draw(voice)
        return text

    return kept
