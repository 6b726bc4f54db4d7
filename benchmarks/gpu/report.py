"""The results as Markdown, for the README."""

import statistics
from pathlib import Path
from typing import Any

from benchmarks.gpu.base import ARCHITECTURES, linear_weights
from benchmarks.gpu.results import Record, Results
from benchmarks.gpu.setup import Setup

WHO = {
    "reference": "plain TRL, the paper's arguments",
    "paper": "ours, the paper's configuration",
    "own": "ours, our own configuration",
}
TOLERATED = 1.01


def markdown(setup: Setup, results: Results) -> str:
    """Everything that was measured, as one page."""
    blocks = [_card(results), _speed(setup, results), _loss(results), _kill(results), _gate(results)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _card(results: Results) -> str:
    found = results.of("card")
    if not found:
        return ""
    card = found[-1]
    rates = ", ".join(f"{name} {rate / 1e12:.3g} TFLOP/s" for name, rate in card["rates"].items())
    about = f", {card['memory'] / 1e9:.0f} GB, driver {card['driver']}" if "driver" in card else ""
    return f"{card['name']}{about}; torch {card['torch']}. Products of {card['size']:,} squared: {rates}."


def _speed(setup: Setup, results: Results) -> str:
    runs = {name: found for name in WHO if (found := results.of("speed", who=name))}
    if not runs:
        return ""
    again = ", repeated" if setup.real < len(setup.train) else ""
    about = (
        f"Llama architecture `{setup.architecture}`, RANDOM weights, nf4. {len(setup.train)} examples (of "
        f"{setup.real} in {Path(setup.dataset).name}{again}), one epoch; medians of the rounds."
    )
    head = (
        "| training | runs | tokens/s | times TRL | computed/s | s a step | examples a step | peak GB "
        "| of the matrix rate | loss | held-out loss |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    rates = (results.of("card") or [{}])[-1].get("rates", {})
    judged = (results.of("judged", what="speed") or [{}])[-1].get("losses", {})
    theirs = runs.get("reference", [])
    lines = [_line(setup, name, found, theirs, rates, judged) for name, found in runs.items()]
    base = [f"\nHeld-out loss of the base: {judged['base']:.4f}."] if judged else []
    notes = [f"- {name}: {note}" for name, found in runs.items() for note in found[-1]["notes"]]
    return "\n".join([about, "", head, *lines, *base, *(["", *notes] if notes else [])])


def _line(
    setup: Setup,
    name: str,
    found: list[Record],
    reference: list[Record],
    rates: dict[str, float],
    judged: dict[str, float],
) -> str:
    def middle(key: str) -> float:
        return statistics.median(run[key] for run in found)

    theirs = statistics.median(run["real_rate"] for run in reference) if reference else None
    times = middle("real_rate") / theirs if theirs else None
    rate = rates.get(found[0]["precision"])
    share = middle("computed_rate") * operations(setup, found[0]) / rate if rate else None
    cut = "" if all(run["whole"] for run in found) else " (cut off by --minutes)"
    cells = [
        WHO[name] + cut,
        len(found),
        f"{middle('real_rate'):,.0f}",
        _cell(times, ".2f"),
        f"{middle('computed_rate'):,.0f}",
        f"{middle('step_seconds'):.3f}",
        f"{middle('examples_a_step'):.1f}",
        f"{max(run['memory'] for run in found) / 1e9:.1f}",
        _cell(share, ".1%"),
        _cell(found[-1]["loss"], ".4f"),
        _cell(judged.get(name), ".4f"),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def operations(setup: Setup, run: Record) -> float:
    """Of one computed token: 4 a frozen weight, 6 a weight of LoRA (on q and v)."""
    config = ARCHITECTURES[setup.architecture]
    lora = config["num_hidden_layers"] * 2 * run["r"] * 2 * config["hidden_size"]
    return float(4 * linear_weights(config) + 6 * lora)


def _loss(results: Results) -> str:
    found = results.of("judged", what="loss")
    if not found:
        return ""
    losses = found[-1]["losses"]
    lines = ["| held-out loss of a real small model | nats a token | of TRL's |", "|---|---|---|"]
    lines.append(f"| {found[-1]['base']}, not tuned | {losses['base']:.4f} | |")
    for name, words in WHO.items():
        lines.append(f"| {words} | {losses[name]:.4f} | {losses[name] / losses['reference']:.4f} |")
    equal = losses["own"] <= TOLERATED * losses["reference"]
    lines.append(f"\nOur own is {'not ' if equal else ''}more than 1 % worse than TRL.")
    return "\n".join(lines)


def _kill(results: Results) -> str:
    found = results.of("kill")
    if not found:
        return ""
    run = found[-1]
    return (
        "| kill -9 in the middle | steps | last loss | done twice | seconds |\n|---|---|---|---|---|\n"
        f"| unbroken | {run['steps']} | {run['loss']:.4f} | | {run['seconds']:.0f} |\n"
        f"| killed after step {run['killed_at']}, resumed from {run['resumed_from']} | {run['killed_steps']} "
        f"| {run['killed_loss']:.4f} | {run['twice']} | {run['killed_seconds']:.0f} |\n\n"
        f"Largest difference of the loss at any reported step: {run['difference']:.2g}."
    )


def _gate(results: Results) -> str:
    found = results.of("gate")
    if not found:
        return ""
    run = found[-1]
    if "skipped" in run:
        return f"gate: skipped: {run['skipped']}"
    lines = [
        f"`linguacodus finetune` of {run['base']} on the device: the gate {run['verdict']} it; "
        f"{run['seconds']:.0f} s in all, {run['train_seconds']:.0f} s of it training ({run['steps']} steps).",
        "",
        "| on held-out competitions | base | tuned | difference (95 %) |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(measure(row) for row in run["rows"])])


def measure(row: dict[str, Any]) -> str:
    """A row of a comparison, with its interval."""
    bounds = ""
    if row["difference"] is not None:
        bounds = f"{row['difference']:+.3f}"
        if row["low"] is not None and row["high"] is not None:
            bounds += f" ({row['low']:+.3f} to {row['high']:+.3f})"
    return f"| {row['metric']} | {_cell(row['base'], '.3f')} | {_cell(row['tuned'], '.3f')} | {bounds} |"


def _cell(value: float | None, how: str) -> str:
    return "" if value is None else format(value, how)
