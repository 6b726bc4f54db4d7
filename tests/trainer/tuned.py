"""Jobs whose supervised stage is done, without training: an adapter of random numbers, held-out tables, pairs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linguacodus_core import store
from linguacodus_core.tables import table
from linguacodus_core.trainer import base
from linguacodus_core.trainer.events import Events
from linguacodus_core.training.job import FINISHED, Job
from linguacodus_core.training.tables import TRAINING
from tests.trainer.conftest import ADVICE, SUBJECTS

Row = Mapping[str, Any]


def with_adapter_of(job: Job, *, seed: int = 3, size: float = 0.02) -> Job:
    """The job with a finished base and sft; the adapter's weights are random, of about that size."""
    import torch
    from peft import get_peft_model_state_dict

    from linguacodus_core.trainer.load import load_base, new_adapter, sketch, tokenizer_of
    from linguacodus_core.trainer.save import save_adapter

    base.run(job)
    folder = base.folder_of(job)
    model = new_adapter(load_base(job, folder, for_training=False), job.config, sketch(folder))
    torch.manual_seed(seed)
    weights = {
        name: size * torch.randn(value.shape) for name, value in get_peft_model_state_dict(model).items()
    }
    events = Events(job.stage("sft"))
    save_adapter(model.peft_config["default"], weights, tokenizer_of(folder), job, "sft", folder, events)
    store.write_json(job.stage("sft") / FINISHED, {"steps": 0})
    return job


def write(job: Job, **tables: Sequence[Row]) -> Job:
    """The job with those tables; those that are not given are empty."""
    for name in ("heldout", "asked", "pairs"):
        rows = [dict(row) for row in tables.get(name, ())]
        store.write_table(job.folder / f"{name}.parquet", table(name, rows, TRAINING))
    return job


def prompt(subject: str, place: int) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": "You write instructions for machine-learning tasks."},
        {
            "role": "user",
            "content": f"The task is to predict {subject}.\nWrite the instruction of place {place}.",
        },
    ]


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def heldout(subject: str, place: int | None, text: str, name: str = "") -> Row:
    return {
        "example": name or f"{subject}-{place}",
        "competition": subject,
        "place": place,
        "prompt": prompt(subject, place or 0),
        "completion": answer(text),
    }


def asked(*subjects: str, places: Sequence[int] = (1, 2, 3)) -> list[Row]:
    return [
        {"competition": subject, "place": place, "prompt": prompt(subject, place)}
        for subject in subjects
        for place in places
    ]


def pair(number: int, split: str, chosen: str = ADVICE[0], rejected: str = ADVICE[1]) -> Row:
    subject = SUBJECTS[number % len(SUBJECTS)]
    return {
        "pair": f"p{number}",
        "split": split,
        "competition": subject,
        "prompt": prompt(subject, number + 1),
        "chosen": answer(chosen),
        "rejected": answer(rejected),
        "origin": "places",
        "gap": 1.0,
    }


def adapter_bytes(job: Job, stage: str = "sft") -> bytes:
    return Path(job.stage(stage) / "adapter" / "adapter_model.safetensors").read_bytes()
