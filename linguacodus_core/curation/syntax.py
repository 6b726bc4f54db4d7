"""Whether a source is Python 3, and if not, what it is instead."""

import re
import symtable
import warnings
from itertools import islice

_PYTHON_2_SAYS = (
    "Missing parentheses in call to",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals",
)
_PYTHON_2 = re.compile(
    r"^\s*print\s+[\w\"'%(]|^\s*print\s*>>|^\s*except\s+[\w.()]+\s*,\s*\w+\s*:|^\s*raise\s+[\w.]+\s*,"
    r"|^\s*exec\s+[\w\"']|\bur['\"]|[^<>=!]<>[^<>=]|\b\d+L\b|\b0\d+\b|\blambda\s*\(|^[^'\"#]*`[^`]+`"
)
_R = re.compile(
    r"^[ \t]*(?:library|require|suppressMessages)\([\w\"'.]+\)|^[ \t]*[\w.$]+[ \t]*<-[ \t]|%>%", re.MULTILINE
)
_R_MARKS = ("<-", "library(", "require(", "suppressMessages(", "%>%")
_R_LINES = 2
"""Lines that must look like R: `x <- f(y)` is also valid Python, but nobody writes it."""


def flaw(code: str) -> tuple[str, str]:
    """("", "") for Python 3, else a reason (python 2, language: r, broken) and the parser's words.

    Python 2 is told by what the parser says, or by the line at which it stopped. Parser and symbol table take
    two thirds of the time of ast.parse.
    """
    if _looks_like_r(code):
        return "language: r", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(code, "<kernel>", "exec")
    except SyntaxError as error:
        says = f"line {error.lineno}: {error.msg}"
        if str(error.msg).startswith(_PYTHON_2_SAYS) or _PYTHON_2.search(error.text or ""):
            return "python 2", says
        return "broken", says
    except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
        return "broken", f"{type(error).__name__}: {error}"
    return "", ""


def _looks_like_r(code: str) -> bool:
    if not any(mark in code for mark in _R_MARKS):
        return False
    return len(list(islice(_R.finditer(code), _R_LINES))) == _R_LINES
