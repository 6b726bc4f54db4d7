"""The tables of a job whose subjects have known strengths: what measure would have written of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linguacodus_core import store
from linguacodus_core.tables import table
from linguacodus_core.training.tables import TRAINING

FAMILY_WORDS = {
    "lightgbm": "A LightGBM classifier with num_leaves 31 and learning_rate 0.05.",
    "xgboost": "An XGBoost regressor with n_estimators 500 and max_depth 6.",
    "random_forest": "A random forest classifier with n_estimators 300.",
    "linear": "A ridge regression with alpha 10.",
    "pretrained_cnn": "A pretrained convolutional network efficientnet_b0 with one dense layer on top.",
    "transformer": "A pretrained transformer deberta-v3-small.",
}
VALIDATION_WORDS = {
    "none": "It is fitted on all training rows; nothing is held back for validation.",
    "holdout": "20 % of the rows are held back for validation.",
    "kfold": "Validation is 5-fold cross-validation.",
    "time_split": "The latest rows are held back for validation.",
}
STEPS = (
    "Missing values are filled with the median",
    "Categorical columns are one-hot encoded",
    "Numeric columns are standardised",
    "The text is lower-cased and tokenised",
    "Images are resized to 224x224",
    "Year, month and day of date are used as features",
    "Duplicate rows are removed",
)


@dataclass(frozen=True)
class Subject:
    """loss: nats a token after the own prompt; gain: how much more it is after another one. form: share of whole
    samples. skill: share of decisions that are taken as a kernel of that competition took them. accuracy: of
    preferences."""

    loss: float = 2.3
    gain: float = 0.05
    form: float = 0.9
    skill: float = 0.2
    accuracy: float = 0.5


def instruction(family: str, validation: str, rng: np.random.Generator) -> str:
    steps = ". ".join(rng.choice(STEPS, 3, replace=False))
    return (
        f"Data preprocessing: {steps}.\n\nModel architecture: {FAMILY_WORDS[family]}\n\n"
        f"Model training: {VALIDATION_WORDS[validation]}"
    )


def write_job(
    folder: Path,
    subjects: Mapping[str, Subject],
    *,
    competitions: int = 12,
    examples: int = 6,
    samples: int = 4,
    kernels: int = 8,
    pairs: int = 0,
    ranked: bool = False,
    seed: int = 0,
) -> Path:
    """The tables under `folder`: each competition's kernels take one family and one validation in four of five
    cases; the prior knows all of them alike."""
    rng = np.random.default_rng(seed)
    families, validations = list(FAMILY_WORDS), list(VALIDATION_WORDS)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TRAINING}
    for number in range(competitions):
        name = f"competition-{number:02}"
        usual = (str(rng.choice(families)), str(rng.choice(validations)))
        done = [_decided(usual, 0.8, rng) for _ in range(kernels)]
        for place, (family, validation) in enumerate(done, 1):
            rows["references"].append(
                {
                    "competition": name,
                    "instruction": f"{name}-{place}",
                    "place": place if ranked else None,
                    "family": family,
                    "families": [family],
                    "validation": validation,
                    "text": instruction(family, validation, rng),
                }
            )
        for value in families:
            rows["prior"].append({"competition": name, "kind": "family", "value": value, "count": 10})
        for value in validations:
            rows["prior"].append({"competition": name, "kind": "validation", "value": value, "count": 10})
        _losses(rows["losses"], name, subjects, examples, rng)
        for subject, strength in subjects.items():
            for place in (1, 2, 3):
                for sample in range(samples):
                    text, cut = _sample(strength, done, rng)
                    rows["samples"].append(
                        {
                            "subject": subject,
                            "competition": name,
                            "place": place,
                            "sample": sample,
                            "text": text,
                            "tokens": len(text) // 4,
                            "cut": cut,
                        }
                    )
        for pair in range(pairs):
            _pair(rows, f"{name}/{pair}", name, subjects, rng)
    for name in ("references", "prior", "pairs"):
        store.write_table(folder / f"{name}.parquet", table(name, rows[name], TRAINING))
    for name in ("losses", "samples", "preferences"):
        store.write_table(folder / "measure" / f"{name}.parquet", table(name, rows[name], TRAINING))
    return folder


def change(folder: Path, name: str, changed: Any) -> None:
    """Write a table of the job again, its rows through `changed` (a list of rows -> a list of rows)."""
    path = folder / f"{name}.parquet"
    found = store.read_table(path)
    assert found is not None
    store.write_table(path, table(path.stem, changed(found.to_pylist()), TRAINING))


def _decided(usual: tuple[str, str], share: float, rng: np.random.Generator) -> tuple[str, str]:
    others = (list(FAMILY_WORDS), list(VALIDATION_WORDS))
    chosen = [
        value if rng.random() < share else str(rng.choice(other))
        for value, other in zip(usual, others, strict=True)
    ]
    return chosen[0], chosen[1]


def _losses(
    rows: list[dict[str, Any]],
    name: str,
    subjects: Mapping[str, Subject],
    examples: int,
    rng: np.random.Generator,
) -> None:
    hard = rng.normal(0, 0.1)
    for number in range(examples):
        tokens, own = int(rng.integers(80, 200)), rng.normal(0, 0.15)
        for subject, strength in subjects.items():
            for prompt, more in (("own", 0.0), ("other", strength.gain)):
                nll = tokens * (strength.loss + hard + own + more + rng.normal(0, 0.02))
                rows.append(
                    {
                        "example": f"{name}/{number}",
                        "competition": name,
                        "subject": subject,
                        "prompt": prompt,
                        "nll": nll,
                        "tokens": tokens,
                    }
                )


def _sample(strength: Subject, done: list[tuple[str, str]], rng: np.random.Generator) -> tuple[str, bool]:
    like = done[int(rng.integers(len(done)))]
    family = like[0] if rng.random() < strength.skill else str(rng.choice(list(FAMILY_WORDS)))
    validation = like[1] if rng.random() < strength.skill else str(rng.choice(list(VALIDATION_WORDS)))
    text = instruction(family, validation, rng)
    return (text, False) if rng.random() < strength.form else (text + " and it", True)


def _pair(
    rows: dict[str, list[dict[str, Any]]],
    pair: str,
    name: str,
    subjects: Mapping[str, Subject],
    rng: np.random.Generator,
) -> None:
    rows["pairs"].append(
        {"pair": pair, "split": "heldout", "competition": name, "origin": "places", "gap": 1.0}
    )
    for subject, strength in subjects.items():
        right = rng.random() < strength.accuracy
        rows["preferences"].append(
            {
                "pair": pair,
                "subject": subject,
                "chosen_nll": 100.0 if right else 120.0,
                "chosen_tokens": 100,
                "rejected_nll": 120.0 if right else 100.0,
                "rejected_tokens": 100,
            }
        )
