"""Safe text inside generated programs: literals that cannot break out, docstrings, constants."""

import re
import textwrap
from typing import Any

WIDTH = 110


def literal(value: Any) -> str:
    """A Python literal on one line: double quotes where possible, never a raw control character."""
    if isinstance(value, str):
        text = repr(value)
        inner = text[1:-1]
        return f'"{inner}"' if text[0] == "'" and "'" not in inner and '"' not in inner else _ascii(text)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def _ascii(text: str) -> str:
    """The literal, escaped wherever it could not be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("ascii", "backslashreplace").decode("ascii")
    return text


def constant(name: str, value: Any) -> str:
    """`NAME = literal`, one item a line where it would be too long."""
    line = f"{name} = {literal(value)}"
    if len(line) <= WIDTH or not isinstance(value, list | dict | tuple) or not value:
        return line
    if isinstance(value, dict):
        items = [f"    {literal(key)}: {literal(item)}," for key, item in value.items()]
        return "\n".join([f"{name} = {{", *items, "}"])
    opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
    return "\n".join([f"{name} = {opening}", *(f"    {literal(item)}," for item in value), closing])


def call(name: str, *arguments: str, indent: int = 4, target: str = "") -> str:
    """A statement that calls a function, one argument a line where it would be too long."""
    pad = " " * indent
    start = f"{pad}{target} = {name}(" if target else f"{pad}{name}("
    line = start + ", ".join(arguments) + ")"
    if len(line) <= WIDTH:
        return line
    inside = f"{pad}    " + ", ".join(arguments)
    if len(inside) <= WIDTH:
        return "\n".join([start, inside, f"{pad})"])
    return "\n".join([start, *(f"{pad}    {argument}," for argument in arguments), f"{pad})"])


def prose(text: str, limit: int = 600) -> str:
    """Free text fit for a docstring: printable, without backslashes and triple quotes, wrapped."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    kept = re.sub(r"\s+", " ", kept.replace("\\", "/").replace('"', "'")).strip()
    if len(kept) > limit:
        kept = kept[: limit - 3].rstrip() + "..."
    return "\n".join(textwrap.wrap(kept, WIDTH - 2, break_on_hyphens=False))
