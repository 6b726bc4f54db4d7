"""The anytime search: which candidate runs next, which is best, and when to stop (DESIGN, "Generation")."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import RLock

from linguacodus_core.candidate import Candidate
from linguacodus_core.generation.clock import Clock
from linguacodus_core.generation.journal import Journal
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.metrics.scoring import better
from linguacodus_core.sandbox.machine import cores
from linguacodus_core.scoring.evaluation import CUT_SHORT, Evaluation
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.taskfolder.spec import TaskSpec

SHARE_OF_TIME = 0.3
"""The most of the time limit that one candidate may take on the hold-outs, or the winner on the full data."""

FINISH_SECONDS = 10.0
"""Kept back for the report and the outputs."""


@dataclass(frozen=True)
class Contender:
    """A candidate that may win, and what the harness found about it (None: never scored)."""

    candidate: Candidate
    evaluation: Evaluation | None


class Search:
    """The candidates of one run; every change goes to the journal first. Thread-safe."""

    def __init__(self, spec: TaskSpec, split: Split, clock: Clock, journal: Journal) -> None:
        self.spec = spec
        self.split = split
        self.clock = clock
        self.journal = journal
        self.candidates: dict[str, Candidate] = {}
        self.evaluations: dict[str, Evaluation] = {}
        self.instructions: list[Instruction] = []
        self.done: set[str] = set()
        self._waiting: list[Candidate] = []
        self._lock = RLock()
        self._replay()

    def _replay(self) -> None:
        for entry in self.journal.entries:
            if entry.step:
                self.done.add(entry.step)
            if entry.instruction:
                self.instructions.append(entry.instruction)
            if entry.candidate and entry.kind == "candidate":
                self._queue(entry.candidate)
            if entry.evaluation and entry.kind == "evaluation":
                cut_short = entry.evaluation.status in CUT_SHORT and entry.limit < self.clock.limit
                if not cut_short:
                    self._settle(entry.evaluation)

    def _queue(self, candidate: Candidate) -> bool:
        if candidate.id in self.candidates:
            return False
        self.candidates[candidate.id] = candidate
        self._waiting.append(candidate)
        return True

    def _settle(self, evaluation: Evaluation) -> None:
        self.evaluations[evaluation.candidate] = evaluation
        self._waiting = [item for item in self._waiting if item.id != evaluation.candidate]

    def offer(self, candidate: Candidate, step: str = "", calls: Sequence[str] = ()) -> bool:
        """Queue a candidate; False when the same program is known already."""
        with self._lock:
            if step or candidate.id not in self.candidates:
                self.journal.add("candidate", self.clock.elapsed, step=step, candidate=candidate, calls=calls)
            if step:
                self.done.add(step)
            return self._queue(candidate)

    def propose(self, candidate: Candidate) -> None:
        """Queue a candidate unless its plan was scored before, as a program of more or less effort.

        A twin that was not run gives way: with more time the same plan is another program.
        """
        with self._lock:
            twins = [
                item
                for item in self.candidates.values()
                if item.plan
                and item.id != candidate.id
                and (item.route, item.plan) == (candidate.route, candidate.plan)
            ]
            if any(item.id in self.evaluations for item in twins):
                return
            for twin in twins:
                del self.candidates[twin.id]
                self._waiting.remove(twin)
            self.offer(candidate)

    def learn(self, instruction: Instruction, step: str, calls: Sequence[str] = ()) -> None:
        """Keep an instruction that the model wrote."""
        with self._lock:
            self.journal.add(
                "instruction", self.clock.elapsed, step=step, instruction=instruction, calls=calls
            )
            self.instructions.append(instruction)
            self.done.add(step)

    def give_up(self, step: str, why: str, calls: Sequence[str] = ()) -> None:
        """Record that a step brought nothing; it is not tried again in this run. No step: only the calls."""
        with self._lock:
            self.journal.add("failure", self.clock.elapsed, step=step, note=why, calls=calls)
            self.done |= {step} - {""}

    def record(self, evaluation: Evaluation) -> bool:
        """Keep what the harness found; True when it is the best so far."""
        with self._lock:
            self.journal.add("evaluation", self.clock.elapsed, evaluation=evaluation, limit=self.clock.limit)
            self._settle(evaluation)
            return self.best is evaluation

    def next(self) -> Candidate | None:
        """The next candidate: what the model wrote before what the prior proposes, each in its order."""
        waiting = list(self._waiting)
        written = [item for item in waiting if item.route not in ("prior", "random")]
        return next(iter(written or waiting), None)

    @property
    def scored(self) -> list[Evaluation]:
        """The evaluations with a score, best first."""
        kept = [item for item in list(self.evaluations.values()) if item.score is not None]
        sign = 1 if self.spec.direction == "min" else -1
        return sorted(kept, key=lambda item: sign * (item.score or 0.0))

    @property
    def best(self) -> Evaluation | None:
        """The best evaluation so far."""
        return next(iter(self.scored), None)

    @property
    def ranked_instructions(self) -> list[str]:
        """Instruction ids by the score of their best program."""
        found = (self.candidates[item.candidate].instruction for item in self.scored)
        return list(dict.fromkeys(item for item in found if item))

    @property
    def written(self) -> int:
        """How many candidates came from the language model."""
        by_model = ("plan", "staged", "whole", "direct")
        return sum(item.route in by_model for item in list(self.candidates.values()))

    def full_run_seconds(self, members: Iterable[str]) -> float:
        """How long these candidates would need on the full data, by their hold-out runs."""
        runs = len(self.split.folds)
        inner = sum(fold.train_rows for fold in self.split.folds) / runs
        growth = max(1.0, self.spec.train_rows / max(1.0, inner)) * min(runs, cores()) / runs
        return sum(self.evaluations[item].seconds * growth * 1.1 + 3.0 for item in members)

    @property
    def reserve(self) -> float:
        """Seconds to keep for the winner's run on the full data (the best three, should they blend)."""
        top = [item.candidate for item in self.scored[:3]]
        return FINISH_SECONDS + min(self.full_run_seconds(top), SHARE_OF_TIME * self.clock.limit)

    @property
    def seconds_for_next(self) -> float:
        """The wall time that one more candidate may take now; 0 when the search should end."""
        left = self.clock.left - self.reserve
        return min(left, max(60.0, SHARE_OF_TIME * self.clock.limit)) if left > self._typical else 0.0

    @property
    def why_it_ended(self) -> str:
        """Why nothing more is run, "" when nothing is left to run."""
        if not self._waiting:
            return ""
        return (
            f"no time for another candidate: {self.clock.left:.0f} s are left, the winner's run on the full "
            f"data keeps {self.reserve:.0f} s of them, and a candidate takes some {self._typical:.0f} s"
        )

    @property
    def _typical(self) -> float:
        """Seconds that a candidate needs, by those that ran; a run is not begun with less."""
        ran = [item.seconds for item in list(self.evaluations.values()) if item.status == "scored"]
        return max(10.0, statistics.median(ran)) if ran else 10.0

    def history(self, most: int = 6) -> tuple[str, ...]:
        """Lines that tell the model what was tried and how it scored, best first."""
        tried = (self.candidates[item.candidate] for item in self.scored[:most])
        return tuple(
            f"{_choices(candidate)}: {self.spec.metric} {self.evaluations[candidate.id].score:.5g}"
            for candidate in tried
        )

    def beats(self, score: float, other: float) -> bool:
        """Whether a score is better in the metric's direction."""
        return better(score, other, self.spec.direction)


def _choices(candidate: Candidate) -> str:
    """What a candidate is made of, for the model: a plan's choices, else its label."""
    if not candidate.plan:
        return candidate.label
    kept = {name: value for name, value in candidate.plan.items() if name not in ("idea", "features")}
    features = [" ".join(map(str, feature.values())) for feature in candidate.plan.get("features", [])]
    return ", ".join([*(f"{name} {value}" for name, value in kept.items()), *features])
