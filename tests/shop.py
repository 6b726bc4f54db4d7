"""A small task with what real ones have: missing numbers and categories, names, dates, an id, text labels."""

from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.scoring.holdout import Split, carve
from linguacodus_core.taskfolder.profile import DataProfile, profile
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec

DESCRIPTION = """# Who comes back?

A shop wants to know which customers return within a year. For each customer of the test file predict
`returns`: yes or no.

## Evaluation

Submissions are evaluated on classification accuracy, the share of customers predicted correctly.

## Data

age, income and city may be missing; name is the customer's name, joined the day of the first purchase.
"""


def write_shop(folder: Path, rows: int = 300, seed: int = 0) -> Path:
    """The task folder; there are 60 rows of test besides."""
    random = np.random.default_rng(seed)
    total = rows + 60
    table = pd.DataFrame(
        {
            "customer": np.arange(1, total + 1),
            "name": [
                f"{random.choice(['Mr.', 'Mrs.', 'Dr.'])} {random.choice(['Abe', 'Ito', 'Roe'])} {n}"
                for n in range(total)
            ],
            "age": random.integers(18, 80, total).astype(float),
            "income": random.integers(10, 90, total) * 1000.0,
            "city": random.choice(["Kyoto", "Lima", "Oslo"], total).astype(object),
            "joined": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 500, total), unit="D"),
        }
    )
    chance = (table["income"] + 400 * table["age"] + 20000 * (table["city"] == "Lima") - 72000) / 12000
    table["returns"] = np.where(random.uniform(size=total) < 1 / (1 + np.exp(-chance)), "yes", "no")
    for name in ("age", "income", "city"):
        table.loc[random.uniform(size=total) < 0.1, name] = np.nan
    train, test = table[:rows], table[rows:]
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text(DESCRIPTION)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.drop(columns="returns").to_csv(folder / "data" / "test.csv", index=False)
    test[["customer"]].assign(returns="no").to_csv(folder / "data" / "sample_submission.csv", index=False)
    return folder


def shop(folder: Path) -> tuple[TaskSpec, DataProfile, Split]:
    """The task understood, its profile, its hold-outs."""
    spec = read_task(write_shop(folder / "shop"))
    return spec, profile(spec), carve(spec, 0, folder / "split")
