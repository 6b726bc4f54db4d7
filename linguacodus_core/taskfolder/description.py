"""description.md: the task in plain language."""

import re
from pathlib import Path

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.frames import readable

_GENERIC = {
    "description", "overview", "evaluation", "introduction", "competition", "task", "data", "dataset",
    "dataset description", "about", "goal", "problem", "problem statement", "background",
}  # fmt: skip
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


def title_of(description: str, slug: str) -> tuple[str, str]:
    """The task's title and how it was found: the first heading that says something, else the slug."""
    for line in description.splitlines()[:40]:
        if found := re.match(r"#{1,2}\s+(.{3,120}?)\s*#*$", line.strip()):
            heading = found[1].strip("*_ :")
            if heading.casefold() not in _GENERIC and not heading.casefold().startswith(
                ("submission", "file")
            ):
                return heading, "description: its first heading"
    return slug.replace("-", " ").replace("_", " ").strip().capitalize(), "the folder's name"


def slug_of(folder: Path) -> str:
    """A short name for the task: the folder's name in lower case with dashes."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "task"
