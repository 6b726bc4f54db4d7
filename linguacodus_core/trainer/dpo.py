"""Stage `dpo`: preferences by TRL's DPO, from the supervised adapter on.

The reference is the supervised model, not the bare base. What it thinks of the pairs does not change, so it
is asked once, before training. TRL keeps a copy of the adapter for that instead: it would cost a pass a step,
and transformers would load the copy in place of the adapter when a training goes on from a checkpoint.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from datasets import Dataset
from trl import DPOConfig, DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.utils import disable_dropout_in_model

from linguacodus_core import store
from linguacodus_core.adapters.registry import open_adapter
from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer import base, hardware, loop, memory
from linguacodus_core.trainer.encode import Encoded
from linguacodus_core.trainer.events import Events
from linguacodus_core.trainer.likelihood import likelihoods
from linguacodus_core.trainer.load import load_base, sketch, tokenizer_of, with_adapter
from linguacodus_core.trainer.packs import lay_out
from linguacodus_core.trainer.pairs import Pair, encode_pairs
from linguacodus_core.trainer.replacements import settle
from linguacodus_core.trainer.save import FOLDER, save_adapter
from linguacodus_core.trainer.subjects import fingerprint
from linguacodus_core.training.job import Job

STAGE = "dpo"
REFERENCE = "reference.parquet"
AT_A_TIME = 16
"""Pairs whose reference is asked for between two reports of progress."""


class Pairs:
    """Makes a batch of pairs named by their numbers ({"row": 3}), as TRL's collator does.

    reference: for each pair, the log-likelihoods of chosen and rejected by the reference.
    """

    def __init__(self, pairs: Sequence[Pair], reference: Sequence[tuple[float, float]], padding: int) -> None:
        self._rows = [
            {
                "prompt_ids": pair.prompt,
                "chosen_ids": pair.chosen,
                "rejected_ids": pair.rejected,
                "ref_chosen_logps": chosen,
                "ref_rejected_logps": rejected,
            }
            for pair, (chosen, rejected) in zip(pairs, reference, strict=True)
        ]
        self._collate = DataCollatorForPreference(padding)

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """input_ids, attention_mask, completion_mask (chosen ones first) and the reference's values."""
        return dict(self._collate([self._rows[feature["row"]] for feature in features]))


class PairTrainer(loop.Unadorned, DPOTrainer):  # type: ignore[misc]
    """TRL's trainer over pairs whose tokens and reference are known; it counts what it reads."""

    read = 0
    """Tokens that this process has read, padding not counted."""

    def _prepare_dataset(self, dataset: Dataset, *given: Any) -> Dataset:
        return dataset

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """TRL's loss."""
        self.read += int(inputs["attention_mask"].sum())
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def counted(self) -> int:
        """Tokens that all processes have read; each of them must ask."""
        mine = torch.tensor([self.read], device=self.accelerator.device)
        return int(self.accelerator.gather(mine).sum())


def run(job: Job) -> None:
    """Train the job's second adapter, from its last whole checkpoint where there is one."""
    config, chosen = job.config, job.config.preferences
    if config.hardware.processes > 1 and config.hardware.strategy == "fsdp":
        raise TrainingError(
            "the preference stage is not sharded: it asks the whole model for its reference",
            "set hardware.strategy = 'ddp', or go without preferences",
        )
    device = hardware.find(config.hardware.device)
    processes = PartialState(cpu=not device.cuda)
    events = Events(job.stage(STAGE), silent=not processes.is_main_process)
    settings = settle(config, device)
    for text in (device.words, *settings.replacements):
        events.note(text)
    folder = base.folder_of(job)
    tokenizer = tokenizer_of(folder)
    pairs, left_out = _pairs(job, tokenizer, events)
    rows_a_step = chosen.batch * chosen.accumulation * processes.num_processes
    order, a_epoch = _order(job, pairs, rows_a_step)
    longest = max(pair.longest for pair in pairs)
    memory.require(job, STAGE, sketch(folder), settings, device, sequences=2 * chosen.batch, longest=longest)
    start = _start(job)
    model = with_adapter(load_base(job, folder, for_training=True), start, trainable=True)
    reference = _reference(job, model, fingerprint(start), pairs, tokenizer.pad_token_id, events)
    steps = -(-len(order) // rows_a_step)
    trainer = PairTrainer(
        model=model,
        args=DPOConfig(
            **loop.arguments(job, STAGE, settings, device, steps=steps),
            per_device_train_batch_size=chosen.batch,
            gradient_accumulation_steps=chosen.accumulation,
            learning_rate=chosen.learning_rate,
            beta=chosen.beta,
            max_length=None,  # what is too long was left out; nothing is cut
        ),
        train_dataset=Dataset.from_dict({"row": order}),
        data_collator=Pairs(pairs, reference, tokenizer.pad_token_id),
        processing_class=tokenizer,
    )
    _without_copy(trainer)
    course = loop.Course(
        steps=steps,
        examples=len(pairs),
        a_epoch=a_epoch,
        rows_a_step=rows_a_step,
        tokens=sum(pairs[number].tokens for number in order),
        left_out=left_out,
        counted=trainer.counted,
        replacements=list(settings.replacements),
    )
    summary = loop.fit(trainer, job, STAGE, events, course)
    weights = loop.adapter_weights(trainer)
    if processes.is_main_process:
        lora = trainer.accelerator.unwrap_model(trainer.model).peft_config["default"]
        save_adapter(lora, weights, tokenizer, job, STAGE, folder, events)
        loop.finish(job, STAGE, events, {**summary, "device": device.name})
    processes.wait_for_everyone()


def _pairs(job: Job, tokenizer: Any, events: Events) -> tuple[list[Pair], int]:
    """The job's training pairs as tokens, and how many were left out."""
    limit = job.config.preferences.max_length
    rows = [row for row in job.table("pairs").to_pylist() if row["split"] == "train"]
    kept = encode_pairs(tokenizer, rows, limit, events.note)
    left_out = len(rows) - len(kept)
    if not kept:
        raise TrainingError(
            f"no pair is left to train on ({len(rows):,} in the job, {left_out:,} of them too long)",
            "give more sources of preferences, or raise preferences.max_length",
        )
    return kept, left_out


def _order(job: Job, pairs: Sequence[Pair], rows_a_step: int) -> tuple[list[int], int]:
    """The order in which pairs are read, all epochs one after the other, and the pairs of one epoch."""
    chosen, training = job.config.preferences, job.config.training
    nothing = np.zeros(0, np.int32)
    plan = lay_out(
        [Encoded(pair.name, "", np.zeros(pair.longest, np.int32), nothing) for pair in pairs],
        batching="plain" if training.batching == "plain" else "by_length",
        pack_length=chosen.max_length,
        batch=chosen.batch,
        rows_a_step=rows_a_step,
        epochs=chosen.epochs,
        max_steps=chosen.max_steps,
        seed=training.seed,
    )
    return list(plan.order), plan.a_epoch


def _start(job: Job) -> Path:
    """The adapter that preferences begin with, and are held against."""
    if job.done("sft") is not None:
        return job.stage("sft") / FOLDER
    if job.from_adapter is not None:
        return open_adapter(job.from_adapter).folder
    raise TrainingError(f"{job.name} has no supervised adapter yet", "run the stage `sft` first")


def _reference(
    job: Job, model: Any, adapter: str, pairs: Sequence[Pair], padding: int, events: Events
) -> list[tuple[float, float]]:
    """The log-likelihoods of each pair's chosen and rejected by the model as it is; kept for a later run.

    Several processes divide the pairs. adapter: which weights these are. The model is in training mode, but
    for dropout: some CPUs turn 4-bit weights that are asked otherwise into a form that has no gradients.
    """
    file = job.stage(STAGE) / REFERENCE
    names = [pair.name for pair in pairs]
    known = store.read_table(file)
    if known is not None and known["pair"].to_pylist() == names and known["adapter"][0].as_py() == adapter:
        return list(zip(known["chosen"].to_pylist(), known["rejected"].to_pylist(), strict=True))
    processes = PartialState()
    mine = range(processes.process_index, len(pairs), processes.num_processes)
    model.train()
    disable_dropout_in_model(model)
    found: list[tuple[int, float, float]] = []
    for start in range(0, len(mine), AT_A_TIME):
        some = mine[start : start + AT_A_TIME]
        both = [each for number in some for each in pairs[number].both]
        nll = likelihoods(model, both, padding)
        found += zip(some, (-value for value in nll[::2]), (-value for value in nll[1::2]), strict=True)
        events.progress("pairs read by the reference", start + len(some), len(mine))
    _, chosen, rejected = zip(*sorted(gather_object(found)), strict=True)
    if processes.is_main_process:
        values = {"pair": names, "chosen": chosen, "rejected": rejected, "adapter": [adapter] * len(names)}
        store.write_table(file, pa.table(values))
    return list(zip(chosen, rejected, strict=True))


def _without_copy(trainer: PairTrainer) -> None:
    """Have the trainer take the reference's values from the batch, and drop its own copy of the adapter.

    The copy is what was loaded. TRL makes the adapter of a quantized model bfloat16; it is set back to that.
    """
    model: Any = trainer.model
    for name, parameter in model.named_parameters():
        if ".default." in name:
            copied = model.get_parameter(name.replace(".default.", ".ref."))
            parameter.data = copied.data.detach().clone().float()
    model.delete_adapter("ref")
    trainer.precompute_ref_logps = True
