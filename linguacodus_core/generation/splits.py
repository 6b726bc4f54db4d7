"""Finding a carved hold-out again: a split that has no split.json does not exist."""

import hashlib
from pathlib import Path

import linguacodus_core
from linguacodus_core import store
from linguacodus_core.scoring.holdout import Split, carve
from linguacodus_core.taskfolder.spec import TaskSpec


def open_split(spec: TaskSpec, seed: int, root: Path) -> Split:
    """The split of this task and seed under `root`, carved when it is not there whole."""
    parts = (
        linguacodus_core.__version__,
        str(spec.data),
        spec.data_sha256,
        spec.model_dump_json(),
        str(seed),
    )
    folder = root / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    if (known := store.read_json(folder / "split.json")) is not None:
        split = Split.model_validate(known)
        if all(path.exists() for fold in split.folds for path in (fold.answers, *fold.data.values())):
            return split
    split = carve(spec, seed, folder)
    store.write_text(folder / "split.json", split.model_dump_json(indent=2))
    return split
