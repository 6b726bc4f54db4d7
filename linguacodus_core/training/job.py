"""The folder of one fine-tune: what it is made from, and how far each stage is.

Named by content (configuration, examples, base, code), so that the same request finds it again: a killed one
goes on, a finished one is found. What has no job.json does not exist; a stage that has no finished.json is
not done.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.progress import say
from linguacodus_core.settings import local_home
from linguacodus_core.training.config import FinetuneConfig

JOBS = "training"
RECORD = "job.json"
FINISHED = "finished.json"
STAGES = ("base", "sft", "dpo", "measure")


class Job(BaseModel):
    """What one fine-tune is made from.

    name: the configuration's with the key's beginning. datasets: names of versions. base: the spec, paths
    absolute; base_identity: the same weights, the same words. preferences: where pairs come from, `places` or
    folders. from_adapter: the adapter it goes on from. shuffled: the control whose completions are other
    competitions'.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    key: str
    name: str
    config: FinetuneConfig
    datasets: tuple[str, ...]
    base: str
    base_identity: str
    shuffled: bool
    preferences: tuple[str, ...]
    from_adapter: str | None
    code_version: str
    created: str

    def adapter_name(self, kind: str) -> str:
        """What the adapter of a stage (sft, dpo) is called in the registry."""
        return f"{self.config.name}-{kind}-{self.key[:8]}"

    def stage(self, name: str) -> Path:
        """The folder of a stage: base, sft, dpo, measure. Raises KeyError for another."""
        if name not in STAGES:
            raise KeyError(f"a fine-tune has no stage {name!r}")
        return self.folder / name

    def done(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage says of itself, None while it is not finished.

        Raises TrainingError when that is damaged.
        """
        path = self.stage(stage) / FINISHED
        try:
            found = store.read_json(path)
        except ValueError as error:
            raise TrainingError(
                f"{path} is damaged: {error}", f"delete it: {stage} is then done anew"
            ) from error
        if found is not None and not isinstance(found, dict):
            raise TrainingError(f"{path} is damaged: no object", f"delete it: {stage} is then done anew")
        return found

    def table(self, name: str) -> pa.Table:
        """A table of the job (`training.tables`), or of its measurement as "measure/NAME".

        Raises TrainingError when it is missing or damaged.
        """
        path = self.folder / f"{name}.parquet"
        try:
            found = store.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise TrainingError(f"{path} is damaged: {error}", _anew(self.folder)) from error
        if found is None:
            raise TrainingError(f"{path} is missing", _anew(self.folder))
        return found

    def write(self) -> None:
        """Write job.json, which makes the folder a job: the tables stand before it."""
        record = json.loads(self.model_dump_json(exclude={"folder"}))
        store.write_json(self.folder / RECORD, record)


def folder_of(key: str) -> Path:
    """Where the job of that key lies, whether it is there or not."""
    return local_home() / JOBS / key


def open_job(folder: Path | str) -> Job:
    """The job in that folder. Raises TrainingError when there is none, or its record is damaged."""
    place = Path(folder).expanduser().resolve()
    content = store.read_bytes(place / RECORD)
    if content is None:
        raise TrainingError(f"{place} is no fine-tune: it has no {RECORD}", "linguacodus finetune makes one")
    try:
        fields = json.loads(content)
        config = FinetuneConfig.model_validate_json(json.dumps(fields["config"]))
        return Job.model_validate({**fields, "config": config, "folder": place})
    except (ValueError, KeyError, TypeError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise TrainingError(f"{place / RECORD} is damaged: {problem}", _anew(place)) from error


def _anew(folder: Path) -> str:
    return f"remove {folder} and run the fine-tune again"


@contextmanager
def alone(folder: Path) -> Iterator[BinaryIO]:
    """One process at a time works in a job's folder; another says so and waits until that one is through.

    Yields the lock's open file: a child that inherits it holds the lock, too.
    """
    with store.described(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    with lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say(f"another process works on this fine-tune ({folder}); waiting for it")
                told = True
                time.sleep(0.2)
        yield lock
