"""description.md: the task in plain language."""

import re
import unicodedata
from pathlib import Path

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.frames import readable

_GENERIC = {
    "description", "overview", "evaluation", "introduction", "competition", "task", "data", "dataset",
    "dataset description", "about", "goal", "problem", "problem statement", "background",
}  # fmt: skip
NAMED = "the folder's name"
"""How a title was found that is the task's name."""
_LONGEST = 80
_REMEDY = "write description.md: what is to be predicted, from what, and how it is evaluated"


def read_description(folder: Path) -> str:
    """The text of `folder`/description.md, in whatever encoding it is written.

    Raises TaskError when it is missing, empty, or no text at all.
    """
    path = folder / "description.md"
    if not path.exists():
        raise TaskError(f"{folder} has no description.md", _REMEDY)
    with readable(path):
        content = path.read_bytes()
    text = _decode(content).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise TaskError(f"{path} is empty", _REMEDY)
    controls = sum(c < " " and c not in "\t\n\f" for c in text)
    if controls > 0.01 * len(text):
        raise TaskError(f"{path} is no text: it looks like a binary file", _REMEDY)
    return text


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def title_of(description: str, name: str) -> tuple[str, str]:
    """The task's title and how it was found: the first heading that says something, else the task's name.

    A name that is no more than a slug is made readable, any other stays as it is.
    """
    for line in description.splitlines()[:40]:
        if found := re.match(r"#{1,2}\s+(.{3,120}?)\s*#*$", line.strip()):
            heading = found[1].strip("*_ :")
            if heading.casefold() not in _GENERIC and not heading.casefold().startswith(
                ("submission", "file")
            ):
                return heading, "description: its first heading"
    if re.fullmatch(r"[a-z0-9_-]+", name):
        return name.replace("-", " ").replace("_", " ").strip().capitalize() or name, NAMED
    return " ".join(name.split()) or slug_of(name), NAMED


def slug_of(name: str) -> str:
    """A short name that is safe everywhere: ASCII letters in lower case, digits, single dashes.

    Accents go, "ß" becomes "ss"; "task" where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST].strip("-") or "task"
