"""What a training with transformers' Trainer did, as lines of JSON like those of our own trainer's events."""

import json
import resource
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback


class Stopwatch(TrainerCallback):
    """Writes a line at every log of the trainer: step, loss, seconds since the first, tokens so far, memory.

    tokens: those read so far, padding not counted (`padded`: counted), by way of `counting`.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = time.monotonic()
        self._batches: list[tuple[int, int]] = []

    def counting(self, collate: Any) -> Any:
        """The same collator, whose batches are counted."""

        def counted(rows: Any) -> Any:
            batch = collate(rows)
            self._batches.append((int(batch["attention_mask"].sum()), batch["input_ids"].numel()))
            return batch

        return counted

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The clock starts."""
        self._began = time.monotonic()
        self._line("begin", 0, steps=state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """A line, when there is a loss."""
        if logs and "loss" in logs:
            batches = state.global_step * args.gradient_accumulation_steps  # more than these were made ahead
            self._line("step", batches, step=state.global_step, loss=logs["loss"])

    def _line(self, event: str, batches: int, **values: Any) -> None:
        cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
        if cuda:
            torch.cuda.synchronize()
        found = {
            "seconds": time.monotonic() - self._began,
            "tokens": sum(tokens for tokens, _ in self._batches[:batches]),
            "padded": sum(padded for _, padded in self._batches[:batches]),
            "memory": torch.cuda.max_memory_allocated()
            if cuda
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": event, **values, **found}) + "\n")
