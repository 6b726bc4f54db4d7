"""Tokenizer, base and adapter in memory, as a configuration and the hardware have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, set_seed

from linguacodus_core.errors import AdapterError, TrainingError
from linguacodus_core.trainer import hardware
from linguacodus_core.trainer.replacements import Settings, settle
from linguacodus_core.training.config import ALL_LINEAR, FinetuneConfig
from linguacodus_core.training.job import Job


@dataclass(frozen=True)
class Outline:
    """A model without its weights.

    architecture: what its configuration calls its kind. linear: (inputs, outputs) of its projections by
    full name, the head not counted. window: how far back its attention reaches, None for all the way.
    """

    architecture: str
    parameters: int
    linear: dict[str, tuple[int, int]]
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    window: int | None = None

    @property
    def projections(self) -> list[str]:
        """The names under which projections are asked for (q_proj, ...)."""
        return sorted({name.rsplit(".", 1)[-1] for name in self.linear})


def tokenizer_of(folder: Path) -> Any:
    """The base's tokenizer; without a padding token of its own, it pads with the end token (masked)."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"the tokenizer in {folder} cannot be read: {error}", "fetch the model anew"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def sketch(folder: Path) -> Outline:
    """The outline of the model in a folder. Raises TrainingError for an architecture that is not known."""
    try:
        config = AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{folder} is no causal language model that transformers knows: {error}",
            "give another base, or a newer transformers",
        ) from error
    model.tie_weights()
    head = model.get_output_embeddings()
    linear = {
        name: (module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    text = config.get_text_config()
    slides = getattr(text, "use_sliding_window", True)
    return Outline(
        config.model_type,
        sum(parameter.numel() for parameter in model.parameters()),
        linear,
        text.num_hidden_layers,
        text.hidden_size,
        text.num_attention_heads,
        text.vocab_size,
        getattr(text, "sliding_window", None) if slides else None,
    )


def check_targets(targets: str | Sequence[str], outline: Outline) -> dict[str, tuple[int, int]]:
    """The projections that get an adapter, by full name.

    Raises TrainingError naming the model's projections when it has not all those that are asked for.
    """
    if targets == ALL_LINEAR:
        return outline.linear
    missing = [target for target in targets if not _matching(target, outline)]
    if missing:
        raise TrainingError(
            f"lora.targets: the base has no projection {', '.join(missing)}",
            f'it has {", ".join(outline.projections)}; or write "{ALL_LINEAR}" for all of them',
        )
    return {name: shape for target in targets for name, shape in _matching(target, outline).items()}


def load_base(job: Job, folder: Path, *, for_training: bool) -> Any:
    """The base on its device, quantized as the configuration says; only to be read when not for training."""
    config = job.config
    device = hardware.find(config.hardware.device)
    settings = settle(config, device)
    several = config.hardware.processes > 1 and for_training
    options: dict[str, Any] = {"dtype": settings.dtype, "attn_implementation": settings.attention}
    if config.quantization.bits:
        options["quantization_config"] = quantization(config, settings, sharded=several and _sharded(config))
    if not (several and _sharded(config)):
        options["device_map"] = {"": device.device}
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, **options)
    except ImportError as error:
        raise TrainingError(
            f"the base cannot be loaded: {error}", "pip install 'linguacodus[train]'"
        ) from error
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"the base in {folder} cannot be loaded: {error}", "fetch the model anew"
        ) from error
    model.config.use_cache = not for_training
    if for_training and settings.liger:
        _fuse(model)
    return model if for_training else model.eval()  # type: ignore[no-untyped-call]


def quantization(config: FinetuneConfig, settings: Settings, *, sharded: bool) -> BitsAndBytesConfig:
    """The 4-bit weights. sharded: stored in the type that is computed in, so that FSDP can divide them."""
    more = {"bnb_4bit_quant_storage": settings.dtype} if sharded else {}
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type=config.quantization.type,
        bnb_4bit_compute_dtype=settings.dtype,
        bnb_4bit_use_double_quant=config.quantization.double,
        **more,
    )


def new_adapter(model: Any, config: FinetuneConfig, outline: Outline) -> Any:
    """The model with a fresh LoRA, the same for the same seed."""
    check_targets(config.lora.targets, outline)
    targets = outline.projections if config.lora.targets == ALL_LINEAR else list(config.lora.targets)
    set_seed(config.training.seed)
    lora = LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=targets,
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora)


def with_adapter(model: Any, folder: Path, trainable: bool) -> Any:
    """The model with the adapter in a folder. Raises AdapterError when it is damaged, or another base's."""
    try:
        tuned = PeftModel.from_pretrained(model, folder, is_trainable=trainable)
    except (RuntimeError, ValueError, KeyError) as error:
        line = next((text.strip() for text in str(error).splitlines() if "size mismatch" in text), str(error))
        raise AdapterError(
            f"the adapter in {folder} does not fit this base: {line[:300]}",
            "use it with the base that it was trained on",
        ) from error
    except OSError as error:
        raise AdapterError(f"the adapter in {folder} cannot be read: {error}", "train it anew") from error
    return tuned if trainable else tuned.eval()


def float_adapter(model: Any) -> None:
    """Keep what is trained as float32.

    TRL makes the LoRA of a quantized model bfloat16. Steps of 1e-4 get lost between bfloat16's 8 bits,
    float16's gradient scaler refuses it, and most processors compute in it a hundred times slower.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _matching(target: str, outline: Outline) -> dict[str, tuple[int, int]]:
    return {
        name: shape for name, shape in outline.linear.items() if name == target or name.endswith(f".{target}")
    }


def _sharded(config: FinetuneConfig) -> bool:
    return config.hardware.strategy == "fsdp"


def _fuse(model: Any) -> None:
    """Liger's kernels for norms, rotations, activations; the head is TRL's. It has not been run on a card."""
    from transformers.integrations.liger import apply_liger_kernel

    layers = {"fused_linear_cross_entropy": False, "cross_entropy": False}
    apply_liger_kernel(model, layers)  # type: ignore[no-untyped-call]
