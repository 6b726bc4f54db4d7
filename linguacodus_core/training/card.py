"""README.md of an adapter: a model card as the hub reads it, with what it was trained on and how it fared."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from linguacodus_core.llm import models
from linguacodus_core.llm.engines import VLLM_RANKS
from linguacodus_core.training.base import EMBEDDED
from linguacodus_core.training.evaluation import Comparison
from linguacodus_core.training.gate import change
from linguacodus_core.training.job import Job
from linguacodus_core.training.measures import counted
from linguacodus_core.training.verdict import Verdict

CARD = "README.md"
HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
TAGS = ("lora", "linguacodus", "kaggle", "machine-learning-instructions")


def card(job: Job, kind: str, comparison: Comparison, verdict: Verdict) -> str:
    """The card of the adapter that a stage (sft, dpo) of the job made, in Markdown.

    Raises TrainingError where the job's tables are missing or damaged.
    """
    name = job.adapter_name(kind)
    parts = [
        _front_matter(job, kind),
        f"# {name}",
        _purpose(job, kind, verdict),
        "## Results",
        _results(comparison),
        _checks(verdict),
        "## Trained on",
        _trained_on(job, kind),
        "## How",
        _how(job, kind),
        "## Limits",
        _limits(job, comparison),
        "## Use",
        _use(job, name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def base_model(spec: str) -> str:
    """The base's name on the hub; of a folder or a file its own name, never where it lies."""
    if spec.startswith(EMBEDDED):
        name = spec.removeprefix(EMBEDDED)
        known = next((model for model in models.list_models() if name in (model.name, *model.aliases)), None)
        found = re.match(r"https://huggingface\.co/([\w.-]+/[\w.-]+)/", known.url or "") if known else None
        return found.group(1) if found else Path(name).stem if name.endswith(".gguf") else name
    return spec if HUB.fullmatch(spec) else Path(spec).name


def _front_matter(job: Job, kind: str) -> str:
    """JSON strings are YAML strings, whatever stands in them."""
    base = json.dumps(base_model(job.base), ensure_ascii=False)
    lines = [
        f"base_model: {base}",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "language: en",
        "tags:",
    ]
    lines += [f"- {tag}" for tag in (*TAGS, kind)]
    return "\n".join(["---", *lines, "---"])


def _purpose(job: Job, kind: str, verdict: Verdict) -> str:
    how = "on preferences (DPO), after fine-tuning" if kind == "dpo" else "by supervised fine-tuning"
    lines = [
        f"A LoRA adapter of {_code(base_model(job.base))}, tuned {how}. From the description of a "
        "machine-learning competition it writes a short instruction - data preprocessing, model "
        "architecture, model training - of the solution that takes the place it is asked for. Linguacodus "
        "turns such instructions into programs.",
        "The gate **passed** it: it beats what it was tuned from on every check below."
        if verdict.passed
        else "The gate **refused** it: it does not beat what it was tuned from on every check below.",
    ]
    if job.shuffled:
        lines.append("**A control**: it was trained on completions of other competitions. Do not use it.")
    return "\n\n".join(lines)


def _results(comparison: Comparison) -> str:
    of = comparison.competitions
    rows = [
        (
            row.metric,
            "less" if row.better == "less" else "more",
            f"{row.base:.3f}",
            f"{row.tuned:.3f}",
            change(row),
        )
        for row in comparison.rows
    ]
    table = _markdown(("measure", "better", comparison.base, comparison.tuned, "difference"), rows)
    left_out = [f"{metric} is not known: {why}." for metric, why in comparison.left_out.items()]
    words = (
        f"On {counted(of, 'held-out competition')}, none of which was trained on; intervals by bootstrap "
        "over competitions and what lies within them. In the rows with a prior, the first number is the "
        "prior's: of decisions as the most similar training solutions took them."
    )
    return "\n\n".join([words, table if rows else "Nothing was measured.", *left_out])


def _checks(verdict: Verdict) -> str:
    return "\n".join(
        f"- {'passed' if check.passed else '**failed**'}: {check.name}: {check.words}"
        for check in verdict.checks
    )


def _trained_on(job: Job, kind: str) -> str:
    train, heldout = job.table("train"), job.table("heldout")
    lines = [
        f"Dataset version{'s' if len(job.datasets) != 1 else ''} {', '.join(map(_code, job.datasets))} of "
        "Linguacodus: instructions extracted from public Kaggle solutions.",
        _markdown(
            ("", "examples", "competitions"),
            [
                (words, f"{table.num_rows:,}", f"{len(table['competition'].unique()):,}")
                for words, table in (("trained on", train), ("held out", heldout))
            ],
        ),
    ]
    if kind == "dpo":
        splits = job.table("pairs")["split"].to_pylist()
        lines.append(
            f"Preferences from {', '.join(map(_code, map(_source, job.preferences)))}: "
            f"{counted(splits.count('train'), 'pair')} trained on, {splits.count('heldout'):,} held out."
        )
    if job.from_adapter:
        lines.append(f"Training went on from the adapter {_code(job.from_adapter)}.")
    return "\n\n".join(lines)


def _source(name: str) -> str:
    """A source of preferences without the path in which it lies."""
    return Path(name).name


def _how(job: Job, kind: str) -> str:
    config, record = job.config, job.done(kind) or {}
    training, lora = config.training, config.lora
    stage = config.preferences if kind == "dpo" else training
    bits = config.quantization
    targets = lora.targets if isinstance(lora.targets, str) else ", ".join(lora.targets)
    rows: list[tuple[str, object]] = [
        ("configuration", config.name),
        ("LoRA", f"r {lora.r}, alpha {lora.alpha}, dropout {lora.dropout:g}, {targets}"),
        (
            "base in memory",
            f"{bits.bits}-bit {bits.type}{', double' if bits.double else ''}" if bits.bits else "whole",
        ),
        ("optimizer", f"{training.optimizer}, {training.schedule} from {stage.learning_rate:g}"),
        ("batch", f"{stage.batch} x {stage.accumulation}, {training.batching if kind == 'sft' else 'pairs'}"),
        ("epochs", f"{stage.epochs:g}" + (f", at most {stage.max_steps} steps" if stage.max_steps else "")),
        ("prompt set", config.prompt_set),
        ("seed", training.seed),
    ]
    if kind == "dpo":
        rows.append(("beta", f"{config.preferences.beta:g}"))
    rows += _record(record)
    replaced = [f"- {text}" for text in record.get("replacements") or ()]
    parts = [_markdown(("", ""), rows), "\n".join(replaced)]
    parts.append("Everything else stands in `config.toml`; curves and samples in `report.html`.")
    return "\n\n".join(part for part in parts if part)


def _record(record: dict[str, Any]) -> Iterable[tuple[str, object]]:
    if record.get("steps") is not None:
        yield "steps", f"{record['steps']:,}"
    if record.get("seconds") is not None:
        yield "time", f"{record['seconds'] / 60:.1f} min on {record.get('device', 'a machine not named')}"
    if record.get("tokens_per_second"):
        yield "speed", f"{record['tokens_per_second']:,.0f} tokens/s"
    if record.get("peak_memory"):
        yield "peak memory", f"{record['peak_memory'] / 1e9:.2f} GB"


def _limits(job: Job, comparison: Comparison) -> str:
    lines = [
        "It writes what solutions of such competitions usually do. It was trained on descriptions, not on "
        "data: what it says of columns may be wrong. Programs made from it are to be validated.",
        "Family and validation are read from the text by rules, and from the solutions by their syntax "
        "tree: the agreement above has the errors of both.",
        "The examples are in English, and most of their competitions are public ones on Kaggle, which the "
        "base may have read about.",
    ]
    if comparison.competitions < 10:
        few = counted(comparison.competitions, "competition")
        lines.append(f"No more than {few} were held out: the intervals are rough.")
    row = comparison.row("place 1 against 3")
    if row and row.tuned_low <= 0:
        lines.append("That asking for place 1 gives better decisions than for place 3 has not been shown.")
    licence = _licence(job.base)
    named = f" ({licence})" if licence else ""
    lines.append(f"The base's license applies{named}; the solutions are their authors'.")
    return "\n".join(f"- {line}" for line in lines)


def _licence(spec: str) -> str:
    name = spec.removeprefix(EMBEDDED)
    return next((model.licence for model in models.list_models() if name in (model.name, *model.aliases)), "")


def _use(job: Job, name: str) -> str:
    rank = next((most for most in VLLM_RANKS if most >= job.config.lora.r), job.config.lora.r)
    loaded = job.base if job.base == job.base_identity else "BASE"  # a hub id is its own identity
    told = "" if loaded != "BASE" else "\n\nBASE is the folder in which the base lies as safetensors."
    return f"""With Linguacodus, once promoted or by its name:

```
linguacodus adapters promote {name}
linguacodus generate TASK_FOLDER --out OUT --profile tuned
linguacodus generate TASK_FOLDER --out OUT --profile adapter:{name}
```

With vLLM, on a GPU (`linguacodus adapters serve {name} --engine vllm` runs the same):

```
vllm serve {loaded} --enable-lora --lora-modules {name}=. --max-lora-rank {rank}
```

With PEFT:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({loaded!r}), ".")
```{told}"""


def _code(text: str) -> str:
    """A name as Markdown code, whatever stands in it."""
    return f"`{text.replace('`', '')}`"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(value).replace("|", "\\|") for value in row) + " |" for row in rows]
    return "\n".join(lines)
