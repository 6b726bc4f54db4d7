"""What one run of the benchmark is made of: device, examples, configurations, folders."""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu import rows
from linguacodus_core.training.config import FinetuneConfig, load_config

HERE = Path(__file__).parent
EXAMPLES = {"llama2-7b": 400, "tiny": 12}
HELD_OUT = {"llama2-7b": 64, "tiny": 4}
BATCH = 4
"""Rows a step of the paper's configuration."""
LITTLE_MEMORY = 40e9
"""Bytes of a card below which our own configuration computes activations twice, too."""


@dataclass(frozen=True)
class Setup:
    """Everything that the parts share. train, heldout: rows of the dataset; limit: seconds a process."""

    out: Path
    device: str
    architecture: str
    dataset: str
    train: list[rows.Row]
    heldout: list[rows.Row]
    real: int
    paper: FinetuneConfig
    own: FinetuneConfig
    small: str
    rounds: int
    limit: float
    fingerprint: str

    @classmethod
    def of(cls, asked: argparse.Namespace) -> "Setup":
        """From the command line. Raises LinguacodusError: no such version, a configuration that is wrong."""
        found = rows.read(asked.dataset)
        count = asked.examples or EXAMPLES[asked.architecture]
        train = rows.chosen(found, "train", count)
        heldout = rows.chosen(found, "heldout", HELD_OUT[asked.architecture])
        paper, own = load_config("llama2-7b-paper"), load_config(str(asked.own or HERE / "own.toml"))
        if asked.architecture == "tiny":
            own = changed(own, training={"pack_length": 1024})
        named = [asked.device, asked.architecture, asked.small, own.as_toml(), paper.as_toml()]
        named += [row["example"] for row in train + heldout]
        return cls(
            out=asked.out.resolve(),
            device=asked.device,
            architecture=asked.architecture,
            dataset=asked.dataset,
            train=train,
            heldout=heldout,
            real=sum(row["split"] == "train" for row in found),
            paper=paper,
            own=own,
            small=asked.small,
            rounds=asked.rounds,
            limit=60 * asked.minutes,
            fingerprint=hashlib.sha256(json.dumps(named).encode()).hexdigest()[:12],
        )

    @property
    def tiny(self) -> bool:
        """Whether this is the run that only shows that the code works."""
        return self.architecture == "tiny"

    @property
    def base(self) -> Path:
        """The folder of random weights."""
        return self.out / f"base-{self.architecture}"

    @property
    def log_steps(self) -> int:
        """Steps of four rows between two reports: at most the paper's 25."""
        return max(1, min(25, len(self.train) // BATCH // 8))

    def configured(self, name: str, base: str, memory: float = 0) -> FinetuneConfig:
        """The configuration `paper` or `own` on that base and this device. memory: bytes of the card."""
        config = self.paper if name == "paper" else self.own
        training: dict[str, object] = {"log_steps": max(1, self.log_steps // (1 if name == "paper" else 3))}
        if name == "own" and self.device == "cuda" and memory < LITTLE_MEMORY:
            training["gradient_checkpointing"] = True
        return changed(
            config, base=base, prompt_set="default", hardware={"device": self.device}, training=training
        )


def changed(config: FinetuneConfig, **changes: object) -> FinetuneConfig:
    """A configuration with other values; those of a section as a mapping."""
    fields = config.model_dump()
    for name, value in changes.items():
        fields[name] = {**fields[name], **value} if isinstance(value, dict) else value
    return FinetuneConfig.model_validate(fields)
