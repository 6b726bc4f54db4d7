"""A job without tables, for what only needs its folder."""

from pathlib import Path
from typing import Any

from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job


def job_in(folder: Path, **config: Any) -> Job:
    """A job whose folder that is."""
    folder.mkdir(parents=True, exist_ok=True)
    base = "embedded:smollm2-135m-instruct-q4_1"
    job = Job(
        folder=folder.resolve(),
        key="0123456789abcdef",
        name="small-01234567",
        config=FinetuneConfig.model_validate({"name": "small", "base": base} | config),
        datasets=("a",),
        base=base,
        base_identity="smollm2-135m-instruct-q4_1",
        shuffled=False,
        preferences=(),
        from_adapter=None,
        code_version="0",
        created="2026-01-01T00:00:00+00:00",
    )
    job.write()
    return job
