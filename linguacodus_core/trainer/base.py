"""The base as a folder of safetensors and tokenizer, wherever it comes from."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.llm import models
from linguacodus_core.settings import local_home
from linguacodus_core.trainer.events import Events
from linguacodus_core.training.base import EMBEDDED, identity, kind_of
from linguacodus_core.training.job import FINISHED, Job

MARK = "converted.json"
"""Written last into a converted base: what has none is not whole."""

WANTED = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]


def run(job: Job) -> None:
    """Stage `base`: the base is there, and the adapter fits it."""
    from linguacodus_core.trainer.load import check_targets, sketch

    events = Events(job.stage("base"))
    folder = materialise(job.base, events)
    outline = sketch(folder)
    check_targets(job.config.lora.targets, outline)
    found = {
        "folder": str(folder),
        "identity": job.base_identity,
        "architecture": architecture_of(folder),
        "parameters": outline.parameters,
    }
    store.write_json(job.stage("base") / FINISHED, found)
    events.end(found)


def folder_of(job: Job) -> Path:
    """Where the job's base lies. Raises TrainingError when it is not prepared, or gone."""
    done = job.done("base")
    if done is None:
        raise TrainingError(f"the base of {job.name} is not prepared", "run the stage `base` first")
    folder = Path(done["folder"])
    if not (folder / "config.json").is_file():
        raise TrainingError(
            f"the base that was in {folder} is gone",
            f"delete {job.stage('base') / FINISHED} and run the fine-tune again",
        )
    return folder


def architecture_of(folder: Path) -> str:
    """What its config.json calls the model's kind (llama, qwen2, ...)."""
    return str(_config(folder).get("model_type", "unknown"))


def materialise(spec: str, events: Events | None = None) -> Path:
    """The folder of a base: an embedded GGUF converted once and kept, a folder as it is, a hub id downloaded.

    Raises TrainingError when there is none or it is no model; ModelUnavailable when a GGUF was not pulled.
    """
    say = events.note if events else (lambda text: None)
    kind = kind_of(spec)
    if kind == "embedded":
        return _embedded(spec, say)
    folder = Path(spec).expanduser().resolve() if kind == "folder" else _downloaded(spec, say)
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise TrainingError(
            f"{folder} holds no base model (config.json and *.safetensors)",
            "give a model that save_pretrained wrote with safetensors",
        )
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        raise TrainingError(
            f"{folder} holds a model without its tokenizer", "put the tokenizer's files beside the weights"
        )
    return folder


def _embedded(spec: str, say: Any) -> Path:
    file = models.path(spec.removeprefix(EMBEDDED))
    bases = local_home() / "bases"
    folder = bases / identity(spec)
    with store.described(folder):
        bases.mkdir(parents=True, exist_ok=True)
    with _locked(bases / f"{folder.name}.lock"):
        if (folder / MARK).is_file():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        part = bases / f".{folder.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        say(f"converting {file.name} to safetensors, once")
        try:
            with store.described(part):
                _convert(file, part)
                store.write_json(part / MARK, {"from": file.name, "bytes": file.stat().st_size})
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _convert(file: Path, folder: Path) -> None:
    """The weights that the GGUF stands for, as float32: what llama.cpp computes with, so what is tuned."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _downloaded(name: str, say: Any) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    say(f"fetching {name} from the hub, unless it is here")
    try:
        return Path(snapshot_download(name, allow_patterns=WANTED))
    except GatedRepoError as error:
        raise TrainingError(
            f"the licence of {name} has to be accepted first",
            f"accept it at https://huggingface.co/{name} and set HF_TOKEN to a token of that account",
        ) from error
    except RepositoryNotFoundError as error:
        raise TrainingError(
            f"the hub knows no model {name} (or shows it to members only)",
            "check the name; for a private one set HF_TOKEN",
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise TrainingError(
            f"{name} is not on this machine, and the hub cannot be reached",
            "check the network (and HF_HUB_OFFLINE), or give a local folder as base",
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise TrainingError(
            f"{name} could not be fetched: {error}", "run it again: what came is kept"
        ) from error


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{folder / 'config.json'} cannot be read: {error}", "fetch the model anew"
        ) from error
    return dict(found)


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """One process converts, another waits for it; the kernel frees the lock when its holder dies."""
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
