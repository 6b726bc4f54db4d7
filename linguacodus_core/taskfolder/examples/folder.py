"""How an example becomes a task folder: rows divided into train and test, answers apart."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.store import write_text

SEED = 7
_TEST_SHARE = 0.25


def write_table(
    folder: Path,
    description: str,
    features: pd.DataFrame,
    target: pd.Series,
    blank: str | float | Mapping[str, float],
) -> None:
    """As write_split, with a row number in shuffled order as id."""
    order = np.random.default_rng(SEED).permutation(len(features))
    shuffled = features.iloc[order].reset_index(drop=True)
    shuffled.insert(0, "id", np.arange(1, len(features) + 1))
    write_split(folder, description, shuffled, target.iloc[order].reset_index(drop=True), blank)


def write_split(
    folder: Path,
    description: str,
    features: pd.DataFrame,
    target: pd.Series,
    blank: str | float | Mapping[str, float],
) -> None:
    """Splits rows at random into train and test and writes the task; the first column is the id.

    blank: what the sample submission predicts for every row; a mapping gives it one column a key.
    """
    test = np.zeros(len(features), dtype=bool)
    count = round(_TEST_SHARE * len(features))
    test[np.random.default_rng(SEED + 1).permutation(len(features))[:count]] = True
    columns = blank if isinstance(blank, Mapping) else {str(target.name): blank}
    ids, guess = features.iloc[:, [0]], pd.DataFrame(dict(columns), index=features.index)
    write_text(folder / "description.md", description)
    written = {
        "data/train.csv": pd.concat([features, target], axis=1)[~test],
        "data/test.csv": features[test],
        "data/sample_submission.csv": pd.concat([ids, guess], axis=1)[test],
        "private/answers.csv": pd.concat([ids, target], axis=1)[test],
    }
    for path, table in written.items():
        write_text(folder / path, table.to_csv(index=False, lineterminator="\n"))
