"""A folder of safetensors with random weights: Llama-2-7B's architecture, or a tiny one.

`python benchmarks/gpu/base.py llama2-7b FOLDER EXAMPLES.parquet OUT.json` writes 13.5 GB, a layer at a
time, and how many tokens the examples are. The weights are drawn as Llama's are before training (normal,
0.02): what such a model says means nothing, what it costs is what Llama-2-7B costs. Llama's tokenizer has
to be licensed, so a byte-level BPE trained on the examples stands for it, of a size by which its tokens are
about as long.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama2-7b": {
        "vocab_size": 32_000,
        "hidden_size": 4096,
        "intermediate_size": 11_008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
    },
    "tiny": {
        "vocab_size": 2048,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 4096,
    },
}
WORDS = 1024
"""Entries of the tokenizer: 3.4 to 3.5 characters a token of these prompts (4,096 entries, trained on so
little text, would make it 4.6). The other rows of the embedding are there and idle."""
END, PAD = "<|im_end|>", "<|pad|>"
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make(architecture: str, folder: Path, texts: list[str], seed: int = 0) -> None:
    """Write the folder, whole or not at all; one that is there stays."""
    if (folder / "config.json").exists():
        return
    started = folder.with_name(folder.name + ".part")
    shutil.rmtree(started, ignore_errors=True)
    started.mkdir(parents=True)
    _tokenizer(texts).save_pretrained(started)
    _weights(architecture, started, seed)
    started.rename(folder)


def linear_weights(config: dict[str, Any]) -> int:
    """Weights that a token is multiplied by, the head included and the embedding not (a look-up)."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or hidden // heads
    queries, keys = heads * width, config.get("num_key_value_heads", heads) * width
    attention = hidden * (2 * queries + 2 * keys)
    return int(
        layers * (attention + 3 * hidden * config["intermediate_size"]) + hidden * config["vocab_size"]
    )


def _tokenizer(texts: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", END, PAD]
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|im_start|>", eos_token=END, pad_token=PAD
    )
    fast.chat_template = TEMPLATE
    return fast


def _weights(architecture: str, folder: Path, seed: int) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

    ids = AutoTokenizer.from_pretrained(folder)
    special = {
        "bos_token_id": ids.bos_token_id,
        "eos_token_id": ids.eos_token_id,
        "pad_token_id": ids.pad_token_id,
    }
    config = LlamaConfig(**ARCHITECTURES[architecture], **special, dtype="float16")
    config.architectures = ["LlamaForCausalLM"]
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in LlamaForCausalLM(config).state_dict().items()}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    draw = torch.Generator(device).manual_seed(seed)
    where: dict[str, str] = {}
    for number, names in enumerate(_shards(list(shapes))):
        file = f"model-{number:05d}.safetensors"
        tensors = {}
        for name in names:
            value = torch.ones(shapes[name], device=device)
            if "norm" not in name:
                value.normal_(0, 0.02, generator=draw)
            tensors[name] = value.half().cpu()
            where[name] = file
        save_file(tensors, folder / file, {"format": "pt"})
    size = 2 * sum(shape.numel() for shape in shapes.values())
    index = {"metadata": {"total_size": size}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    GenerationConfig(**special).save_pretrained(folder)
    config.save_pretrained(folder)


def _shards(names: list[str]) -> Iterator[list[str]]:
    """Names of one layer each, then the others."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layer = name.split(".layers.")[1].split(".")[0] if ".layers." in name else "others"
        layers.setdefault(layer, []).append(name)
    yield from layers.values()


def counted(folder: Path, rows: list[dict[str, Any]]) -> dict[str, float]:
    """tokens: of all prompts and completions, as the reference reads them; characters of a token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False) for row in rows]
    tokens = sum(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))
    return {"tokens": tokens, "characters": sum(map(len, texts)) / tokens}


def main() -> None:
    """Make one, for this file run as a command, and write OUT.json: what the examples are in its tokens."""
    import pyarrow.parquet as pq

    architecture, folder, examples, out = sys.argv[1:5]
    rows = pq.read_table(examples).to_pylist()
    texts = [message["content"] for row in rows for message in (*row["prompt"], *row["completion"])]
    make(architecture, Path(folder), texts)
    Path(out).write_text(json.dumps(counted(Path(folder), rows)))


if __name__ == "__main__":
    main()
