"""Writing a plan as one readable standalone program, from the source of verified blocks."""

from typing import Any

from linguacodus_core.synthesis.fitting import IMAGE_MODELS, TEXT_MODELS, Answers, Fitting
from linguacodus_core.synthesis.hyper import SECONDS, Effort, rounds, settings
from linguacodus_core.synthesis.plan import TREES, PipelinePlan, adapt
from linguacodus_core.synthesis.preparation import Preparation
from linguacodus_core.synthesis.source import collect, import_lines
from linguacodus_core.synthesis.wording import constant, prose
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

_PATIENT = (
    'os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads must not spin while others work'
)


class _Writer(Preparation, Fitting, Answers):
    """One program: its statements and its constants."""

    def constants(self, seconds: float) -> list[str]:
        """The constants at the head of the program."""
        spec, plan = self.spec, self.plan
        found: list[tuple[str, Any]] = [
            ("TRAIN_FILE", spec.train_file),
            ("TEST_FILE", spec.test_file),
            ("SAMPLE_FILE", spec.sample_file),
            ("ID", spec.id_column),
            ("TARGETS", [self.renamed.get(name, name) for name in spec.targets]),
            ("COLUMNS", list(spec.submission_columns)),
        ]
        if spec.dialects:
            found.append(("DIALECTS", {name: dialect.options for name, dialect in spec.dialects.items()}))
        if self.renamed:
            found.append(("RENAMED", self.renamed))
        if self._labels():
            found.append(("CLASSES", list(spec.classes)))
        if self.problem == "multilabel" and spec.target_classes:
            labels = {self.renamed.get(name, name): list(spec.labels_of(name)) for name in spec.targets}
            found.append(("TARGET_CLASSES", labels))
        if spec.layout == "class_columns":
            columns = [name for name in spec.submission_columns if name != spec.id_column]
            found.append(("CLASS_COLUMNS", columns))
        if spec.tables:
            found.append(("SIDE_TABLES", {table.file: table.key for table in spec.tables}))
        if spec.time_column:
            found.append(("TIME", spec.time_column))
        if spec.group_column:
            found.append(("GROUP", spec.group_column))
        if spec.text_columns:
            found.append(("TEXT", list(spec.text_columns)))
        if spec.image_column:
            found.append(("IMAGE", spec.image_column))
        found.append(("DROP", self.constants_drop))
        found.append(("METRIC", spec.metric))
        if self.problem == "regression" and not self.ordinal:
            found.append(("GREATER", self.objective.greater))
        found += self.objective.constants
        sparse_trees = self.sparse and plan.family in TREES
        chosen = settings(plan, self.effort, sparse=sparse_trees)
        if (self.sparse and plan.family in TEXT_MODELS) or self.network:
            chosen = {}
        if spec.image_column and plan.family in IMAGE_MODELS and chosen:
            chosen = {"C": chosen["C"] * IMAGE_MODELS[plan.family][1]}
        found += [
            ("FOLDS", plan.folds),
            ("SEEDS", plan.seeds),
            ("ROUNDS", rounds(plan, self.effort)),
            ("TIME_BUDGET", seconds),
            ("SETTINGS", chosen),
        ]
        return [constant(name, value) for name, value in found]


def render(
    plan: PipelinePlan,
    spec: TaskSpec,
    *,
    instruction_note: str = "",
    effort: Effort = "normal",
    seconds: float | None = None,
) -> str:
    """The plan's program for the task: standalone, deterministic in its text, keeping the program contract.

    effort: how many trees and how much time; seconds: the time budget, when it is not to follow from
    effort. instruction_note: a line for the docstring. Whatever in the plan does not fit its model
    family is adapted; columns that the data lack count as missing when the program runs.
    """
    plan, notes = adapt(plan)
    if spec.image_column and plan.image == "none":
        plan = plan.model_copy(update={"image": "colours"})
    if spec.text_columns and plan.text == "none" and spec.data_type == DataType.TEXT:
        plan = plan.model_copy(update={"text": "word_char" if plan.family not in TREES else "svd"})
    writer = _Writer(plan, spec, effort)
    writer.reading()
    writer.features()
    writer.encoding()
    writer.fitting()
    writer.answering()
    body = "\n".join(line for line in writer.lines if line is not None)
    collected = collect(writer.wanted)
    imports = dict(collected.imports)
    imports |= {"os": ("os", None), "time": ("time", None), "np": ("numpy", None)}
    if "partial(" in body:
        imports["partial"] = ("functools", "partial")
    parts = [
        f'"""{_docstring(plan, spec, instruction_note, notes)}\n"""\n',
        import_lines(imports, between=_PATIENT) + "\n",
        "\n".join(writer.constants(SECONDS[effort] if seconds is None else float(seconds))),
        "\n\n" + collected.text + "\n\n",
        'def main() -> None:\n    """Read, fit fold by fold, write the submission."""\n' + body,
        '\n\nif __name__ == "__main__":\n    main()\n',
    ]
    program = "\n".join(parts)
    compile(program, "solution.py", "exec")
    return program


def _docstring(plan: PipelinePlan, spec: TaskSpec, note: str, notes: tuple[str, ...]) -> str:
    """What the program is for, in words: task, plan, idea."""
    lines = [
        prose(
            f"{spec.title or spec.slug}: {spec.problem} of {', '.join(spec.targets[:8])}, {spec.metric}.", 300
        )
    ]
    lines.append("")
    shown = plan.model_dump(exclude={"idea", "features"}, exclude_defaults=True) | {"family": plan.family}
    text = ", ".join(
        f"{name} {value}" for name, value in sorted(shown.items(), key=lambda item: item[0] != "family")
    )
    lines.append(prose(f"Plan: {text}; {len(plan.features)} made features.", 500))
    lines += [prose(f"Idea: {plan.idea}", 260)] if plan.idea.strip() else []
    lines += [prose(f"From: {note}", 300)] if note.strip() else []
    lines += [prose(f"Adapted: {'; '.join(notes)}.", 400)] if notes else []
    lines.append(
        "Reads ./data, writes ./submission.csv (and ./soft.csv: the same before rounding or thresholds)."
    )
    return "\n".join(lines)
