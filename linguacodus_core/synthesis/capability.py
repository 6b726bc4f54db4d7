"""Whether the coder is strong enough for free code: one tiny but telling program, run and checked."""

import ast
import csv
import random
import tempfile
import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import LinguacodusError, UnusableReply
from linguacodus_core.instructions.context import ask
from linguacodus_core.llm.client import Client
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.sandbox.run import run_program
from linguacodus_core.sandbox.supervise import Cancelled
from linguacodus_core.synthesis.code_text import extract, syntax_error

SECONDS = 60.0
MAX_TOKENS = 640
LEAST_RIGHT = 0.7
"""Share of the tiny test's rows that a program must get right; the rule behind the data has no noise."""


class Capability(BaseModel):
    """What a model can be asked for. evidence: what it did, in words. calls: ledger keys."""

    model_config = ConfigDict(frozen=True)

    whole: bool
    staged: bool
    evidence: str
    model: str
    calls: tuple[str, ...] = ()

    @property
    def able(self) -> frozenset[str]:
        """The routes that are open to the model, by name."""
        return frozenset(name for name, open_ in (("staged", self.staged), ("whole", self.whole)) if open_)


def check(
    client: Client, *, work: Path, prompt_set: str = "default", isolation: str = "auto", seed: int = 0
) -> Capability:
    """Ask for one small program and run it as it is, without repair: one call, known to the ledger for good.

    whole: it ran and predicted sensibly. staged: the reply was at least Python that trains and
    predicts; a stage that fails falls back by itself, so little is asked.
    Raises what the client raises when the endpoint cannot be reached or the budget is spent, and
    LinguacodusError when the client is closed meanwhile.
    """
    model = client.profile.role("coder").model
    rendered = ask(prompt_set, "capability")
    try:
        reply = client.complete(
            "coder", rendered, seed=seed, max_tokens=MAX_TOKENS, temperature=0.0, allow_truncated=True
        )
    except UnusableReply as error:
        return Capability(whole=False, staged=False, evidence=error.problem, model=model)
    code, _ = extract(reply.text)
    known: dict[str, Any] = {"model": reply.model, "calls": reply.keys}
    if wrong := syntax_error(code):
        return Capability(whole=False, staged=False, evidence=f"its program does not parse: {wrong}", **known)
    names = {node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)}
    staged = "fit" in names and bool(names & {"predict", "predict_proba"})
    problem = _try(code, work, isolation, client.closing)
    if problem:
        return Capability(whole=False, staged=staged, evidence=f"its program failed: {problem}", **known)
    return Capability(
        whole=True, staged=True, evidence="its program ran at the first try and was right", **known
    )


def _try(code: str, work: Path, isolation: str, cancel: threading.Event) -> str:
    """What was wrong when the program ran on the tiny task, "" when nothing was."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="capability-", dir=work) as name:
        folder = Path(name)
        answers = _tiny_task(folder)
        place = folder / "run"
        place.mkdir()
        try:
            run = run_program(
                code,
                {file: folder / file for file in ("train.csv", "test.csv")},
                limits=Limits.for_machine(SECONDS),
                isolation=isolation,
                workdir=place,
                keep=["submission.csv"],
                cancel=cancel,
            )
        except Cancelled:
            raise LinguacodusError("the run ended while the model's capability was tried") from None
        if run.status != "ok":
            lines = run.stderr.strip().splitlines()
            return run.why or (lines[-1][:300] if lines else run.status)
        file = place / "submission.csv"
        if not file.is_file():
            return "it wrote no ./submission.csv"
        try:
            with file.open(encoding="utf-8", errors="replace", newline="") as stream:
                rows = list(csv.DictReader(stream))
            said = {row["id"].split(".")[0]: float(row["bought"]) for row in rows}
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            return f"its submission cannot be read: {error!r}"[:200]
    if set(said) != set(answers):
        return f"its submission has {len(said)} rows of other ids, {len(answers)} were wanted"
    right = sum((said[row] >= 0.5) == bool(answer) for row, answer in answers.items()) / len(answers)
    return "" if right >= LEAST_RIGHT else f"only {right:.0%} of its predictions are right"


def _tiny_task(folder: Path) -> dict[str, int]:
    """train.csv and test.csv of a made-up task in a folder; the answers of test by id."""
    chance = random.Random(20_240)
    answers: dict[str, int] = {}
    for name, rows, first in (("train.csv", 240, 1), ("test.csv", 60, 1001)):
        lines = [["id", "age", "city", "income", "note"] + (["bought"] if name == "train.csv" else [])]
        for row in range(first, first + rows):
            age, income = chance.randint(18, 80), chance.randint(10, 90) * 1000
            city = chance.choice(["Kyoto", "Lima", "Oslo"] + (["Turin"] if name == "test.csv" else []))
            day = f"{chance.randint(1, 28)} {chance.choice(['May', 'June'])}"
            note = f"{chance.choice(['called', 'wrote', 'came'])} on {day}"
            bought = int(income + 300 * age + 20_000 * (city == "Lima") > 65_000)
            shown = [str(row), str(age), city, str(income), note]
            if chance.random() < 0.1:
                shown[chance.choice([1, 2, 3])] = ""
            if name == "train.csv":
                shown.append(str(bought))
            else:
                answers[str(row)] = bought
            lines.append(shown)
        with (folder / name).open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(lines)
    return answers
