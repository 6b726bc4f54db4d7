"""Forks: copies of a kernel with a few lines changed, added or removed, as people make them."""

import re
from collections.abc import Callable, Sequence

from benchmarks.code4ml.author import DRAWS, Author, World
from benchmarks.code4ml.grammar import fill
from benchmarks.code4ml.kernels import Kernel, cell, place, stage_of

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_OPENS = re.compile(r"[,:(\[{\\]\s*(?:#.*)?$|\"\"\"|'''|^\s|^[%!?@)\]}]|^(?:else|elif|except|finally)\b")
_GOES_ON = re.compile(r"[\s)\]}]")
_WAITS = re.compile(r"[,(\[{\\]$")
_LINES_A_CHANGE = 10


def fork(seed: int, parent: Kernel, world: World, exact: bool) -> Kernel:
    """A copy of a kernel; unless exact, some lines are changed, added or removed and over 0.8 are shared.

    A kernel with too few lines to change one of them is copied exactly after all.
    """
    if exact:
        return Kernel(list(parent.cells), parent.flaw, parent.magics)
    author = Author(seed, world)
    before = parent.lines()
    edits = 1 + int(author.rng.expovariate(1 / 4.0))
    best = Kernel(list(parent.cells), parent.flaw, parent.magics)
    for _ in range(min(edits, len(before) // _LINES_A_CHANGE)):
        changed = Kernel(list(best.cells), best.flaw, best.magics)
        _EDITS[int(author.random() * len(_EDITS))](author, changed)
        if jaccard(before, changed.lines()) <= 0.8:
            break
        best = changed
    return best


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """The share of common lines."""
    return len(left & right) / max(len(left | right), 1)


def _add_line(author: Author, kernel: Kernel) -> None:
    at = int(author.random() * len(kernel.cells))
    old = kernel.cells[at]
    line = "# " + DRAWS["comment"](author)
    if not kernel.flaw and author.random() < 0.6 and not old.startswith(("%%", "!", "?")):
        line = fill(stage_of(author.world.kind, "look").alternatives[int(author.random() * 30)], author)
    kernel.cells[at] = f"{old}\n{line}" if old.strip() else line


def _add_cell(author: Author, kernel: Kernel) -> None:
    new = "# " + DRAWS["comment"](author)
    if not kernel.flaw:
        stage = author.pick(("look", "plot", "feature", "model"))
        new = cell(author, stage_of(author.world.kind, stage), "", 80.0)
    kernel.cells.insert(place(author, kernel), new)


def _change_number(author: Author, kernel: Kernel) -> None:
    for _ in range(8):
        at = int(author.random() * len(kernel.cells))
        lines = kernel.cells[at].split("\n")
        row = int(author.random() * len(lines))
        found = _NUMBER.search(lines[row])
        if found and len(lines[row]) < 500 and not lines[row].startswith(("%", "!")):
            old = found.group()
            places = len(old.partition(".")[2])
            new = f"{float(old) * (0.5 + author.random()):.{places}f}" if places else str(int(old) + 1)
            lines[row] = lines[row][: found.start()] + new + lines[row][found.end() :]
            kernel.cells[at] = "\n".join(lines)
            return


def _remove_line(author: Author, kernel: Kernel) -> None:
    """Away with one statement of one line; kernels with a flaw keep theirs."""
    if kernel.flaw:
        return _change_number(author, kernel)
    for _ in range(8):
        at = int(author.random() * len(kernel.cells))
        lines = kernel.cells[at].split("\n")
        row = int(author.random() * len(lines))
        after = lines[row + 1] if row + 1 < len(lines) else ""
        before = lines[row - 1] if row else ""
        joined = _OPENS.search(lines[row]) or _GOES_ON.match(after) or _WAITS.search(before)
        if len(lines) > 1 and lines[row] and not joined and not _in_string(lines, row):
            kernel.cells[at] = "\n".join(lines[:row] + lines[row + 1 :])
            return
    return


def _in_string(lines: Sequence[str], row: int) -> bool:
    return "\n".join(lines[:row]).count('"""') % 2 == 1 or lines[0].startswith("%%")


_EDITS: tuple[Callable[[Author, Kernel], None], ...] = (
    *(_add_line, _add_cell, _remove_line),
    *(_change_number, _change_number),
)
