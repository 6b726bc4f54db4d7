"""The statements of a program as they are gathered, and the verified blocks that they call."""

from linguacodus_core.synthesis.hyper import Effort
from linguacodus_core.synthesis.objective import Objective, class_sizes, is_ordinal, objective_of, problem_of
from linguacodus_core.synthesis.plan import PipelinePlan
from linguacodus_core.synthesis.wording import call
from linguacodus_core.taskfolder.rankings import ranking_of
from linguacodus_core.taskfolder.spec import TaskSpec

VECTORS = {"word": "word_tfidf", "char": "char_tfidf", "word_char": "text_tfidf"}
"""Blocks of text.py that give a sparse matrix, by plan.text."""


class Statements:
    """What is known of one program, its lines so far, and the blocks that they call."""

    def __init__(self, plan: PipelinePlan, spec: TaskSpec, effort: Effort) -> None:
        self.plan = plan
        self.spec = spec
        self.effort = effort
        self.problem = problem_of(spec)
        self.ordinal = is_ordinal(spec)
        self.objective: Objective = objective_of(spec)
        self.ranked = ranking_of(spec) is not None and self.problem in ("binary", "multiclass")
        self.renamed = _renamed(spec)
        self.wanted: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.sizes = class_sizes(spec)
        self.exclusive = self.problem == "multilabel" and plan.labels == "exclusive" and not self.sizes
        self.sparse = bool(spec.text_columns) and plan.text in VECTORS
        self.network = bool(spec.image_column) and plan.image == "network"
        self.timed = bool(spec.time_column) and plan.validation == "time"
        series = self.problem == "regression" and len(spec.targets) == 1 and spec.time_column
        self.trend = bool(series) and plan.time == "trend" and not self.ordinal
        self.lags = bool(series) and plan.time == "lags" and not self.ordinal

    def use(self, module: str, name: str) -> str:
        """A block by its name, noted as wanted."""
        if (module, name) not in self.wanted:
            self.wanted.append((module, name))
        return name

    def say(self, *lines: str) -> None:
        """Add statements of a function's body."""
        self.lines.extend(line if not line or line.startswith(" ") else f"    {line}" for line in lines)

    def call(self, module: str, name: str, *arguments: str, target: str = "", indent: int = 4) -> None:
        """Add a statement that calls a block."""
        self.lines.append(call(self.use(module, name), *arguments, target=target, indent=indent))

    def _labels(self) -> bool:
        return self.problem in ("binary", "multiclass")

    def _scale(self) -> str:
        if self.ordinal or self.plan.target == "none":
            return "plain"
        chosen = self.plan.target if self.plan.target != "auto" else self.objective.scale
        if self.objective.score == "score_rmse_of_log" and chosen == "none":
            chosen = "log1p"
        return {"log1p": "log", "yeo_johnson": "power"}.get(chosen, "plain")


def _renamed(spec: TaskSpec) -> dict[str, str]:
    """Train's names of the targets -> the submission's, where these differ; programs use the latter."""
    columns = [name for name in spec.submission_columns if name != spec.id_column]
    if spec.layout != "targets" or len(columns) != len(spec.targets):
        return {}
    pairs = zip(spec.targets, columns, strict=True)
    return {target: column for target, column in pairs if target != column}
