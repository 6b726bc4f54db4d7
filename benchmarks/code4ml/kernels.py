"""Writes the cells of one made kernel: Python as Kaggle's notebooks have it, with every sort of dirt."""

import bisect
import re
import string
from dataclasses import dataclass, field
from functools import cache

from benchmarks.code4ml.author import DRAWS, GRAMMAR, Author, World
from benchmarks.code4ml.grammar import Draw, Voice, fill

LONGEST_CELL = 52_000
"""Characters; the longest of the labelled sample of Code4ML has 52,855."""

_MEDIAN_LOG, _SPREAD_LOG = 4.48, 1.43
_LEAST_LENGTH = 8.0
_HUGE_SHARE = 0.0023
_LEAST_ROOM, _SHORTEST_LINE = 14.0, 6.0

_STAGES = (
    *("import", "read", "look", "plot", "clean", "encode", "feature", "function"),
    *("split", "model", "tune", "validate", "importance", "blend", "submit"),
)
_WEIGHTS: dict[str, list[float]] = {
    "tabular": [0.8, 1, 5, 5, 3, 2, 4, 0.8, 0.7, 3.5, 1, 1, 0.6, 0.8, 0.8],
    "text": [0.8, 1, 5, 2, 3, 0.5, 3, 0.8, 0.5, 4, 0.4, 0.6, 0, 0.8, 0.8],
    "image": [0.8, 1, 4, 1.5, 0, 0, 3, 0.8, 0.3, 6, 0, 0, 0, 0.8, 0.8],
    "series": [0.8, 1, 5, 4, 2, 1, 5, 0.8, 0.5, 3, 0.7, 0.7, 0.4, 0.8, 0.8],
    "audio": [0.8, 1, 4, 1, 0, 0, 3, 0.8, 0.3, 4, 0, 0, 0, 0.8, 0.8],
}
_ONLY = {"image": ("look", "model", "feature"), "audio": ("look", "feature")}
"""Stages whose cells are of this kind only; elsewhere what is said of tables is said too."""
_SHORTEST_WITH_ALL = 4


@dataclass
class Kernel:
    """The cells of a kernel, in order. flaw: python2, broken, r, empty, short or "" for none."""

    cells: list[str]
    flaw: str = ""
    magics: int = 0

    def lines(self) -> frozenset[str]:
        """Its distinct lines of code, without the white space at their ends."""
        return frozenset(line for text in self.cells for raw in text.splitlines() if (line := raw.strip()))


@dataclass
class Fillers:
    """Alternatives of a stage, shortest first, with the length that each usually has."""

    alternatives: list[tuple[str, tuple[Draw, ...]]] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)

    def near(self, voice: Voice, room: float) -> tuple[str, tuple[Draw, ...]] | None:
        """One that fits the room and is not much too small for it; None when none fits."""
        end = bisect.bisect_right(self.lengths, room)
        if not end:
            return None
        start = min(bisect.bisect_left(self.lengths, room * 0.3), end - max(end // 4, 1))
        return self.alternatives[start + int(voice.random() * (end - start))]


@cache
def stage_of(kind: str, stage: str) -> Fillers:
    """The alternatives of a stage for a kind of data."""
    author = Author(0, sample_world(kind))
    names = [f"{stage}.{kind}"] if stage in _ONLY.get(kind, ()) else [stage, f"{stage}.{kind}"]
    sections = [GRAMMAR.sections[name] for name in [*names, "tiny"] if name in GRAMMAR.sections]
    rated = [
        (sum(len(fill(each, author)) for _ in range(6)) / 6, number, each)
        for number, each in enumerate(each for section in sections for each in section.alternatives)
    ]
    rated.sort(key=lambda item: item[:2])
    return Fillers([each for _, _, each in rated], [length for length, _, _ in rated])


def sample_world(kind: str) -> World:
    """A competition to measure the grammar with."""
    numbers, categories = ("price", "weight_kg"), ("colour",)
    return World("some-slug", kind, "AUC", False, numbers, categories, "target", "id", "text", "date")


def cell(author: Author, fillers: Fillers, first: str, length: float) -> str:
    """A cell of about that many characters; it begins with `first` unless that is empty."""
    parts = [first] if first else []
    if not first and length > 60 and author.random() < 0.3:
        parts.append("# " + DRAWS["comment"](author))
    room = length - sum(len(part) for part in parts)
    while not parts or room > max(_LEAST_ROOM, 0.1 * length):
        chosen = fillers.near(author, max(room * 1.2, _SHORTEST_LINE))
        if chosen is None:
            break
        parts.append(fill(chosen, author))
        room -= len(parts[-1]) + 1
    if not parts:
        parts.append(author.names["train"])
    gap = "\n\n" if author.random() < 0.25 else "\n"
    return gap.join(parts)


def _filled(author: Author, stage: str) -> str:
    return cell(author, stage_of(author.world.kind, stage), "", _length(author))


def _length(author: Author) -> float:
    return min(_LEAST_LENGTH + author.rng.lognormvariate(_MEDIAN_LOG, _SPREAD_LOG), 9000.0)


def write(seed: int, world: World, cells: int, flaw: str = "", explores: bool = False) -> Kernel:
    """A kernel of about that many cells; equal arguments, equal kernel. `explores`: it fits no model."""
    author = Author(seed, world)
    if flaw == "empty":
        return Kernel(["", " \n"][: int(author.random() * 3)], flaw)
    if flaw == "short":
        return Kernel([GRAMMAR.draw("very_short", author) for _ in range(1 + int(author.random() * 2))], flaw)
    if flaw == "r":
        return Kernel(_in_r(author, cells), flaw)
    kernel = Kernel(_in_python(author, cells, explores), flaw)
    _habits(author, kernel)
    if flaw == "python2":
        _to_python2(author, kernel)
    elif flaw == "broken":
        kernel.cells.insert(place(author, kernel), GRAMMAR.draw("broken", author))
    return kernel


def place(author: Voice, kernel: Kernel) -> int:
    """A random place for one more cell."""
    return int(author.random() * (len(kernel.cells) + 1))


def _in_python(author: Author, count: int, explores: bool) -> list[str]:
    kind = author.world.kind
    core = ["import", "read"] if explores else ["import", "read", "split", "model", "submit"]
    if kind in ("image", "audio", "text") and "split" in core:
        core.remove("split")
    if count < len(core) or count < _SHORTEST_WITH_ALL:
        pieces = [_first(author, stage) for stage in core]
        extra = [_filled(author, stage) for stage in ("look", "feature", "model")]
        pieces = [*pieces[:2], *extra[: int(author.random() * 4)], *pieces[2:]]
        size = -(-len(pieces) // count)
        return ["\n\n".join(pieces[at : at + size]) for at in range(0, len(pieces), size)]
    last = _STAGES.index("function") if explores else len(_STAGES)
    more = author.rng.choices(range(last), _WEIGHTS[kind][:last], k=count - len(core))
    cells: list[str] = []
    counts = [0] * len(_STAGES)
    for stage in more:
        counts[stage] += 1
    for number, stage in enumerate(_STAGES):
        if stage in core:
            first = _first(author, stage)
            length = _length(author) if author.random() < 0.2 else 0
            cells.append(cell(author, stage_of(kind, stage), first, length))
        for _ in range(counts[number]):
            huge = author.random() < _HUGE_SHARE
            cells.append(_huge(author) if huge else _filled(author, stage))
    return cells


def _first(author: Author, stage: str) -> str:
    """What a kernel has to have of a stage."""
    kind, sections = author.world.kind, GRAMMAR.sections
    if stage == "model":
        own = sections.get(f"first.model.{author.family}")
        general = f"make.{author.family}" in sections
        general = general and (own is None or author.random() < 0.5)
        return sections["first.model" if general else f"first.model.{author.family}"](author)
    return (sections.get(f"first.{stage}.{kind}") or sections[f"first.{stage}"])(author)


def _habits(author: Author, kernel: Kernel) -> None:
    """Magics, shell and help lines, empty cells, line ends: what notebooks have and scripts do not."""
    cells, draw = kernel.cells, author.random
    if draw() < 0.35:
        cells[0] = f"{cells[0]}\n%matplotlib inline" if draw() < 0.5 else f"%matplotlib inline\n{cells[0]}"
        kernel.magics += 1
    for chance, section in ((0.12, "magic"), (0.06, "magic"), (0.03, "help")):
        if draw() < chance:
            cells.insert(place(author, kernel), GRAMMAR.draw(section, author))
            kernel.magics += 1
    while draw() < 0.08:
        at = int(draw() * len(cells))
        if not cells[at].startswith("%%"):
            cells[at] = f"{GRAMMAR.draw('cell_magic', author)}\n{cells[at]}"
            kernel.magics += 1
    if draw() < 0.015:
        cells.insert(place(author, kernel), GRAMMAR.draw("foreign_cell", author))
        kernel.magics += 1
    while draw() < 0.05:
        cells.insert(place(author, kernel), author.pick(("", "\n", " ")))
    for at in range(len(cells)):
        if (chance := draw()) < 0.07:
            cells[at] += "\n" if chance < 0.05 else "  " if chance < 0.06 else "\n\n\n"
    if draw() < 0.004:
        kernel.cells = [text.replace("\n", "\r\n") for text in cells]


def _huge(author: Author) -> str:
    """A cell that is one literal: weights, a mapping, encoded bytes, a list of ids."""
    length = min(author.rng.lognormvariate(8.9, 0.9), LONGEST_CELL - 100.0)
    name = GRAMMAR.draw("var", author)
    shape = int(author.random() * 4)
    count = int(length / (8, 20, 1, 12)[shape])
    if shape == 0:
        numbers = [f"{author.random():.4f}" for _ in range(count)]
        return f"{name} = [{', '.join(numbers)}]"
    word = GRAMMAR.sections["word"]
    if shape == 1:
        pairs = [f"'{word(author)}_{number}': {int(author.random() * 99)}" for number in range(count)]
        return f"{name} = {{{', '.join(pairs)}}}"
    if shape == 2:
        digits = author.rng.choices(string.ascii_letters + string.digits + "+/", k=count)
        return f'{name} = base64.b64decode("{"".join(digits)}")'
    rows = [f'    "{word(author)}, {word(author)}",' for _ in range(count // 2)]
    return "\n".join([f"{name} = [", *rows, "]"])


_PRINT = re.compile(r"^([ \t]*)print\((.*)\)$", re.MULTILINE)


def _to_python2(author: Author, kernel: Kernel) -> None:
    kernel.cells = [_PRINT.sub(r"\1print \2", text) for text in kernel.cells]
    kernel.cells.insert(place(author, kernel), GRAMMAR.draw("python2", author))


def _in_r(author: Author, count: int) -> list[str]:
    sections = GRAMMAR.sections
    middle = [
        "\n".join(sections["r"](author) for _ in range(1 + int(author.random() ** 3 * 8)))
        for _ in range(max(count - 3, 1))
    ]
    ends = [sections["r.model"](author), sections["r.submit"](author)]
    return [sections["r.first"](author), *middle, *ends]
