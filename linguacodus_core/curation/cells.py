"""Notebook cells to one Python source: IPython's magics and shell lines handled, nothing else changed.

IPython's own transformer keeps them as calls of get_ipython(); here they go, since they say nothing of the
solution, and what they only time or print stays.
"""

import ast
import re
import warnings
from collections.abc import Sequence

_SUSPECT = (re.compile(r"\n[ \t]*[%!?]"), re.compile(r"=[ \t]*[%!]"), re.compile(r"\?[ \t]*\x00?(?:\n|\Z)"))
"""Each begins with a letter of its own, which is what makes searching quick."""

_KEEP_BODY = frozenset(
    {"time", "timeit", "capture", "prun", "memit", "mprun", "python", "python3", "py", "px", "script python"}
)
_PYTHON_FILE = re.compile(r"%%(?:writefile|file)\b.*\.py\s*$")
_TIMED = re.compile(
    r"^(?P<indent>[ \t]*)%(?:time|timeit|prun|memit)\b(?:[ \t]+-\w+(?:[ \t]+\d+)?)*[ \t]+(?P<rest>\S.*)$"
)
_LINE = re.compile(r"^(?P<indent>[ \t]*)(?:[%!?].*|[\w.\[\]'\"]+\?{1,2}[ \t]*)$")
_ASSIGNED = re.compile(r"^(?P<left>[\w.,\[\]'\" \t]{1,200}=[ \t]*)(?P<sign>[%!])(?P<rest>.*)$")


def suspect(text: str) -> bool:
    """Whether a text may hold magics or shell lines; most do not, and need no second look."""
    if "%" not in text and "!" not in text and "?" not in text:
        return False
    return text.lstrip()[:1] in ("%", "!", "?") or any(pattern.search(text) for pattern in _SUSPECT)


def join(cells: Sequence[str]) -> str:
    """The cells in order as one source, a line break between them. Never fails; broken code stays broken."""
    return "\n".join(plain(cell) if suspect(cell) else cell for cell in cells)


def plain(cell: str) -> str:
    """A cell without magics and shell lines.

    `%time model.fit(X)` stays as `model.fit(X)`, the body of `%%time` stays, that of `%%bash` goes. A cell
    that is Python as it stands (`%` begins a line of a long expression) is left alone.
    """
    lines = cell.split("\n")
    if not any(map(_is_magic, lines)) or _is_python(cell):
        return cell
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("%%"):
        head = lines[first].strip()
        words = head[2:].split()
        if not (words and words[0] in _KEEP_BODY) and not _PYTHON_FILE.match(head):
            return ""
        lines = lines[first + 1 :]
    return "\n".join(_without_magic(_continued(lines)))


def _continued(lines: list[str]) -> list[str]:
    """Shell lines that go on after a backslash, as one line."""
    found: list[str] = []
    for line in lines:
        if found and found[-1].lstrip().startswith(("!", "%")) and found[-1].endswith("\\"):
            found[-1] = found[-1][:-1] + line.strip()
        else:
            found.append(line)
    return found


def _without_magic(lines: list[str]) -> list[str]:
    found = []
    for line in lines:
        if timed := _TIMED.match(line):
            found.append(timed["indent"] + timed["rest"])
        elif whole := _LINE.match(line):
            if whole["indent"]:
                found.append(f"{whole['indent']}pass")
        elif (assigned := _ASSIGNED.match(line)) and "==" not in assigned["left"]:
            timed = _TIMED.match(assigned["sign"] + assigned["rest"])
            found.append(assigned["left"] + (timed["rest"] if timed else "None"))
        else:
            found.append(line)
    return found


def _is_magic(line: str) -> bool:
    return bool(_LINE.match(line) or _ASSIGNED.match(line))


def _is_python(cell: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
