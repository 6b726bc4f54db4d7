import pytest

from linguacodus_core.training.config import load_config
from linguacodus_core.training.memory import advice


@pytest.mark.parametrize(
    ("name", "stage", "there", "not_there"),
    [
        ("llama2-7b-paper", "sft", "training.batch (4)", "pack_length"),
        ("llama2-7b-paper", "sft", "lora.r (64)", "gradient_checkpointing"),
        ("smollm2-135m-cpu", "sft", "training.pack_length (1,536)", "training.batch"),
        ("smollm2-135m-cpu", "sft", "quantization.bits = 4", "preferences"),
        ("smollm2-135m-cpu", "sft", "gradient_checkpointing = true", "evaluation"),
        ("llama3.1-8b", "dpo", "preferences.max_length (8,192)", "training.batch"),
        ("llama3.1-8b", "measure", "evaluation.batch (12)", "lora"),
        ("llama3.1-8b", "base", "a smaller base", "batch"),
    ],
)
def test_what_to_lower_is_named_with_its_value(name: str, stage: str, there: str, not_there: str) -> None:
    words = advice(load_config(name), stage)
    assert there in words
    assert not_there not in words
