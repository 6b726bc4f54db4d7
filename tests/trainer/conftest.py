"""A tiny Llama with random weights, its tokenizer, and jobs to train it with."""

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest

from linguacodus_core import store
from linguacodus_core.tables import table
from linguacodus_core.training import base
from linguacodus_core.training.config import FinetuneConfig
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import TRAINING

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SUBJECTS = ("houses", "flowers", "passengers", "galaxies")
ADVICE = (
    "fill the gaps with the median and fit gradient boosting",
    "scale all columns, then logistic regression with five folds",
    "read the pictures small and train a network for ten epochs",
    "count the words and fit a linear model, cross-validated",
    "drop the id, encode the categories, random forest",
)


def example(number: int) -> dict[str, Any]:
    subject = SUBJECTS[number % len(SUBJECTS)]
    return {
        "example": f"e{number}",
        "competition": subject,
        "place": number + 1,
        "prompt": [
            {"role": "system", "content": "You write instructions for machine-learning tasks."},
            {
                "role": "user",
                "content": f"The task is to predict {subject} from a table with {len(subject)} columns.\n"
                f"Write the instruction of place {number + 1}.",
            },
        ],
        "completion": [{"role": "assistant", "content": ADVICE[number * 7 % len(ADVICE)]}],
    }


EXAMPLES = tuple(example(number) for number in range(24))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Llama of two layers."""
    return build(tmp_path_factory.mktemp("tiny") / "tiny-llama", "llama")


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Qwen2 of two layers."""
    return build(tmp_path_factory.mktemp("tiny") / "tiny-qwen", "qwen2")


def build(folder: Path, architecture: str) -> Path:
    torch = pytest.importorskip("torch", reason="the training extra is not installed")
    transformers = pytest.importorskip("transformers", reason="the training extra is not installed")
    tokenizer = train_tokenizer()
    torch.manual_seed(1)
    kind = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}[architecture]
    config = kind(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.1,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train_tokenizer(template: str | None = CHATML) -> Any:
    tokenizers = pytest.importorskip("tokenizers", reason="the training extra is not installed")
    from transformers import PreTrainedTokenizerFast

    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    texts = [m["content"] for e in EXAMPLES for m in (*e["prompt"], *e["completion"])]
    inner.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        chat_template=template,
    )


def configuration(folder: Path | str, **changes: Mapping[str, Any] | str) -> FinetuneConfig:
    """A configuration of the tiny model: eight steps, a checkpoint every three; changes by section."""
    sections: dict[str, Any] = {
        "name": "tiny",
        "base": str(folder),
        "quantization": {"bits": 0},
        "lora": {"r": 4, "alpha": 8},
        "training": {
            "max_steps": 8,
            "batch": 2,
            "accumulation": 2,
            "learning_rate": 1e-2,
            "schedule": "linear",
            "optimizer": "adamw_torch",
            "gradient_checkpointing": False,
            "max_length": 256,
            "batching": "shared_prefix",
            "pack_length": 192,
            "save_steps": 3,
            "log_steps": 1,
            "seed": 5,
        },
        "hardware": {"device": "cpu"},
    }
    for section, values in changes.items():
        sections[section] = {**sections.get(section, {}), **values} if isinstance(values, Mapping) else values
    return FinetuneConfig.model_validate(sections)


MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """A job folder: make_job(folder of the base, rows=examples, **changes of the configuration)."""

    def make(
        folder: Path | str,
        rows: Sequence[Mapping[str, Any]] = EXAMPLES,
        *,
        from_adapter: str | None = None,
        **changes: Any,
    ) -> Job:
        config = configuration(folder, **changes)
        key = uuid.uuid4().hex[:16]
        job = Job(
            folder=tmp_path / key,
            key=key,
            name=f"tiny-{key[:8]}",
            config=config,
            datasets=("0123456789abcdef",),
            base=base.absolute(config.base),
            base_identity=base.identity(config.base),
            shuffled=False,
            preferences=(),
            from_adapter=from_adapter,
            code_version="0",
            created="2026-01-01T00:00:00Z",
        )
        store.write_table(job.folder / "train.parquet", table("train", [dict(row) for row in rows], TRAINING))
        job.write()
        return job

    return make
