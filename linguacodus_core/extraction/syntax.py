"""Reading a solution's syntax tree into `Evidence`."""

import ast
import warnings

from linguacodus_core.extraction import datafunctions, networks
from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.gather import gathered
from linguacodus_core.extraction.reader import Reader


def parse(code: str) -> ast.Module:
    """The syntax tree. Raises SyntaxError for what is no Python, and for what is nested beyond reading."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("the code is nested too deeply to be read") from error
    except ValueError as error:
        raise SyntaxError(str(error)) from error


def evidence(code: str) -> Evidence:
    """What the code constructs, fits, validates and writes; the same code gives the same evidence.

    Only what is called counts, not what is imported, commented out or in texts. Raises SyntaxError for code
    that does not parse.
    """
    reader = Reader()
    tree = parse(code)
    reader.read(tree)
    networks.settle(reader)
    if reader.sinks and not any(thing.kind in ("model", "network") for thing in reader.things):
        _note_submissions(reader, tree)
    return gathered(reader)


def _note_submissions(reader: Reader, tree: ast.Module) -> None:
    """Paths of other submissions, in code that writes one and has no model."""
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Constant)
            or not isinstance(node.value, str)
            or "input/" not in node.value
        ):
            continue
        if datafunctions.is_other_submission(node.value):
            reader.note("other submission", "", (), datafunctions.folder_of(node.value), node.lineno)
