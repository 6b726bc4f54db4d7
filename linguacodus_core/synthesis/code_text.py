"""Python source out of a model's reply: fences, prose, notebook magics and cut-off ends removed."""

import ast
import re
import textwrap

_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_START = re.compile(
    r"^(import\s|from\s+\w|def\s|class\s|@\w|#|\w[\w.\[\]'\", ]*\s*=[^=]|if\s|for\s|with\s|try:"
    r"|print\(|\"\"\"|''')"
)
_QUOTES = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u00a0": " ",
        "\u200b": None,
        "\ufeff": None,
    }
)


def parses(code: str) -> bool:
    """Whether the code is Python (null bytes and endless nesting count as not)."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def syntax_error(code: str) -> str:
    """The syntax error of the code in a line or two, "" when there is none."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"SyntaxError: {error.msg} (line {error.lineno}): {(error.text or '').strip()[:120]}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"SyntaxError: {error}"
    return ""


def extract(reply: str) -> tuple[str, list[str]]:
    """(code, what was done): the code blocks of a reply, or the reply itself without leading prose."""
    done: list[str] = []
    text = re.sub(r"<think>.*?(</think>|\Z)", "", reply.replace("\r\n", "\n"), flags=re.DOTALL)
    blocks = [
        body for language, body in _FENCE.findall(text) if language.lower() in ("", "python", "py", "python3")
    ]
    if blocks:
        joined = "\n".join(blocks)
        code = joined if len(blocks) == 1 or parses(joined) else max(blocks, key=len)
        if re.sub(r"\s", "", code) != re.sub(r"\s", "", text):
            done.append("took the code out of its fences")
    else:
        code = re.sub(r"^[ \t]*(?:```|~~~)\w*[ \t]*$", "", text, flags=re.MULTILINE)
        lines = code.splitlines()
        start = next((n for n, line in enumerate(lines) if _START.match(line.strip())), 0)
        if start and not parses(code):
            done.append("dropped the prose before the code")
            code = "\n".join(lines[start:])
    return code.strip("\n") + "\n", done


def mend_syntax(code: str) -> tuple[str, list[str]]:
    """(code, what was done) after harmless mends; a code that still does not parse comes back as it is."""
    done: list[str] = []
    if parses(code):
        return code, done
    mended = code.translate(_QUOTES).replace("\t", "    ")
    if parses(mended):
        return mended, ["replaced typographic quotes and tabs"]
    magics = re.sub(r"^[ \t]*[!%]\w.*$", "", mended, flags=re.MULTILINE)
    if magics != mended:
        done.append("removed notebook commands")
        mended = magics
        if parses(mended):
            return mended, done
    dedented = textwrap.dedent(mended)
    if dedented != mended and parses(dedented):
        return dedented, [*done, "removed indentation"]
    lines = mended.rstrip().splitlines()
    for kept in range(len(lines), max(len(lines) - 4, 0), -1):
        closed = _closed("\n".join(lines[:kept]))
        if closed and parses(closed):
            return closed, [*done, "closed the brackets of a reply that was cut off"]
    for kept in range(len(lines) - 1, max(len(lines) * 2 // 3, len(lines) - 25, 0), -1):
        shorter = "\n".join(lines[:kept]) + "\n"
        if parses(shorter):
            return shorter, [*done, "cut the end that was not code"]
    return code, []


def _closed(code: str) -> str:
    """The code with its open brackets closed after the last comma or bracket, "" when none is open."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    open_: list[str] = []
    quote = ""
    comment = False
    for character in code:
        if character == "\n":
            comment = False
            quote = ""
        elif comment:
            continue
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            comment = True
        elif character in pairs:
            open_.append(character)
        elif character in pairs.values() and open_:
            open_.pop()
    if not open_ or quote:
        return ""
    return code.rstrip().rstrip(",") + "\n" + "".join(pairs[one] for one in reversed(open_)) + "\n"
