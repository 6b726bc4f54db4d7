"""An example made of text: sentences from the docstrings of the installed scikit-learn."""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from linguacodus_core.taskfolder.examples.folder import write_table

_MODULES = (
    "cluster", "decomposition", "ensemble", "linear_model", "metrics", "neighbors", "preprocessing", "svm",
)  # fmt: skip
_ROWS = 1_800
_FEWEST, _MOST = 8, 40

_LATER_SECTIONS = re.compile(r"\n\s*(?:Examples|References|See Also|Notes)\n\s*-+\n")
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=[ \t]*[\w*, ]+ : )")
_NAMED_FIRST = re.compile(r"[ \t]*[\w*, ]+ : ")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_MARKUP = re.compile(r">>>|\.\. |:\w+:|---| - |\||\n")


def write_docstrings(folder: Path, description: str) -> None:
    """Sentences, each found in one module only; the target is that module."""
    found: dict[str, set[str]] = {}
    for module in _MODULES:
        for sentence in module_sentences(module):
            found.setdefault(sentence, set()).add(module)
    single = sorted((text for text, where in found.items() if len(where) == 1), key=_digest)[:_ROWS]
    modules = pd.Series([min(found[text]) for text in single], name="module")
    write_table(folder, description, pd.DataFrame({"sentence": single}), modules, "linear_model")


def module_sentences(module: str) -> Iterator[str]:
    """Plain sentences of 8 to 40 words from all docstrings of one scikit-learn module, tests left out.

    The sources are read, not imported. The same sentence may come more than once.
    """
    import sklearn

    for path in sorted((Path(sklearn.__file__).parent / module).rglob("*.py")):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                yield from _plain(ast.get_docstring(node) or "")


def _plain(docstring: str) -> Iterator[str]:
    for paragraph in _PARAGRAPH.split(_LATER_SECTIONS.split(docstring)[0]):
        lines = paragraph.split("\n")
        if _NAMED_FIRST.match(lines[0]):
            lines = lines[1:]
        for sentence in _SENTENCE.split(" ".join(line.strip() for line in lines)):
            words = sentence.split()
            whole = sentence[:1].isupper() and sentence.endswith(".")
            if whole and _FEWEST <= len(words) <= _MOST and not _MARKUP.search(sentence):
                yield " ".join(words)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
