"""task.toml: what a user says about a task, where it should not be inferred."""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.frames import readable
from linguacodus_core.taskfolder.spec import DataType, Prediction, Problem


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class TaskSettings(BaseModel):
    """The keys of task.toml, all of them optional; `data_type` and `targets` take one value or a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str | None = None
    title: str | None = None
    data_type: Annotated[tuple[DataType, ...], BeforeValidator(_as_tuple)] = ()
    metric: str | None = None
    direction: Literal["min", "max"] | None = None
    id_column: str | None = None
    targets: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    prediction: Prediction | None = None
    problem: Problem | None = None
    time_column: str | None = None
    group_column: str | None = None
    text_columns: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    image_column: str | None = None


def read_settings(folder: Path) -> TaskSettings:
    """The settings in `folder`/task.toml, empty ones when there is no such file.

    Raises TaskError for a file that is no TOML, an unknown key (with the nearest known one) or a
    value that does not fit (with those that do).
    """
    path = folder / "task.toml"
    if not path.exists():
        return TaskSettings()
    with readable(path):
        content = path.read_bytes()
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskError(
            f"task.toml is no valid TOML: {error}", 'each line reads like: metric = "rmse"'
        ) from error
    if unknown := [key for key in values if key not in TaskSettings.model_fields]:
        known = ", ".join(TaskSettings.model_fields)
        raise TaskError(
            f"task.toml has an unknown key: {unknown[0]}",
            f"{did_you_mean(unknown[0], TaskSettings.model_fields)}known keys are {known}",
        )
    try:
        return TaskSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "task.toml"
        given = first.get("input")
        raise TaskError(
            f"task.toml: {key} = {given!r} does not fit", f"{key}: {first['msg'].lower()}"
        ) from error


def close_to(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The known names that look like `name`, whatever their case, best first."""
    folded = {k.casefold(): k for k in known}
    return [folded[k] for k in difflib.get_close_matches(name.casefold(), list(folded), n=n, cutoff=0.55)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "did you mean a or b? " for the known names like `name`, "" when there is none."""
    close = close_to(name, known)
    return f"did you mean {' or '.join(close)}? " if close else ""
