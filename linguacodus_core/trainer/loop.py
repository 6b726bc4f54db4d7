"""One training from its first step, or its last whole checkpoint, to finished.json; for both stages."""

import importlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from peft import get_peft_model_state_dict
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.trainer import checkpoints
from linguacodus_core.trainer.events import Events, peak_memory
from linguacodus_core.trainer.hardware import Hardware
from linguacodus_core.trainer.replacements import Settings
from linguacodus_core.training import history
from linguacodus_core.training.job import FINISHED, Job

CHECKPOINTS = "checkpoints"
TRACKERS = ("tensorboard", "trackio")


@dataclass
class Course:
    """What a training is about, for its events and its summary.

    steps: in all; a_epoch: rows of an epoch; tokens: of all rows; left_out: examples that were too long.
    counted: tokens read by all processes in this run so far; every process calls it at the same steps.
    """

    steps: int
    examples: int
    a_epoch: int
    rows_a_step: int
    tokens: int
    left_out: int
    counted: Callable[[], int]
    replacements: list[str] = field(default_factory=list)


def arguments(job: Job, stage: str, settings: Settings, hardware: Hardware, *, steps: int) -> dict[str, Any]:
    """The arguments that TRL's trainers share: everything but batch, accumulation and learning rate."""
    training = job.config.training
    folder = job.stage(stage)
    return {
        "output_dir": str(folder / CHECKPOINTS),
        "run_name": f"{job.name}-{stage}",
        "max_steps": steps,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": int(training.warmup * steps) if settings.schedule != "constant" else 0,
        "weight_decay": training.weight_decay,
        "max_grad_norm": training.max_grad_norm,
        "optim": settings.optimizer,
        "activation_checkpointing": training.gradient_checkpointing,
        "logging_steps": training.log_steps,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": training.save_steps,
        "save_total_limit": checkpoints.KEPT,
        "report_to": _tracker(job, folder),
        "seed": training.seed,
        "data_seed": training.seed,
        "disable_tqdm": True,
        "use_cpu": not hardware.cuda,
        "remove_unused_columns": False,
        "train_sampling_strategy": "sequential",
        "dataloader_pin_memory": hardware.cuda,
        "ddp_find_unused_parameters": False,
        **settings.mixed,
    }


def fit(trainer: Any, job: Job, stage: str, events: Events, course: Course) -> dict[str, Any]:
    """Train to the last step, from the newest whole checkpoint where there is one; returns the summary.

    Raises TrainingError when the loss is no number.
    """
    folder = job.stage(stage)
    state = PartialState()
    if state.is_main_process:
        newest = checkpoints.newest_whole(folder / CHECKPOINTS, events.note)
    state.wait_for_everyone()
    if not state.is_main_process:
        newest = checkpoints.newest_sealed(folder / CHECKPOINTS)
    reporter = Reporter(events, course, newest)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(reporter)
    events.begin(
        steps=course.steps,
        examples=course.examples,
        rows=course.a_epoch,
        tokens=course.tokens,
        resumed_from=checkpoints.step_of(newest) if newest else None,
    )
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    return reporter.summary()


def adapter_weights(trainer: Any) -> dict[str, torch.Tensor]:
    """The adapter's weights by PEFT's names, gathered from all processes (each must ask)."""
    weights = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    model = trainer.accelerator.unwrap_model(trainer.model)
    return dict(get_peft_model_state_dict(model, state_dict=weights, save_embedding_layers=False))


def finish(job: Job, stage: str, events: Events, summary: dict[str, Any]) -> None:
    """Write finished.json, last of all."""
    store.write_json(job.stage(stage) / FINISHED, summary)
    events.end(summary)


class Unadorned:
    """Mixed into TRL's trainers: no model card of TRL's own beside each checkpoint, no telemetry, no
    dictionaries on
    the output (the reporter prints a line).
    """

    def create_model_card(self, *given: Any, **named: Any) -> None:
        """The registry writes an adapter's card."""

    def _send_telemetry(self) -> None: ...


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Turns what the trainer logs into events, and seals its checkpoints."""

    def __init__(self, events: Events, course: Course, resumed: Path | None) -> None:
        self._events = events
        self._course = course
        before = checkpoints.state_of(resumed) if resumed else {}
        self._tokens_before = int(before.get("tokens", 0))
        self._seconds_before = float(before.get("seconds", 0.0))
        self._began = time.monotonic()
        self._tokens = self._tokens_before

    @property
    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._began

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Loading is over: time runs from here."""
        self._began = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """The last step is logged whatever its number."""
        if state.global_step >= state.max_steps:
            control.should_log = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,
    ) -> None:
        """A step event; the loss is the mean since the last one."""
        logs: dict[str, float] = more["logs"]
        if "loss" not in logs:
            return
        self._tokens = self._tokens_before + self._course.counted()
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"the loss is no number ({logs['loss']}) at step {state.global_step}",
                "lower training.learning_rate, or set training.precision to bfloat16 or float32",
            )
        values = {
            "loss": logs["loss"],
            "lr": logs.get("learning_rate"),
            "grad_norm": logs.get("grad_norm"),
            "epoch": round(state.global_step * self._course.rows_a_step / self._course.a_epoch, 4),
            "tokens": self._tokens,
            "seconds": round(self._seconds, 3),
            "memory": peak_memory(),
        }
        self._events.step(state.global_step, values)
        if state.is_world_process_zero:
            print(f"step {state.global_step} of {state.max_steps}", values, flush=True)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Every process has written its part: the checkpoint is whole."""
        tokens = self._tokens_before + self._course.counted()
        processes = PartialState()
        processes.wait_for_everyone()
        if processes.is_main_process:
            folder = Path(str(args.output_dir)) / f"{checkpoints.PREFIX}{state.global_step}"
            checkpoints.seal(folder, tokens=tokens, seconds=self._seconds)
            self._events.checkpoint(state.global_step)
        processes.wait_for_everyone()

    def summary(self) -> dict[str, Any]:
        """finished.json, but for what the stage knows itself."""
        happened = history.events(self._events.file.parent)
        curve = {event["step"]: event for event in happened if event["event"] == "step"}
        tail = [
            event["loss"] for step, event in curve.items() if step > 0.9 * self._course.steps
        ]  # the last step is always there
        seconds = max(self._seconds, 1e-9)
        begun = [event for event in happened if event["event"] == "begin"]
        return {
            "steps": self._course.steps,
            "loss": sum(tail) / len(tail) if tail else None,
            "seconds": round(seconds, 3),
            "tokens": self._tokens,
            "tokens_per_second": round(self._tokens / seconds, 2),
            "peak_memory": max((event["memory"] for event in curve.values()), default=peak_memory()),
            "examples": self._course.examples,
            "left_out": self._course.left_out,
            "replacements": self._course.replacements,
            "resumed": sum(event["resumed_from"] is not None for event in begun),
        }


def _tracker(job: Job, folder: Path) -> str:
    """Where curves go beside our own events: LINGUACODUS_TRACK, into the stage's folder."""
    wanted = os.environ.get("LINGUACODUS_TRACK", "none")
    if wanted in ("", "none"):
        return "none"
    if wanted not in TRACKERS:
        raise TrainingError(
            f"curves cannot go to {wanted!r}", f"choose none, {' or '.join(TRACKERS)} (LINGUACODUS_TRACK)"
        )
    try:
        importlib.import_module(wanted)
    except ImportError as error:
        raise TrainingError(
            f"the package {wanted} is not installed, or not whole: {error}",
            "pip install 'linguacodus[track]', or go without",
        ) from error
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    return wanted
