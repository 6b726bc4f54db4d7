"""The data card of a version, in Markdown: what is in it, where it came from, what was left out and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from linguacodus_core.curation.competitions import unknown_metrics
from linguacodus_core.dataset.examples import truncation
from linguacodus_core.dataset.funnel import reasons
from linguacodus_core.dataset.popularity import ANY

MOST_UNKNOWN = 30
MOST_MODELS = 3


class Tables(Protocol):
    """Whatever gives the tables of a version."""

    def __call__(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One table, all its columns or some."""


def card(tables: Tables, inputs: dict[str, Any], figure: str) -> str:
    """The card. inputs: those of the manifest. figure: the file name of the heat map beside the card."""
    dropped = tables("dropped")
    parts = [
        "# Instruction dataset",
        _origin(inputs),
        "## What is in it",
        _markdown(("table", "rows"), [(name, f"{tables(name, []).num_rows:,}") for name in _COUNTED]),
        _splits(
            tables("examples", ["split", "prompt_set", "competition", "prompt_tokens", "completion_tokens"])
        ),
        _lengths(tables("examples", ["prompt_set", "description_tokens_cut"]), inputs),
        "## The funnel",
        _markdown(
            ("of", "left out because", "rows"), [(*row[:2], f"{row[2]:,}") for row in reasons(dropped)]
        ),
        _unknown(unknown_metrics(dropped)),
        "## Competitions",
        _competitions(tables("competitions", ["competition", "metric_category", "data_types"]), tables),
        "## Instructions",
        _grounding(tables("instructions", ["extractor", "model", "grounding"])),
        "## The most popular model by data type and metric",
        f"![The most popular model by data type and metric]({figure})",
        _popular(tables("popularity")),
        "Counted is each solution's main model, over all splits; solutions by rules or clustering have none.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_COUNTED = (
    "competitions",
    "kernels",
    "code_blocks",
    "solutions",
    "instructions",
    "examples",
    "dropped",
    "llm_calls",
)


def _origin(inputs: dict[str, Any]) -> str:
    options = ", ".join(f"{name} {value}" for name, value in inputs["curation"].items())
    read = ", ".join(f"{inputs['read'][name]:,} {name}" for name in ("competitions", "kernels", "blocks"))
    return (
        f"Built from `{inputs['source']}` (SHA-256 {inputs['fingerprint'][:16]}): {read}. "
        f"Instructions by {inputs['extractor']}. Curation: {options}."
    )


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(value).replace("|", "\\|") for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _splits(examples: pa.Table) -> str:
    grouped = examples.group_by(["prompt_set", "split"]).aggregate(
        [
            ("competition", "count"),
            ("competition", "count_distinct"),
            ("prompt_tokens", "mean"),
            ("prompt_tokens", "max"),
            ("completion_tokens", "mean"),
            ("completion_tokens", "max"),
        ]
    )
    rows = [
        (
            row["prompt_set"],
            row["split"],
            f"{row['competition_count']:,}",
            f"{row['competition_count_distinct']:,}",
            f"{row['prompt_tokens_mean']:.0f} / {row['prompt_tokens_max']:,}",
            f"{row['completion_tokens_mean']:.0f} / {row['completion_tokens_max']:,}",
        )
        for row in grouped.sort_by([("prompt_set", "ascending"), ("split", "descending")]).to_pylist()
    ]
    head = (
        "prompt set",
        "split",
        "examples",
        "competitions",
        "prompt tokens mean / max",
        "completion mean / max",
    )
    return _markdown(head, rows)


def _lengths(examples: pa.Table, inputs: dict[str, Any]) -> str:
    cut = [
        f"{count:,} of the set {name} show a shortened description ({left_out:,} tokens left out)"
        for name, count, left_out in truncation(examples)
        if count
    ]
    said = "; ".join(cut) or "no description had to be shortened"
    by = inputs["tokenizer"] or "estimate"
    return f"Token counts by {by}, for a context of {inputs['context']:,}; {said}."


def _unknown(names: dict[str, int]) -> str:
    if not names:
        return ""
    shown = [f"{name} ({count})" for name, count in list(names.items())[:MOST_UNKNOWN]]
    more = f", and {len(names) - MOST_UNKNOWN} more names" if len(names) > MOST_UNKNOWN else ""
    return f"Metric names that are not in the metric table, and their competitions: {', '.join(shown)}{more}."


def _competitions(competitions: pa.Table, tables: Tables) -> str:
    chosen = Counter(tables("solutions", ["competition"])["competition"].to_pylist())
    rows = competitions.to_pylist()
    metrics: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    by_metric: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for row in rows:
        category, count = row["metric_category"] or "not known", chosen[row["competition"]]
        metrics[category] += 1
        by_metric[category] += count
        for kind in row["data_types"] or ["not known"]:
            kinds[kind] += 1
            by_kind[kind] += count
    return "\n\n".join(
        (
            _markdown(("metric category", "competitions", "solutions"), _both(metrics, by_metric)),
            _markdown(("data type", "competitions", "solutions"), _both(kinds, by_kind)),
        )
    )


def _both(competitions: Counter[str], solutions: Counter[str]) -> list[tuple[object, ...]]:
    return [(name, count, f"{solutions[name]:,}") for name, count in competitions.most_common()]


def _grounding(instructions: pa.Table) -> str:
    rows = []
    for key in sorted({(row["extractor"], row["model"]) for row in instructions.to_pylist()}):
        chosen = instructions.filter(
            pc.and_(pc.equal(instructions["extractor"], key[0]), pc.equal(instructions["model"], key[1]))
        )["grounding"]
        full = pc.mean(pc.equal(chosen, 1.0)).as_py()
        rows.append((*key, f"{len(chosen):,}", f"{pc.mean(chosen).as_py():.3f}", f"{full:.1%}"))
    head = ("extractor", "model", "instructions", "mean grounding", "every claim borne out")
    return _markdown(head, rows)


def _popular(popularity: pa.Table) -> str:
    cells: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in popularity.to_pylist():
        cells.setdefault((row["data_type"], row["metric_category"]), []).append(row)
    rows = [
        (
            kind,
            category if category != ANY else "any metric",
            f"{found[0]['cell_solutions']:,}",
            ", ".join(f"{row['family']} {row['share']:.0%}" for row in found[:MOST_MODELS]),
        )
        for (kind, category), found in cells.items()
    ]
    return _markdown(("data type", "metric category", "solutions", "most popular models"), rows)
