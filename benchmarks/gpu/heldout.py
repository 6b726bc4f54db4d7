"""Loss of adapters on held-out completions: one judge for all, that belongs to none of those compared.

`python benchmarks/gpu/heldout.py BASE EXAMPLES.parquet OUT.json [NAME=ADAPTER ...] [--device cpu]`: the
base in nf4, each adapter on it in turn; the mean over completion tokens, the end token included, in nats.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig


def main() -> None:
    """Measure, and write {"base": nats a token, NAME: ...}."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base")
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("adapters", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    given = parser.parse_args()
    compute = torch.float32 if given.device == "cpu" else torch.float16
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    rows = [encoded(tokenizer, row) for row in pq.read_table(given.examples).to_pylist()]
    model: Any = AutoModelForCausalLM.from_pretrained(
        given.base,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute
        ),
        dtype=compute,
        device_map={"": given.device},
    ).eval()
    found = {"base": loss(model, rows)}
    for number, named in enumerate(given.adapters):
        name, folder = named.split("=", 1)
        if number:
            model.load_adapter(folder, adapter_name=str(number))
        else:
            model = PeftModel.from_pretrained(model, folder, adapter_name="0")
        model.set_adapter(str(number))
        found[name] = loss(model.eval(), rows)
        print(f"{name}: {found[name]:.4f}", flush=True)
    given.out.write_text(json.dumps(found))


def encoded(tokenizer: Any, row: dict[str, Any]) -> tuple[list[int], int]:
    """Token ids up to the end token of the completion, and how many of them are the prompt's."""
    prompt = tokenizer.apply_chat_template(
        row["prompt"], tokenize=True, add_generation_prompt=True, return_dict=False
    )
    whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=True, return_dict=False)
    end = max(place for place, token in enumerate(whole) if token == tokenizer.eos_token_id)
    return list(whole[: end + 1]), len(prompt)


@torch.inference_mode()
def loss(model: Any, rows: list[tuple[list[int], int]]) -> float:
    """Nats a completion token, each row by itself: nothing is padded."""
    total, tokens = 0.0, 0
    for ids, prompt in rows:
        batch = torch.tensor([ids], device=model.device)
        logits = model(input_ids=batch).logits[0, prompt - 1 : -1].float()
        total += float(torch.nn.functional.cross_entropy(logits, batch[0, prompt:], reduction="sum"))
        tokens += len(ids) - prompt
    return total / tokens


if __name__ == "__main__":
    main()
