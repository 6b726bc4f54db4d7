"""The whole route: the model writes the entire program; and the direct one, one question, for comparison."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import BudgetExceeded, EndpointError, UnusableReply
from linguacodus_core.instructions.context import Profiled, ask, context_length, cut, defused, known_values
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.prompts import Rendered, has
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.synthesis.code_text import extract, syntax_error
from linguacodus_core.synthesis.dryrun import DryRun, fault
from linguacodus_core.synthesis.plan_route import origin_label
from linguacodus_core.synthesis.repair import repair, repair_after
from linguacodus_core.taskfolder.spec import TaskSpec

TEMPERATURE = 0.3
HOTTER = 0.35
LEAST_SECONDS = 25.0
SECTIONS = ("code_preprocessing", "code_architecture", "code_training", "code_submission")
_MECHANICAL = 3


def _told(spec: TaskSpec, profile: Profiled, instruction: Instruction | None, context: int) -> dict[str, Any]:
    named = f" ({', '.join(spec.classes[:12])})" if spec.classes else ""
    outputs = {
        "probability": "probabilities between 0 and 1 (predict_proba), not labels",
        "label": f"labels as they stand in the train file{named}",
        "value": "numbers",
    }
    return known_values(spec, profile, context) | {
        "instruction": cut(defused(instruction.text), context // 10) if instruction else "",
        "submission_columns": defused(", ".join(spec.submission_columns[:40])),
        "output": defused(outputs[spec.prediction]),
    }


def write_direct(
    client: Client, spec: TaskSpec, profile: Profiled, *, seed: int, prompt_set: str = "default"
) -> Candidate:
    """A candidate from one direct question: no instruction, repair or dry run; only its fences are removed.

    Raises UnusableReply when the model answers nothing.
    """
    rendered = ask(prompt_set, "direct", **_told(spec, profile, None, context_length(client)))
    reply = client.complete("coder", rendered, seed=seed, temperature=TEMPERATURE, allow_truncated=True)
    code, _ = extract(reply.text)
    if not code.strip():
        raise UnusableReply("the model's reply holds no program", "use a stronger coder")
    return Candidate(
        route="direct",
        label="direct question",
        program=code,
        origin={"program": "model"},
        calls=reply.keys,
        prompts=(rendered.prompt,),
    )


def write_whole(
    client: Client,
    instruction: Instruction | None,
    spec: TaskSpec,
    profile: Profiled,
    *,
    split: Split,
    work: Path,
    seed: int,
    prompt_set: str = "default",
    isolation: str = "auto",
    seconds: float | None = None,
    rounds: int = 2,
) -> Candidate:
    """A candidate that the model wrote whole, repaired without and, at most `rounds` times, by the model.

    Each version is run on a sample of the first hold-out's visible files. With a set that has the
    paper's code sections, they are asked for one by one and then integrated. A program that
    still fails when rounds or `seconds` are spent comes back all the same: its origin says so, and
    the harness has the last word.
    Raises UnusableReply when the model gives no program at all.
    """
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    told = _told(spec, profile, instruction, context_length(client))
    calls: list[str] = []
    prompts: list[str] = []

    def asked(rendered: Rendered, attempt: int) -> str:
        left = until - time.monotonic()
        reply = client.complete(
            "coder",
            rendered,
            seed=seed + 31 * attempt,
            temperature=min(TEMPERATURE + attempt * HOTTER, 1.0),
            timeout=max(left, 5.0) if left < float("inf") else None,
            allow_truncated=True,
        )
        calls.extend(reply.keys)
        prompts.append(rendered.prompt)
        return reply.text

    reply = asked(_question(prompt_set, told, asked), 0)
    code, repairs = repair(reply, spec)
    state = ""
    with DryRun(spec, split, work, isolation, until=until, cancel=client.closing) as dry:
        for attempt in range(rounds + 1):
            code, done, state = _mended(code, dry, spec)
            repairs += done
            if not state or attempt == rounds or time.monotonic() + LEAST_SECONDS > until:
                break
            what = "It must stay one complete program that reads ./data and writes ./submission.csv."
            question = ask(
                "default",
                "repair",
                code=cut(defused(code.strip()), 1600),
                error=cut(defused(state), 220),
                what=what,
                **told,
            )
            try:
                again, more = repair(asked(question, attempt + 1), spec)
            except (UnusableReply, BudgetExceeded, EndpointError) as error:
                state += f" (and no repair: {error.problem})"
                break
            if again.strip():
                code = again
                repairs += [f"repaired by the model from its traceback (round {attempt + 1})", *more]
    if not code.strip():
        raise UnusableReply("the model's reply holds no program", "use a stronger coder")
    return Candidate(
        route="whole",
        label=f"whole program, {origin_label(instruction)}",
        program=code,
        instruction=instruction.id if instruction else None,
        origin={
            "program": "model" + (f"; fails on a sample: {' '.join(state.split())[:300]}" if state else "")
        },
        calls=tuple(calls),
        prompts=tuple(dict.fromkeys(prompts)),
        repairs=tuple(dict.fromkeys(repairs)),
    )


def _question(prompt_set: str, told: Mapping[str, Any], asked: Any) -> Rendered:
    """The question for the whole program; the paper asks for its sections first."""
    if not has(prompt_set, SECTIONS[0]):
        return ask(prompt_set, "whole", **told)
    sections = ""
    for section in SECTIONS:
        reply = asked(ask(prompt_set, section, sections=sections, **told), 0)
        sections += f"# {section.removeprefix('code_')}\n{extract(reply)[0].strip()}\n\n"
    return ask(prompt_set, "integration", sections=cut(sections.strip(), 2500), **told)


def _mended(code: str, dry: DryRun, spec: TaskSpec) -> tuple[str, list[str], str]:
    """(code, repairs, what is still wrong) after the repairs that need no model."""
    done: list[str] = []
    for _ in range(_MECHANICAL):
        if error := syntax_error(code):
            return code, done, error
        if not (error := dry.run(code)):
            return code, done, ""
        code, more = repair_after(code, error, spec)
        if not more:
            return code, done, fault(error)
        done += more
    error = dry.run(code)
    return code, done, fault(error) if error else ""
