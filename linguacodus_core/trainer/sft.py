"""Stage `sft`: supervised fine-tuning on prompt-completion pairs, the loss on completions only."""

from collections.abc import Mapping
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from torch.nn.functional import cross_entropy
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from linguacodus_core.errors import AdapterError, TrainingError
from linguacodus_core.trainer import base, hardware, loop, memory
from linguacodus_core.trainer.collate import IGNORED, Collator, tokens_in
from linguacodus_core.trainer.encode import Encoded, encode_all
from linguacodus_core.trainer.events import Events
from linguacodus_core.trainer.load import (
    Outline,
    float_adapter,
    load_base,
    new_adapter,
    sketch,
    tokenizer_of,
    with_adapter,
)
from linguacodus_core.trainer.packs import Batching, Plan, lay_out
from linguacodus_core.trainer.replacements import batching_for, settle
from linguacodus_core.trainer.save import save_adapter
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job

STAGE = "sft"


class RowTrainer(loop.Unadorned, SFTTrainer):  # type: ignore[misc]
    """TRL's trainer over rows that were laid out beforehand.

    It counts tokens as they are: TRL sums the attention mask, which is not their number where rows hold
    several examples. On a card the loss is TRL's. On a CPU, TRL asks for the vocabulary's probabilities at
    every token, the prompts' too; here only at those that are learnt from, which is the same loss for a
    fifth less time.
    """

    read: torch.Tensor | int = 0
    """Tokens that this process has read."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The completions' negative log-likelihood, the mean over the step's tokens of all processes."""
        self.read = self.read + tokens_in(inputs["attention_mask"])
        if return_outputs or self.accelerator.device.type != "cpu" or not self._selective:
            return super().compute_loss(  # type: ignore[no-untyped-call]
                model, inputs, return_outputs, num_items_in_batch
            )
        return self._loss(model, inputs, num_items_in_batch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """TRL's, with the number of tokens as it is."""
        if "loss" in logs:
            self._metrics["train"]["num_tokens"] = [self.counted()]
        super().log(logs, start_time)

    def counted(self) -> int:
        """Tokens that all processes have read; each of them must ask."""
        mine = torch.as_tensor(self.read, device=self.accelerator.device).reshape(1)
        return int(self.accelerator.gather(mine).sum())

    @cached_property
    def _selective(self) -> bool:
        """Whether the model can be asked for the probabilities at some of its tokens only."""
        inner = self.accelerator.unwrap_model(self.model).get_base_model()
        return "logits_to_keep" in signature(type(inner).forward).parameters and not self.aux_loss_enabled

    def _loss(self, model: Any, inputs: dict[str, Any], learnt: Any) -> Any:
        targets = inputs["labels"][:, 1:]
        columns = (targets != IGNORED).any(dim=0).nonzero().flatten()
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        logits = model(**rest, use_cache=False, logits_to_keep=columns).logits.float()
        targets = targets[:, columns]
        summed: torch.Tensor = cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        if learnt is None:
            return summed / (targets != IGNORED).sum().clamp(min=1)
        return summed / learnt * self.accelerator.num_processes  # gradients are averaged over processes


def run(job: Job) -> None:
    """Train the job's adapter, from its last whole checkpoint where there is one."""
    config = job.config
    device = hardware.find(config.hardware.device)
    processes = PartialState(cpu=not device.cuda)
    events = Events(job.stage(STAGE), silent=not processes.is_main_process)
    settings = settle(config, device)
    folder = base.folder_of(job)
    tokenizer = tokenizer_of(folder)
    outline = sketch(folder)
    batching, more = batching_for(config, outline.architecture, outline.window)
    replaced = [*settings.replacements, *more]
    for text in (device.words, *replaced):
        events.note(text)
    examples, left_out = _examples(job, tokenizer, events)
    rows_a_step = config.training.batch * config.training.accumulation * processes.num_processes
    plan = plan_of(config, examples, batching, rows_a_step)
    longest = max(len(row) for row in plan.rows)
    memory.require(job, STAGE, outline, settings, device, sequences=config.training.batch, longest=longest)
    steps = -(-len(plan.order) // rows_a_step)
    trainer = RowTrainer(
        model=_model(job, folder, outline, events),
        args=SFTConfig(
            **loop.arguments(job, STAGE, settings, device, steps=steps),
            per_device_train_batch_size=config.training.batch,
            gradient_accumulation_steps=config.training.accumulation,
            learning_rate=config.training.learning_rate,
            max_length=None,  # what is too long was left out; nothing is cut
            packing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_dict({"row": list(plan.order)}),
        data_collator=Collator(plan.rows, tokenizer.pad_token_id, additive=settings.attention == "eager"),
        processing_class=tokenizer,
    )
    float_adapter(trainer.model)
    course = loop.Course(
        steps=steps,
        examples=len(examples),
        a_epoch=plan.a_epoch,
        rows_a_step=rows_a_step,
        tokens=plan.tokens,
        left_out=left_out,
        counted=trainer.counted,
        replacements=replaced,
    )
    summary = loop.fit(trainer, job, STAGE, events, course)
    weights = loop.adapter_weights(trainer)
    if processes.is_main_process:
        lora = trainer.accelerator.unwrap_model(trainer.model).peft_config["default"]
        save_adapter(lora, weights, tokenizer, job, STAGE, folder, events)
        loop.finish(job, STAGE, events, {**summary, "device": device.name})
    processes.wait_for_everyone()


def plan_of(config: FinetuneConfig, examples: list[Encoded], batching: Batching, rows_a_step: int) -> Plan:
    """The rows and their order; what batching does not say, the configuration's [training] does."""
    training = config.training
    return lay_out(
        examples,
        batching=batching,
        pack_length=training.pack_length,
        batch=training.batch,
        rows_a_step=rows_a_step,
        epochs=training.epochs,
        max_steps=training.max_steps,
        seed=training.seed,
    )


def _examples(job: Job, tokenizer: Any, events: Events) -> tuple[list[Encoded], int]:
    rows: list[Mapping[str, Any]] = job.table("train").to_pylist()
    limit = job.config.training.max_length
    examples, left_out = encode_all(tokenizer, rows, limit)
    if left_out:
        events.note(
            f"{len(left_out):,} of {len(rows):,} examples are longer than training.max_length = {limit:,} "
            "tokens and left out"
        )
    if not examples:
        raise TrainingError(
            f"no example is left to train on ({len(rows):,} in the job, {len(left_out):,} of them too long)",
            "choose a dataset version with training examples, or raise training.max_length",
        )
    return examples, len(left_out)


def _model(job: Job, folder: Path, outline: Outline, events: Events) -> Any:
    """The base with the adapter that is trained: a new one, or the one that training goes on from."""
    if job.from_adapter is None:
        return new_adapter(load_base(job, folder, for_training=True), job.config, outline)
    from linguacodus_core.adapters.registry import open_adapter

    start = open_adapter(job.from_adapter)
    if start.manifest.base_identity != job.base_identity:
        raise AdapterError(
            f"the adapter {start.name} was trained on {start.manifest.base_identity}, "
            f"not on {job.base_identity}",
            "go on from an adapter of the same base, or change the configuration's base",
        )
    events.note(f"training goes on from the adapter {start.name}, with its rank and targets")
    return with_adapter(load_base(job, folder, for_training=True), start.folder, trainable=True)
