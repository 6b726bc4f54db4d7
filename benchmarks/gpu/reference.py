"""QLoRA as TRL's documentation has it, with the paper's arguments: what ours is compared with.

`python benchmarks/gpu/reference.py --model FOLDER --examples train.parquet --out DIR [--device cpu]`. The
paper's table: LoRA r 64, alpha 16, dropout 0.1; 4-bit nf4, no double quantization, compute float16; one
epoch, batch 4, accumulation 1, gradient checkpointing, max grad norm 0.3, learning rate 2e-4 constant,
weight decay 0.001, paged_adamw_32bit, warm-up 0.03, grouped by length, save every 500, log every 25, no
packing.

Three things are not from a page of documentation: the stopwatch, which counts; `max_length`, whose default of
1,024 would cut examples; and LoRA's weights as float32, since TRL makes them bfloat16, and float16's gradient
scaler is for float32.
"""

import argparse
from pathlib import Path

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer

from benchmarks.gpu.stopwatch import Stopwatch


def main() -> None:
    """Train, and save the adapter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--log-steps", type=int, default=25)
    given = parser.parse_args()
    cuda = given.device == "cuda"
    compute = torch.float16 if cuda else torch.float32

    cache = str(given.out / "cache")
    dataset = load_dataset("parquet", data_files=given.examples, split="train", cache_dir=cache)
    dataset = dataset.select_columns(["prompt", "completion"])
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    model = AutoModelForCausalLM.from_pretrained(
        given.model,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=compute,
            bnb_4bit_use_double_quant=False,
        ),
        dtype=compute,
        device_map={"": 0 if cuda else "cpu"},
    )
    model.config.use_cache = False
    lora = LoraConfig(
        r=64,
        lora_alpha=16,
        lora_dropout=0.1,
        bias="none",
        task_type="CAUSAL_LM",
        target_modules=["q_proj", "v_proj"],
    )
    arguments = SFTConfig(
        output_dir=str(given.out),
        num_train_epochs=1,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=1,
        gradient_checkpointing=True,
        max_grad_norm=0.3,
        learning_rate=2e-4,
        lr_scheduler_type="constant",
        weight_decay=0.001,
        optim="paged_adamw_32bit",
        warmup_steps=0.03,
        train_sampling_strategy="group_by_length",
        max_length=4096,
        packing=False,
        fp16=cuda,
        bf16=False,
        save_steps=500,
        logging_steps=given.log_steps,
        report_to="none",
        use_cpu=not cuda,
    )
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=dataset, processing_class=tokenizer, peft_config=lora
    )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    stopwatch = Stopwatch(given.out / "events.jsonl")
    trainer.data_collator = stopwatch.counting(trainer.data_collator)
    trainer.add_callback(stopwatch)
    trainer.train()
    trainer.save_model(str(given.out / "adapter"))


if __name__ == "__main__":
    main()
