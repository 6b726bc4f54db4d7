"""The program of a blend: it holds its members' programs, runs each by itself and combines what they wrote.

A member runs in an interpreter of its own, from a file, exactly as it ran when it was scored: whatever it
does with globals, process pools or `__main__` keeps working. What combines them is the code that scored the
blend, copied from scoring.combine.
"""

import ast
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from linguacodus_core.candidate import Candidate
from linguacodus_core.scoring import alignment, combine, labels
from linguacodus_core.taskfolder.spec import TaskSpec

How = Literal["mean", "log mean", "rank mean", "soft", "vote"]

_WORDS: dict[How, str] = {
    "mean": "the weighted mean of their predictions",
    "log mean": "the weighted mean of their predictions' logarithms",
    "rank mean": "the weighted mean of their predictions' ranks",
    "soft": "the labels of the weighted mean of their soft predictions",
    "vote": "the label with the most weight",
}

_NEEDED: dict[How, tuple[Callable[..., object], ...]] = {
    "mean": (combine.weighted_mean,),
    "log mean": (combine.weighted_mean, combine.weighted_log_mean),
    "rank mean": (combine.weighted_mean, combine.weighted_rank_mean),
    "soft": (combine.weighted_mean, combine.decide),
    "vote": (combine.weighted_vote,),
}


@dataclass(frozen=True)
class Recipe:
    """How members are combined: the rule, how soft columns become labels, and which columns those are."""

    how: How
    decision: str = ""
    soft_columns: tuple[str, ...] = ()
    normalise: bool = False


_HEAD = '''"""{title}

{members}

Each program runs by itself, in this order, in this folder: it reads ./data and writes ./submission.csv.
The result is {words}, over the ids of data/{sample}.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ID = {id_column!r}
COLUMNS = {columns!r}
CLASSES = {classes!r}
MEMBERS = []  # (name, weight, program)

'''

_RUN = '''
def run(name: str, program: str) -> None:
    """Run one member in an interpreter of its own."""
    for file in ("submission.csv", "soft.csv"):
        Path(file).unlink(missing_ok=True)
    script = Path(f"{name}.py")
    script.write_text(program, encoding="utf-8", errors="replace")
    try:
        subprocess.run([sys.executable, str(script)], check=True)
    finally:
        script.unlink(missing_ok=True)


def read(file: str, sample: pd.DataFrame) -> pd.DataFrame:
    """What a member wrote, in the sample's order, without the id."""
    frame = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    frame.columns = [name.strip() for name in frame.columns]
    if ID in sample.columns:
        order = order_of(sample[ID], frame[ID])
        if order is None:
            raise SystemExit(f"{file}: other ids than the sample submission")
        frame = frame.iloc[order].drop(columns=ID)
    return frame.reset_index(drop=True)


def main() -> None:
    dialect = {"encoding": {encoding!r}, "sep": {delimiter!r}}
    sample = pd.read_csv("data/" + {sample!r}, dtype=str, keep_default_na=False, **dialect)
    parts = []
    for name, _, program in MEMBERS:
        run(name, program)
{read_part}
        parts.append(part)
    weights = [weight for _, weight, _ in MEMBERS]
{combine}
    submission = sample.copy()
    submission[COLUMNS] = blended[COLUMNS]
    submission.to_csv("submission.csv", index=False)


if __name__ == "__main__":
    main()
'''

_READ_NUMBERS = """        part = read("submission.csv", sample)[COLUMNS].apply(numbers)"""
_READ_CHANCES = _READ_NUMBERS + ".clip(0, 1)"
_READ_SUM = _READ_CHANCES + "\n        part = part.div(part.sum(axis=1), axis=0)"
_READ_LABELS = """        part = read("submission.csv", sample)[COLUMNS].apply(to_classes, classes=CLASSES)"""
_READ_TARGETS = """        part = read("submission.csv", sample)[COLUMNS]
        part = part.apply(lambda column: to_classes(column, classes=TARGET_CLASSES[column.name]))"""
_READ_SOFT = """        part = read("soft.csv", sample)
        by_label = dict(zip(spell(pd.Series(SOFT, dtype=object)), SOFT, strict=True))
        if set(part.columns) != set(SOFT):
            part.columns = [by_label.get(key, key) for key in spell(pd.Series(part.columns, dtype=object))]
        part = part[SOFT].apply(numbers)"""

_COMBINE: dict[How, str] = {
    "mean": "    blended = weighted_mean(parts, weights)",
    "log mean": "    blended = weighted_log_mean(parts, weights)",
    "rank mean": "    blended = weighted_rank_mean(parts, weights)",
    "soft": """    soft = weighted_mean(parts, weights)
    ids = sample[[ID]] if ID in sample.columns else pd.DataFrame(index=sample.index)
    ids.join(soft).to_csv("soft.csv", index=False)
    blended = decide(soft, COLUMNS, CLASSES, DECISION)""",
    "vote": "    blended = weighted_vote(parts, weights)",
}


def write_blend(
    members: Sequence[tuple[Candidate, float]],
    spec: TaskSpec,
    recipe: Recipe,
    *,
    columns: Sequence[str],
    classes: Sequence[str],
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> str:
    """The text of a blend's program. members: candidates and their weights, the heaviest first.

    columns: the submission's, without the id. encoding, delimiter: of the task's sample submission.
    """
    names = [_name(number, candidate.label) for number, (candidate, _) in enumerate(members, 1)]
    lines = [
        f"{name}: {candidate.label} (weight {weight:.0%})".replace("\\", "/").replace('"', "'")
        for name, (candidate, weight) in zip(names, members, strict=True)
    ]
    text = _HEAD.format(
        title=f"A blend of {len(members)} programs.",
        members="\n".join(lines),
        words=_WORDS[recipe.how],
        sample=spec.sample_file,
        id_column=spec.id_column,
        columns=list(columns),
        classes=list(classes),
    )
    if recipe.how == "soft":
        text += f"SOFT = {list(recipe.soft_columns)!r}\nDECISION = {recipe.decision!r}\n\n"
    by_target = recipe.how == "vote" and bool(spec.target_classes)
    if by_target:
        text += f"TARGET_CLASSES = { {name: list(spec.labels_of(name)) for name in columns}!r}\n\n"
    for name, (candidate, weight) in zip(names, members, strict=True):
        text += f"\n# {'-' * 20} {name} {'-' * 20}\n"
        text += f"MEMBERS.append(({name!r}, {weight!r}, {literal(candidate.program)}))\n"
    text += f"\n# {'-' * 20} how they are combined {'-' * 20}\n\n"
    helpers: tuple[Callable[..., object], ...] = (
        alignment.id_spellings,
        alignment.order_of,
        labels.spell,
        labels.to_classes,
        labels.numbers,
    )
    text += "\n\n".join(inspect.getsource(function) for function in (*helpers, *_NEEDED[recipe.how]))
    read_part = {"soft": _READ_SOFT, "vote": _READ_LABELS}.get(recipe.how, _READ_NUMBERS)
    if by_target:
        read_part = _READ_TARGETS
    if spec.prediction == "probability":
        read_part = _READ_SUM if recipe.normalise else _READ_CHANCES
    body = _RUN.replace("{read_part}", read_part).replace("{combine}", _COMBINE[recipe.how])
    for key, value in {"sample": spec.sample_file, "encoding": encoding, "delimiter": delimiter}.items():
        body = body.replace("{" + key + "!r}", repr(value))
    return text + "\n" + body


def _name(number: int, label: str) -> str:
    return f"member_{number}_{re.sub(r'[^a-z0-9]+', '_', label.lower()).strip('_')[:40]}".rstrip("_")


def literal(source: str) -> str:
    """A Python expression that is exactly this text, over several readable lines where that is possible."""
    escaped = source.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")
    for text in (f"r'''{source}'''", f'r"""{source}"""', f"'''{escaped}'''"):
        try:
            if ast.literal_eval(text) == source:
                return text
        except (SyntaxError, ValueError):
            continue
    return repr(source)
