"""Runs a program on a small sample of the inner split, to see within seconds whether it works at all."""

import math
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pandas as pd

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.run import run_program
from linguacodus_core.sandbox.supervise import Cancelled
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.scoring.rawcsv import read_raw, write_raw
from linguacodus_core.scoring.submission import validate
from linguacodus_core.synthesis.skeleton import Columns, columns_of
from linguacodus_core.taskfolder.frames import read_csv
from linguacodus_core.taskfolder.spec import TaskSpec

TRAIN_ROWS, TEST_ROWS = 400, 80
SECONDS = 60.0


class DryRun:
    """A sample of what a candidate sees on the first hold-out; a context manager that cleans up.

    At most 400 rows of train, every class among them where there are that many, and 80 of test with
    their rows of the sample submission; every other file of the fold as it is. No answers anywhere.
    A run takes SECONDS at most, and ends at `until` (of time.monotonic()) or when `cancel` is set.
    """

    def __init__(
        self,
        spec: TaskSpec,
        split: Split,
        work: Path,
        isolation: str = "auto",
        seed: int = 0,
        *,
        until: float = math.inf,
        cancel: threading.Event | None = None,
    ) -> None:
        self.spec, self.isolation, self.until, self.cancel = spec, isolation, until, cancel
        work.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="dry-", dir=work))
        try:
            seen = split.folds[0].data
            train, test = read_csv(seen[spec.train_file]), read_csv(seen[spec.test_file])
            self.columns: Columns = columns_of(train, test, spec)
            self.data = dict(seen) | self._sample(seen, seed)
        except BaseException:
            self.close()
            raise

    def _sample(self, seen: Mapping[str, Path], seed: int) -> dict[str, Path]:
        spec = self.spec
        raw = {name: read_raw(seen[name]) for name in (spec.train_file, spec.test_file, spec.sample_file)}
        train, test = raw[spec.train_file].frame, raw[spec.test_file].frame
        train = _few(train, spec, TRAIN_ROWS, seed)
        test = test.iloc[:TEST_ROWS]
        sample = raw[spec.sample_file].frame
        if spec.id_column in sample and spec.id_column in test:
            sample = sample[sample[spec.id_column].isin(set(test[spec.id_column]))]
        else:
            sample = sample.iloc[: len(test)]
        self.sample = sample.reset_index(drop=True)
        found = {}
        for name, frame in ((spec.train_file, train), (spec.test_file, test), (spec.sample_file, sample)):
            path = self.folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_raw(path, raw[name].text(frame))
            found[name] = path
        return found

    def run(self, program: str) -> str:
        """What is wrong with the program: its error in words, "" when it wrote a valid submission.

        Raises LinguacodusError when it was cancelled.
        """
        left = min(SECONDS, self.until - time.monotonic())
        if left <= 0:
            return "it was not tried on a sample: the time was up"
        with self._workdir() as folder:
            try:
                run = run_program(
                    program,
                    self.data,
                    limits=Limits.for_machine(left),
                    isolation=self.isolation,
                    workdir=folder,
                    keep=["submission.csv"],
                    cancel=self.cancel,
                )
            except Cancelled:
                raise LinguacodusError("the run ended while a program was tried on a sample") from None
            if run.status != "ok":
                said = run.stderr.strip() or run.stdout.strip()[-500:] or f"exit code {run.returncode}"
                return f"{run.why}\n{said}".strip() if run.why else said
            try:
                validate(folder / "submission.csv", self.spec, self.sample)
            except LinguacodusError as error:
                return str(error)
        return ""

    @contextmanager
    def _workdir(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove everything that was written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "DryRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _few(train: pd.DataFrame, spec: TaskSpec, most: int, seed: int) -> pd.DataFrame:
    """At most `most` rows in their own order; up to 5 of each class first."""
    if len(train) <= most:
        return train
    if spec.time_column:
        return train.iloc[-most:]
    shuffled = train.sample(frac=1, random_state=seed)
    first = shuffled
    if spec.problem not in ("regression", "multiregression"):
        rank = pd.concat([shuffled.groupby(name).cumcount() for name in spec.targets], axis=1).min(axis=1)
        first = pd.concat([shuffled[rank < 5], shuffled[rank >= 5]])
    return first.iloc[:most].sort_index()


def fault(error: str, most: int = 700) -> str:
    """The last lines of a traceback that tell what was wrong and where: our own lines, then the error."""
    lines = error.strip().splitlines()
    kept: list[str] = []
    for number, line in enumerate(lines):
        if re.search(r'File ".*solution\.py", line \d+', line):
            kept += [part.strip() for part in lines[number + 1 : number + 2]]
    last = next(
        (
            n
            for n in range(len(lines) - 1, -1, -1)
            if re.match(r"\w[\w.]*(Error|Exception|Warning)\b", lines[n])
        ),
        None,
    )
    end = "\n".join(lines[last:] if last is not None else lines[-3:])
    where = f"at the line: {kept[-1]}\n" if kept else ""
    inner = next((line for line in kept[::-1] if line), "")
    where = f"at the line: {inner}\n" if inner else ""
    return (where + end)[:most]
