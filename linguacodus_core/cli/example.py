"""`linguacodus example`: a small real task folder to try things on."""

from pathlib import Path
from typing import Annotated

import typer


def example(
    name: Annotated[str, typer.Argument(help="Which example; 'list' shows them.")],
    folder: Annotated[Path | None, typer.Argument(help="The new task folder.")] = None,
) -> None:
    """Write a small real task folder (from scikit-learn's data) with answers in private/."""
    from linguacodus_core.errors import LinguacodusError
    from linguacodus_core.taskfolder.examples import EXAMPLES, write_example

    if name == "list":
        for known, what in EXAMPLES.items():
            typer.echo(f"{known:16} {what}")
        return
    if name not in EXAMPLES:
        raise LinguacodusError(f"there is no example {name!r}", f"choose one of: {', '.join(EXAMPLES)}")
    if folder is None:
        raise LinguacodusError("the example needs a folder", f"linguacodus example {name} FOLDER")
    write_example(name, folder)
    typer.echo(f"task folder written: {folder}")
