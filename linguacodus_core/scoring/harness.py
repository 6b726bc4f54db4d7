"""Runs a candidate where it cannot see the answers, and scores what it predicts (DESIGN, "Generation", 3)."""

import math
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import LinguacodusError, SubmissionInvalid
from linguacodus_core.metrics.scoring import score as metric_score
from linguacodus_core.metrics.table import get
from linguacodus_core.sandbox.folder import remove
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.run import Execution, run_program
from linguacodus_core.sandbox.supervise import Cancelled
from linguacodus_core.scoring.evaluation import Evaluation, Status
from linguacodus_core.scoring.holdout import Fold, Split
from linguacodus_core.scoring.labels import numbers, to_classes
from linguacodus_core.scoring.predictions import answers, predictions_path, write_predictions
from linguacodus_core.scoring.rawcsv import read_raw
from linguacodus_core.scoring.soft import read_soft, target_columns
from linguacodus_core.scoring.submission import validate
from linguacodus_core.taskfolder.spec import TaskSpec

SUBMISSION, SOFT = "submission.csv", "soft.csv"

_CLAIM = re.compile(r"^\s*claimed score:\s*(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_ERROR_CHARACTERS = 4_000


class Submission(NamedTuple):
    """A validated submission (see scoring.submission), how its program ran, and its soft predictions."""

    frame: pd.DataFrame
    execution: Execution
    soft: pd.DataFrame | None


def evaluate(
    candidate: Candidate,
    spec: TaskSpec,
    split: Split,
    limits: Limits,
    isolation: str = "auto",
    *,
    work: Path,
    predictions_dir: Path,
) -> Evaluation:
    """Run a candidate once a hold-out, in a fresh sandbox each, and score its submissions.

    Hold-outs run side by side as far as the cores go, each with its share of threads and memory. The
    first one that fails ends all, with the reason in `error`. `limits.wall_seconds` is for all
    together. Hold-out predictions are stored in predictions_dir; nothing is left under `work`. The
    score a program prints is kept as `claimed` (the mean over the hold-outs) and never used. A
    submission that is right but cannot be scored is "invalid" too.

    Raises StoreError when a folder cannot be written, SandboxUnavailable when there is no isolation.
    """
    began = time.monotonic()
    lanes = min(len(split.folds), limits.threads)
    share = limits.model_copy(
        update={"threads": limits.threads // lanes, "memory_mb": limits.memory_mb // lanes}
    )
    cancel = threading.Event()

    def run_fold(fold: Fold) -> _FoldRun:
        left = limits.wall_seconds - (time.monotonic() - began)
        if cancel.is_set():
            raise Cancelled
        if left <= 0:
            found = _FoldRun("timeout", f"{limits.wall_seconds:g} s were spent before every hold-out had run")
        else:
            here = share.model_copy(update={"wall_seconds": left})
            found = _run_fold(candidate, spec, fold, here, isolation, work, cancel)
        if found.status != "scored":
            cancel.set()
        return found

    failed: _FoldRun | None = None
    with ThreadPoolExecutor(lanes) as pool:
        futures = [pool.submit(run_fold, fold) for fold in split.folds]
        try:
            for future in as_completed(futures):
                with suppress(Cancelled):
                    found = future.result()
                    failed = failed or (found if found.status != "scored" else None)
        except BaseException:
            cancel.set()
            raise
    done = [future.result() for future in futures if future.exception() is None]
    runs = done if failed is None else [*(run for run in done if run is not failed), failed]
    path = predictions_path(predictions_dir, candidate.id, split)
    if failed is None:
        write_predictions(
            path,
            spec,
            split,
            [run.frame for run in runs if run.frame is not None],
            [run.soft for run in runs],
        )
    claims = [claim for run in runs for claim in run.claims]
    scores = tuple(run.score for run in runs if run.status == "scored")
    return Evaluation(
        candidate=candidate.id,
        status=failed.status if failed else "scored",
        score=None if failed else float(np.mean(scores)),
        scores=scores,
        claimed=float(np.mean(claims)) if claims else None,
        error=failed.error if failed else "",
        seconds=time.monotonic() - began,
        peak_mb=max(run.peak_mb for run in runs),
        isolation=runs[-1].isolation,
        predictions="" if failed else str(path),
    )


@dataclass
class _FoldRun:
    """What came of one hold-out."""

    status: Status
    error: str = ""
    score: float = math.nan
    frame: pd.DataFrame | None = None
    soft: pd.DataFrame | None = None
    claims: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    isolation: str = ""


def _run_fold(
    candidate: Candidate,
    spec: TaskSpec,
    fold: Fold,
    limits: Limits,
    isolation: str,
    work: Path,
    cancel: threading.Event,
) -> _FoldRun:
    with _workdir(work, candidate) as folder:
        run = run_program(
            candidate.program,
            fold.data,
            limits=limits,
            isolation=isolation,
            workdir=folder,
            keep=(SUBMISSION, SOFT),
            cancel=cancel,
        )
        about: dict[str, Any] = {
            "claims": _claimed(run.stdout),
            "peak_mb": run.peak_mb,
            "isolation": run.isolation,
        }
        if run.status != "ok":
            return _FoldRun(run.status, explain(run), **about)
        sample = read_raw(fold.data[spec.sample_file]).frame
        try:
            frame = validate(folder / SUBMISSION, spec, sample)
            score = score_frame(spec, answers(fold), frame)
        except LinguacodusError as error:
            return _FoldRun("invalid", "\n".join([str(error), *run.refused]), **about)
        return _FoldRun(
            "scored", score=score, frame=frame, soft=read_soft(folder / SOFT, spec, sample, frame), **about
        )


def submit(
    candidate: Candidate, spec: TaskSpec, limits: Limits, isolation: str = "auto", *, work: Path
) -> Submission:
    """Run a candidate on the full data and validate its submission; nothing is left under `work`.

    Raises SubmissionInvalid when the program fails or its submission is wrong.
    """
    with _workdir(work, candidate) as folder:
        run = run_program(
            candidate.program,
            full_data(spec),
            limits=limits,
            isolation=isolation,
            workdir=folder,
            keep=(SUBMISSION, SOFT),
        )
        if run.status != "ok":
            raise SubmissionInvalid(
                f"{candidate.label} did not run on the full data ({run.status}): {explain(run)}", ""
            )
        sample = read_raw(spec.data / spec.sample_file).frame
        frame = validate(folder / SUBMISSION, spec, sample)
        return Submission(frame, run, read_soft(folder / SOFT, spec, sample, frame))


def full_data(spec: TaskSpec) -> Mapping[str, Path]:
    """Everything in data/, under its own name; never anything beside it."""
    return {path.name: path.resolve() for path in sorted(spec.data.iterdir())}


def score_frame(spec: TaskSpec, truth: pd.DataFrame, frame: pd.DataFrame) -> float:
    """The task's metric of a validated submission against raw answers in the same order.

    Raises SubmissionInvalid when the metric is not defined on them, as AUC with a single class.
    """
    return measure(spec, known_answers(spec, truth), typed_predictions(spec, frame))


def known_answers(spec: TaskSpec, truth: pd.DataFrame) -> pd.DataFrame:
    """Raw answers as the metric takes them: one column a target, numbers for values, text for labels.

    Probabilities of several targets are of their second labels: those become 1, the others 0.
    """
    known = truth[list(spec.targets)].reset_index(drop=True)
    if spec.prediction == "probability" and spec.target_classes:
        return pd.DataFrame(
            {
                name: to_classes(known[name], labels).map(dict(zip(labels, (0, 1), strict=True)))
                for name, labels in zip(spec.targets, spec.target_classes, strict=True)
            }
        )
    return known.apply(numbers) if spec.prediction == "value" else known


def typed_predictions(spec: TaskSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """A validated submission's predictions as the metric takes them: one column a target, or a class."""
    predicted = frame[target_columns(spec)].reset_index(drop=True)
    if spec.layout == "targets":
        predicted.columns = list(spec.targets)
    return predicted


def measure(spec: TaskSpec, known: pd.DataFrame, predicted: pd.DataFrame) -> float:
    """The task's metric of typed predictions. Raises SubmissionInvalid when it is not defined on them."""
    try:
        return float(metric_score(get(spec.metric), known, predicted, spec.classes))
    except (LinguacodusError, ValueError, TypeError, ArithmeticError) as error:
        raise SubmissionInvalid(
            f"{spec.metric} cannot be computed for this submission: {error}", ""
        ) from error


def explain(run: Execution) -> str:
    """Why a run failed: the limit that was passed, and the end of what it printed as errors."""
    tail = run.stderr.strip()[-_ERROR_CHARACTERS:]
    if run.status == "crashed" and not tail:
        tail = f"exit code {run.returncode}, without a message"
    return "\n".join(part for part in (run.why, tail) if part)


def _claimed(stdout: str) -> list[float]:
    """The number of the last `claimed score: <number>` line, as a list of none or one."""
    found = _CLAIM.findall(stdout)
    try:
        value = float(found[-1]) if found else np.nan
    except ValueError:
        return []
    return [value] if np.isfinite(value) else []


@contextmanager
def _workdir(work: Path, candidate: Candidate) -> Iterator[Path]:
    """An empty folder for one run, gone afterwards whatever happens."""
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{candidate.id}-", dir=work))
    try:
        yield folder
    finally:
        remove(folder)
