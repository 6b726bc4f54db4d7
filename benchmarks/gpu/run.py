"""Fine-tuning on a CUDA card: the paper's Llama-2-7B by a plain TRL script, by ours, and by our own settings.

    python benchmarks/gpu/run.py --dataset latest --out gpu-benchmark [--parts card,reference,own]

prints one Markdown page and writes `results.jsonl`, `results.json` and `results.md` into --out as the parts
end; run again, it goes on after the last one that ended. It needs no network. Without a card it says what it
would do and ends with a line that begins "skipped:". The parts:

card       the card, its driver, and its matrix rate: the median of products of 8192 x 8192, bf16 and fp16.
reference  `reference.py`, a plain TRL script with the paper's arguments,
paper      our trainer with the configuration `llama2-7b-paper`,
own        our trainer with `own.toml` (prompts computed once a competition, bf16, fused kernels): each trains
           Llama-2-7B's architecture with RANDOM weights (speed and memory are the real one's, losses mean
           little), nf4 as it is loaded, on the same examples for one epoch, in a process of its own; in
           rounds of alternating order. Then one judge measures all adapters on the same held-out examples.
loss       the same three on a real small model (SmolLM2-135M, embedded), where the held-out loss means
           something: our own may be at most 1 % above TRL's.
kill       our trainer with the paper's configuration killed (kill -9) in the middle and started again, beside
           an unbroken run: steps, losses, steps done twice.
gate       `linguacodus finetune` as a user runs it, on the card: a small real model tuned, measured, judged.

What the columns say. tokens/s: of the examples as TRL reads them, one prompt and completion each, no
padding; a prefix computed once for several examples counts as often as it was saved. computed/s: tokens
that went through the model, padding not counted. Both leave out the first tenth of a run (warm-up). Of the
matrix rate: 4 operations a computed token and weight of the projections and the head (forward, and backward
to the inputs: frozen weights get no gradient) and 6 a weight of LoRA; what checkpointing computes again and
the products inside attention (2 % at these lengths) are not counted; divided by the rate measured in the
precision of the run. Memory: the most that torch had allocated.

A dataset of few rows is repeated; rows.py says how, so that no more rows share a prompt than in the dataset.
`--device cpu --architecture tiny` goes through every part in a few minutes, to see that the code runs; its
figures say nothing.
"""

import argparse
import ctypes
import json
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.finetune_jobs import Failed
from benchmarks.gpu import parts
from benchmarks.gpu.report import WHO, markdown
from benchmarks.gpu.results import Results
from benchmarks.gpu.setup import Setup
from linguacodus_core.errors import LinguacodusError

WOULD = {
    "card": "read the card's name, memory and driver, and measure its matrix rate in bf16 and fp16",
    "reference": "train a Llama-2-7B of random weights by plain TRL with the paper's arguments",
    "paper": "train the same by our trainer with the paper's configuration",
    "own": "train the same by our trainer with our own configuration",
    "loss": "train SmolLM2-135M by these three and compare their loss on held-out examples",
    "kill": "kill a training in the middle (kill -9), resume it, and compare it with an unbroken one",
    "gate": "run `linguacodus finetune` on a small real model, with its gate",
}
NEEDED = ("torch", "transformers", "trl", "peft", "bitsandbytes", "datasets")


def cards() -> int:
    """How many CUDA devices the driver shows; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="latest", help="a dataset version, or its folder")
    parser.add_argument(
        "--out", type=Path, default=Path("gpu-benchmark"), help="results, and 20 GB of scratch"
    )
    parser.add_argument("--parts", default=",".join(WOULD), help=f"some of {','.join(WOULD)}")
    parser.add_argument(
        "--minutes", type=float, default=4, help="at most so long a process; what it did counts"
    )
    parser.add_argument(
        "--examples", type=int, default=0, help="examples trained on; 0: 400, or 12 when tiny"
    )
    parser.add_argument("--rounds", type=int, default=2, help="times each of the three is run for its speed")
    parser.add_argument("--own", type=Path, help="another configuration than own.toml")
    parser.add_argument(
        "--small", default="embedded:smollm2-135m-instruct-q4_1", help="base of loss and gate"
    )
    parser.add_argument("--architecture", default="llama2-7b", choices=["llama2-7b", "tiny"])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    found = parser.parse_args(given)
    wrong = [name for name in found.parts.split(",") if name not in WOULD]
    if wrong:
        parser.error(f"no such part: {', '.join(wrong)}; there are {', '.join(WOULD)}")
    return found


def main(given: list[str] | None = None) -> int:
    """Run the parts; the exit status is 1 when one of them failed."""
    asked = arguments(given)
    wanted = [name for name in WOULD if name in asked.parts.split(",")]
    missing = [name for name in NEEDED if find_spec(name) is None]
    why = ""
    if asked.device == "cuda" and not cards():
        why = "no CUDA card is to be seen here (the driver shows none)"
    elif missing:
        why = f"not installed: {', '.join(missing)}; pip install 'linguacodus[train]'"
    if why:
        for name in wanted:
            print(f"would {WOULD[name]}")
        print(f"skipped: {why}")
        return 0
    try:
        setup = Setup.of(asked)
    except LinguacodusError as error:
        print(error, file=sys.stderr)
        return 2
    results = Results(asked.out / "results.jsonl", setup.fingerprint)
    failed = []
    for name, part in _parts(wanted).items():
        print(f"--- {name}", flush=True)
        try:
            part(setup, results)
        except (Failed, LinguacodusError) as error:
            failed.append(name)
            print(f"{name} failed: {error}", file=sys.stderr, flush=True)
    text = markdown(setup, results)
    (asked.out / "results.json").write_text(json.dumps(results.records, indent=1))
    (asked.out / "results.md").write_text(text)
    print(f"\n{text}")
    return 1 if failed else 0


def _parts(wanted: list[str]) -> dict[str, Callable[[Setup, Results], None]]:
    """What is to be done, in order; the trainings of random weights alternate and so are one part."""
    trainings = tuple(name for name in WHO if name in wanted)
    every: dict[str, Callable[[Setup, Results], None]] = {
        "card": parts.card,
        ", ".join(trainings): partial(parts.speed, who=trainings),
        "loss": parts.loss,
        "kill": parts.kill,
        "gate": parts.gate,
    }
    return {name: part for name, part in every.items() if name and name.split(", ")[0] in wanted}


if __name__ == "__main__":
    sys.exit(main())
