"""The staged route: the paper's sequence of code sections inside our skeleton, each run and checked at once.

The model writes preprocess, build_model, train_model and predict one after the other. Each is repaired
without a model first, then run in the sandbox on a sample of the inner split, together with the
stages accepted before it and the fallbacks of those after it. What fails goes back to the model with
its own traceback, at most `attempts` times, at a rising temperature: first to be mended, then to be
written anew, because small models repeat their code. After that the fallback stands.
"""

import ast
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import (
    BudgetExceeded,
    EndpointError,
    LinguacodusError,
    PromptTooLong,
    UnusableReply,
)
from linguacodus_core.instructions.context import Profiled, ask, context_length, cut, defused, known_values
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.llm.client import Client
from linguacodus_core.scoring.holdout import Split
from linguacodus_core.synthesis.code_text import syntax_error
from linguacodus_core.synthesis.dryrun import DryRun, fault
from linguacodus_core.synthesis.edits import apply
from linguacodus_core.synthesis.plan_route import origin_label
from linguacodus_core.synthesis.repair import repair, repair_after
from linguacodus_core.synthesis.repair_rules import target_untouched
from linguacodus_core.synthesis.skeleton import (
    FALLBACKS,
    KNOWN,
    PARAMETERS,
    STAGES,
    Columns,
    outcome,
    render_skeleton,
    supports,
)
from linguacodus_core.taskfolder.spec import TaskSpec

TEMPERATURE = 0.3
HOTTER = 0.35
"""What a repair adds to the temperature: at the same one, small models repeat what failed word by word."""
MAX_TOKENS = {"preprocess": 480, "build_model": 240, "train_model": 240, "predict": 120}
LEAST_SECONDS = 20.0
"""A stage is not asked for when less time is left."""
_MECHANICAL = 3


@dataclass
class _Work:
    """What one staged program has come to so far."""

    bodies: dict[str, str] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    ended: LinguacodusError | None = None
    """Why the model is not asked for the stages that are left."""


def stage_code(reply: str, stage: str, targets: Collection[str] = ()) -> tuple[str, list[str], str]:
    """(code, repairs, what is wrong): the function of a stage out of a reply; "" is wrong when nothing is.

    What stands beside the function (calls, example data) is dropped; imports, constants and helper
    functions stay. Imports are added without a word: the prompt promises them. A function under
    another name, the only one, is taken for it.
    """
    code, notes = repair(reply, known=KNOWN)
    notes = [
        note
        for note in notes
        if not note.startswith(("took the code", "dropped the prose", "added the missing import"))
    ]
    if error := syntax_error(code):
        return code, notes, error
    if stage == "preprocess":
        code, done = apply(code, target_untouched(targets))
        notes += dict.fromkeys(done)
    tree = ast.parse(code)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    own = next((node for node in functions if node.name == stage), None)
    if own is None and len(functions) == 1:
        own = functions[0]
        notes.append(f"the function {own.name} taken for {stage}")
        code = re.sub(rf"\bdef {re.escape(own.name)}\b", f"def {stage}", code, count=1)
        tree = ast.parse(code)
        own = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    if own is None:
        return code, notes, f"there is no function {stage} in the reply"
    expected = len(PARAMETERS[stage])
    given = len(own.args.args) + len(own.args.posonlyargs)
    optional = len(own.args.defaults)
    if not given - optional <= expected <= given and own.args.vararg is None:
        wanted = ", ".join(PARAMETERS[stage])
        return code, notes, f"{stage} must take the parameters ({wanted})"
    if not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(own)):
        code = _with_return(code, own, stage)
        if not code:
            return code, notes, f"{stage} returns nothing"
        notes.append("added the missing return")
        tree = ast.parse(code)
    kept: list[ast.stmt] = []
    for node in tree.body:
        other = isinstance(node, ast.FunctionDef) and node.name in STAGES and node.name != stage
        constant = isinstance(node, ast.Assign) and not any(isinstance(x, ast.Call) for x in ast.walk(node))
        named = [part.id for part in getattr(node, "targets", ()) if isinstance(part, ast.Name)]
        if (isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef) and not other) or (
            constant and not KNOWN & set(named)
        ):
            kept.append(node)
    if len(kept) < len(tree.body):
        notes.append("dropped what stood beside the function")
        lines = code.splitlines()
        first = [
            min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) for node in kept
        ]
        code = "\n\n".join(
            "\n".join(lines[start - 1 : node.end_lineno]) for start, node in zip(first, kept, strict=True)
        )
    return code.strip("\n") + "\n", notes, ""


def _with_return(code: str, function: ast.FunctionDef, stage: str) -> str:
    """The code with `return` of what the stage plainly made, "" when that is not plain."""
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    stored |= {argument.arg for argument in function.args.args}
    wanted = {
        "preprocess": ("X", "y", "X_test"),
        "build_model": ("model",),
        "train_model": (function.args.args[0].arg,),
        "predict": ("predictions",),
    }[stage]
    if not stored.issuperset(wanted):
        return ""
    lines = code.splitlines()
    end = function.end_lineno or len(lines)
    indent = " " * function.body[-1].col_offset
    return "\n".join([*lines[:end], f"{indent}return {', '.join(wanted)}", *lines[end:]]) + "\n"


def _without_imports(code: str) -> str:
    lines = [line for line in code.strip().splitlines() if not re.match(r"(import|from)\s", line)]
    return re.sub(r"\n\s*\n+", "\n", "\n".join(lines)).strip()


def _shown(names: tuple[str, ...] | list[str], most: int = 24) -> str:
    listed = [defused(str(name))[:40] for name in names[:most]]
    return "[" + ", ".join(map(repr, listed)) + (", ..." if len(names) > most else "") + "]"


def _told(spec: TaskSpec, columns: Columns, instruction: Instruction | None, context: int) -> dict[str, Any]:
    """What the stage prompts say besides the task."""
    kinds = {
        "classes": f"classes as the codes 0 to {max(len(spec.classes), 2) - 1}",
        "numbers": "numbers",
        "grades": "numbers (grades, rounded later)",
    }
    outputs = {
        "classes": "the class probabilities of fitted.predict_proba(X_test), one row a row of X_test",
        "numbers": "one number a row of X_test, a 1-D array",
        "grades": "one number a row of X_test, a 1-D array",
    }
    target = spec.targets[0] if len(spec.targets) == 1 else list(spec.targets[:12])
    return {
        "instruction": cut(defused(instruction.text), context // 10)
        if instruction
        else "Do what suits the data.",
        "target": repr(target),
        "id": repr(spec.id_column),
        "numeric": _shown(columns.numeric),
        "categorical": _shown(columns.categorical),
        "dates": _shown(columns.dates),
        "text": _shown(columns.text),
        "problem": kinds[outcome(spec)],
        "output": outputs[outcome(spec)],
        "shape": f"a DataFrame of numbers with {spec.train_rows} rows",
        "methods": "fit, predict and predict_proba" if outcome(spec) == "classes" else "fit and predict",
    }


def write_staged(
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
    attempts: int = 2,
) -> Candidate:
    """A candidate whose four stages are the model's where they work, ours where they do not.

    split: the sample on which stages are run comes from the first hold-out's visible files. work: a
    folder for it, left empty. seconds: when they are up, the stages that are left fall back.
    `origin` says of each stage "model", "model, repaired: ..." or "fallback: reason"; repairs are
    named as "stage: repair".
    Raises LinguacodusError when the task's data are not for this route or not even the fallbacks
    run, UnusableReply when no stage is the model's (the program would be none of its own), or what
    ended the asking: BudgetExceeded, EndpointError.
    """
    if reason := supports(spec):
        raise LinguacodusError(reason, "the plan route does these")
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    if time.monotonic() + LEAST_SECONDS > until:
        raise UnusableReply("the time was up before the first stage", "give the run more time (--time-limit)")
    with DryRun(spec, split, work, isolation, until=until, cancel=client.closing) as dry:
        if error := dry.run(render_skeleton(spec, dry.columns)):
            raise LinguacodusError(
                f"the skeleton of the staged route does not run on this task: {error[-400:]}"
            )
        context = context_length(client)
        told = known_values(spec, profile, context) | _told(spec, dry.columns, instruction, context)
        state = _Work()
        for stage in STAGES:
            if state.ended:
                state.origin[stage] = f"fallback: {state.ended.problem}"
                continue
            if time.monotonic() + LEAST_SECONDS > until:
                state.origin[stage] = "fallback: the time was up"
                continue
            _stage(client, spec, dry, stage, told, state, seed, prompt_set, until, attempts)
        if not state.bodies and state.ended:
            raise state.ended
        if not state.bodies:
            reasons = "; ".join(f"{stage}: {why}" for stage, why in state.origin.items())
            raise UnusableReply(f"none of the four stages is the model's ({reasons})", "use a stronger coder")
        program = render_skeleton(spec, dry.columns, state.bodies)
    share = f"{len(state.bodies)} of 4 stages by the model"
    return Candidate(
        route="staged",
        label=f"staged, {origin_label(instruction)}: {share}",
        program=program,
        instruction=instruction.id if instruction else None,
        origin=state.origin,
        calls=tuple(state.calls),
        prompts=tuple(dict.fromkeys(state.prompts)),
        repairs=tuple(dict.fromkeys(state.repairs)),
    )


def _stage(
    client: Client,
    spec: TaskSpec,
    dry: DryRun,
    stage: str,
    told: Mapping[str, Any],
    state: _Work,
    seed: int,
    prompt_set: str,
    until: float,
    attempts: int,
) -> None:
    """One stage: asked, repaired, run, asked again; its body and origin are put into the state."""
    model = state.bodies.get("build_model", FALLBACKS["build_model"]).strip()
    if stage == "predict":
        model += "\n\n" + state.bodies.get("train_model", FALLBACKS["train_model"]).strip()
    rendered = ask(prompt_set, f"stage_{stage}", model=model, error="", **told)
    why = ""
    seen: set[str] = set()
    for attempt in range(attempts + 1):
        left = until - time.monotonic()
        if attempt and left < LEAST_SECONDS:
            why += " (then the time was up)"
            break
        try:
            reply = client.complete(
                "coder",
                rendered,
                seed=seed + 31 * attempt + STAGES.index(stage),
                max_tokens=MAX_TOKENS[stage],
                temperature=min(TEMPERATURE + attempt * HOTTER, 1.0),
                timeout=left if left < float("inf") else None,
                allow_truncated=True,
            )
        except UnusableReply as error:
            why = error.problem
            continue
        except (BudgetExceeded, EndpointError) as error:
            why = error.problem
            state.ended = None if isinstance(error, PromptTooLong) else error
            break
        state.calls += reply.keys
        state.prompts.append(rendered.prompt)
        code, notes, wrong = stage_code(reply.text, stage, spec.targets)
        if code in seen:
            continue
        seen.add(code)
        why = wrong
        mechanical: list[str] = []
        while not why:
            failure = dry.run(render_skeleton(spec, dry.columns, state.bodies | {stage: code}))
            if not failure:
                done = [f"{attempt} time{'s' if attempt > 1 else ''} from its traceback"] if attempt else []
                done += [*notes, *mechanical]
                state.bodies[stage] = code
                state.origin[stage] = "model" + (f", repaired: {'; '.join(done)}" if done else "")
                state.repairs += [f"{stage}: {note}" for note in done]
                return
            code, more = repair_after(code, failure, spec, KNOWN)
            mechanical += more
            if not more or len(mechanical) > _MECHANICAL:
                why = fault(failure)
        shown = cut(defused(why), 220)
        if attempt == 0:
            rendered = ask(
                prompt_set,
                "repair",
                code=cut(defused(_without_imports(code)), 700),
                error=shown,
                what=f"It must stay the function {stage}({', '.join(PARAMETERS[stage])}).",
                **told,
            )
        else:
            rendered = ask(prompt_set, f"stage_{stage}", model=model, error=shown, **told)
    state.origin[stage] = f"fallback: {' '.join(why.split())[:300]}"
