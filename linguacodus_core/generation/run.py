"""One generation at work: what it knows, where it keeps things, how far it is."""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from linguacodus_core.dataset.prior import current
from linguacodus_core.errors import LinguacodusError, StoreError
from linguacodus_core.generation.clock import Clock
from linguacodus_core.generation.journal import Journal
from linguacodus_core.generation.prompt_check import needed_prompts
from linguacodus_core.generation.request import GenerateRequest, GenerateResult
from linguacodus_core.generation.search import Contender, Search
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.progress import Standing, say, warn
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.settings import local_home
from linguacodus_core.synthesis.capability import Capability
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import TaskSpec


class Run:
    """Everything that the steps of one generation share.

    `popular` is what the corpus says of such tasks (dataset.prior). `folder` lives under LINGUACODUS_HOME and
    outlives the process; `interrupted` is set by Ctrl-C; `notes` are what the user should know at the end.
    (A plain class: Prefect would walk a dataclass.)
    """

    def __init__(
        self,
        request: GenerateRequest,
        spec: TaskSpec,
        profile: Profile,
        data: DataProfile,
        split: Split,
        folder: Path,
        popular: Mapping[str, int] | None = None,
    ) -> None:
        self.request = request
        self.spec = spec
        self.profile = profile
        self.data = data
        self.split = split
        self.folder = folder
        self.popular = popular or {}
        self.journal = Journal(folder / "journal.jsonl")
        self.clock = Clock(request.time_limit, used=self.journal.elapsed)
        self.search = Search(spec, split, self.clock, self.journal)
        self.interrupted = False
        self.capability: Capability | None = None
        self.without_model = ""
        self.notes: list[str] = [*(self.journal.entries[-1].notes if self.finished else spec.warnings)]

    @property
    def prompt_set(self) -> str:
        """The prompt set in force."""
        return self.request.prompt_set or self.profile.prompt_set

    @property
    def work(self) -> Path:
        """Scratch space for sandboxes."""
        return self.folder / "work"

    @property
    def predictions(self) -> Path:
        """Where hold-out predictions are kept: shared by all runs, named by program and split."""
        return local_home() / "predictions"

    @property
    def enforced(self) -> tuple[str, ...]:
        """What the sandbox enforced when the last submission was made."""
        made = (entry.enforced for entry in reversed(self.journal.entries) if entry.kind == "submission")
        return next(made, ())

    @property
    def finished(self) -> Contender | None:
        """The winner of the same work done before with at least this time limit.

        None too when the model was out of reach then, or the budget spent: now it may not be.
        """
        last = self.journal.entries[-1]
        if last.kind != "finish" or not last.candidate or last.limit < self.clock.limit or last.note:
            return None
        return Contender(last.candidate, last.evaluation)

    @property
    def first_submission_seconds(self) -> float | None:
        """When the first valid submission stood, in seconds of the run."""
        return next((entry.elapsed for entry in self.journal.entries if entry.kind == "submission"), None)

    @property
    def wants_model(self) -> bool:
        """Whether the language model is to write anything."""
        return bool(set(self.request.sources) - {"prior", "random"}) and self.request.max_ideas > 0

    @property
    def seconds(self) -> float:
        """Seconds of work; of finished work those that it took."""
        return self.journal.elapsed if self.finished else self.clock.elapsed

    def tell(self, text: str) -> None:
        """Keep what the user may want to know at the end, and say it now."""
        self.notes.append(text)
        say(text)

    def note(self, text: str) -> None:
        """Keep what the user should know at the end, and say it now."""
        self.notes.append(text)
        warn(text)

    def go_on_without_model(self, why: LinguacodusError) -> None:
        """Say that the language model is out of reach, now and at the end."""
        self.without_model = why.problem
        self.note(f"going on without the language model: {why}")

    def finish(self, winner: Contender) -> None:
        """Record that the work is done within this time limit."""
        self.journal.add(
            "finish",
            self.clock.elapsed,
            candidate=winner.candidate,
            evaluation=winner.evaluation,
            limit=self.clock.limit,
            note=self.without_model,
            notes=self.notes,
        )

    def result(self, winner: Contender) -> GenerateResult:
        """What the run left behind, in short."""
        found = [
            item.score
            for item in self.search.scored
            if self.search.candidates[item.candidate].route == "floor"
        ]
        return GenerateResult(
            out=self.request.out,
            status="interrupted" if self.interrupted else "finished",
            task=self.spec.slug,
            metric=self.spec.metric,
            winner=winner.candidate.label,
            score=winner.evaluation.score if winner.evaluation else None,
            floor_score=next(iter(found), None),
            candidates=len(self.search.candidates),
            seconds=round(self.seconds, 1),
            first_submission_seconds=self.first_submission_seconds,
        )

    def standing(self, doing: str) -> Standing:
        """How the run stands, for a display."""
        best = self.search.best
        text = "" if best is None else f"{self.spec.metric} {best.score:.5g}"
        return Standing(self.clock.elapsed, self.clock.limit, text, doing)


def run_folder(
    request: GenerateRequest, spec: TaskSpec, profile: Profile, popular: Mapping[str, int]
) -> Path:
    """The folder of this work under LINGUACODUS_HOME; the same work finds it again.

    popular: what the corpus says of this task's kind of data and metric; another count is other work.
    """
    profile_sha256 = hashlib.sha256(profile.model_dump_json().encode()).hexdigest()
    prompts = needed_prompts(request, request.prompt_set or profile.prompt_set)
    prompts_sha256 = hashlib.sha256("".join(prompt.sha256 for prompt in prompts).encode()).hexdigest()
    popular_sha256 = hashlib.sha256(repr(sorted(popular.items())).encode()).hexdigest()
    key = request.key(spec.data_sha256, profile_sha256, prompts_sha256, popular_sha256)
    return local_home() / "generations" / f"{spec.slug[:40]}-{key}"


@contextmanager
def open_run(
    request: GenerateRequest, spec: TaskSpec, profile: Profile, data: DataProfile, split: Split
) -> Iterator[Run]:
    """Open (or take up again) the run of this request.

    Raises LinguacodusError when another process is at the same work, StoreError when a folder
    cannot be written.
    """
    popular = current().counts(spec.data_types, spec.metric_category)
    folder = run_folder(request, spec, profile, popular)
    try:
        for place in (folder, local_home() / "predictions", request.out):
            place.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StoreError(
            f"cannot write {error.filename or folder}: {error.strerror}", "choose another --out folder"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LinguacodusError(
                "the same generation is running in another process",
                "wait for it, or ask for other work (another --seed, --profile or --sources)",
            ) from None
        shutil.rmtree(folder / "work", ignore_errors=True)
        (folder / "work").mkdir()
        yield Run(request, spec, profile, data, split, folder, popular)
