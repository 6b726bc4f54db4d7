"""A small task folder made on the spot: 5,000 rows, so that one hold-out is enough."""

from pathlib import Path

import numpy as np
import pandas as pd

DESCRIPTION = """# Will it rain?

Predict the probability of rain from two measurements and the station.

## Evaluation

Submissions are evaluated on the area under the ROC curve between the predicted probability and the observed target.
"""


def write_task(folder: Path, rows: int = 5000, seed: int = 0) -> Path:
    """A binary task with a number, a noisy number and a category; answers in private/."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "id": np.arange(rows + 500),
            "pressure": random.normal(size=rows + 500),
            "humidity": random.normal(size=rows + 500),
            "station": random.choice(["north", "south", "east"], rows + 500),
        }
    )
    chance = 1 / (1 + np.exp(-(2 * table.pressure * (table.station == "north") + table.humidity)))
    table["rain"] = (random.uniform(size=len(table)) < chance).astype(int)
    train, test = table[:rows], table[rows:]
    for name in ("data", "private"):
        (folder / name).mkdir(parents=True)
    (folder / "description.md").write_text(DESCRIPTION)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns="rain").to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(rain=0.5).to_csv(folder / "data" / "sample_submission.csv", index=False)
    test[["id", "rain"]].to_csv(folder / "private" / "answers.csv", index=False)
    return folder
