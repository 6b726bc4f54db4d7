"""How task results are kept: JSON under LINGUACODUS_HOME, keyed by what the result depends on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect.context import TaskRunContext
from prefect.serializers import JSONSerializer

import linguacodus_core
from linguacodus_core.settings import local_home


class FilesSerializer(JSONSerializer):
    """JSON; a result that names `files` which are gone counts as not there, so that it is made again."""

    type: str = "linguacodus-files"

    def loads(self, blob: bytes) -> Any:
        """The result. Raises FileNotFoundError when one of its files is missing."""
        found = super().loads(blob)
        for path in getattr(found, "files", ()):
            if not Path(path).exists():
                raise FileNotFoundError(path)
        return found


def stored(key: Callable[..., str]) -> dict[str, Any]:
    """Task options for a result that is found again by `key` (of the arguments) and the code's version."""

    def cache_key(context: TaskRunContext, arguments: dict[str, Any]) -> str:
        return f"{context.task.name}-{linguacodus_core.__version__}-{key(**arguments)}"

    return {
        "persist_result": True,
        "result_storage": local_home() / "results",
        "result_serializer": FilesSerializer(),
        "cache_key_fn": cache_key,
        "cache_result_in_memory": False,
    }
