"""What to lower when a stage has too little memory, the most effective setting first."""

from linguacodus_core.training.config import FinetuneConfig


def advice(config: FinetuneConfig, stage: str) -> str:
    """Which settings of the configuration to lower, with what they are now; for a stage base, sft, dpo,
    measure."""
    settings = config.training
    if stage == "base":
        return "free memory on this machine, or tune a smaller base"
    if stage == "measure":
        sampled = config.evaluation
        lower = _lower("evaluation", batch=sampled.batch, max_tokens=sampled.max_tokens)
        return f"lower {', '.join(lower)}; or free memory on this machine"
    if stage == "dpo":
        chosen = config.preferences
        lower = _lower("preferences", batch=chosen.batch, max_length=chosen.max_length)
    else:
        lower = _lower("training", batch=settings.batch)
        packed = settings.batching == "shared_prefix"
        lower += _lower("training", pack_length=settings.pack_length) if packed else []
        lower += _lower("training", max_length=settings.max_length)
    steps = [f"lower {', '.join(lower)}"]
    if not settings.gradient_checkpointing:
        steps.append("set training.gradient_checkpointing = true")
    if config.quantization.bits == 0:
        steps.append("set quantization.bits = 4")
    return "; ".join([*steps, f"lower lora.r ({config.lora.r})", "or tune a smaller base"])


def _lower(section: str, **values: int) -> list[str]:
    """Those settings that can still be lowered, as `section.key (value)`."""
    return [f"{section}.{key} ({value:,})" for key, value in values.items() if value > 1]
