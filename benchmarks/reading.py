"""How long does it take to understand a task? Prints seconds for large inputs made on the spot.

python benchmarks/reading.py
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.metrics.detect import detect
from linguacodus_core.taskfolder.profile import profile
from linguacodus_core.taskfolder.read import read_task

DESCRIPTION = "# A task\n\n## Evaluation\n\nSubmissions are evaluated on the area under the ROC curve.\n"


def task_folder(folder: Path, rows: int, columns: int) -> Path:
    """A binary task of that size."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(rows + 1000, columns)).round(4)).add_prefix("f")
    table.insert(0, "id", np.arange(len(table)))
    table["town"] = random.choice(["Ulm", "Bonn", "Trier"], len(table))
    train, test = table[:rows].assign(left=random.integers(0, 2, rows)), table[rows:]
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text(DESCRIPTION)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.to_csv(folder / "data" / "test.csv", index=False)
    test[["id"]].assign(left=0.5).to_csv(folder / "data" / "sample_submission.csv", index=False)
    return folder


def main() -> None:
    """Print the table."""
    print("| what | seconds |\n|---|---|")
    for rows, columns in ((130_000, 12), (4_000, 400)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = task_folder(Path(scratch) / "task", rows, columns)
            start = time.perf_counter()
            spec = read_task(folder)
            middle = time.perf_counter()
            profile(spec)
            end = time.perf_counter()
        print(f"| read a task of {rows:,} rows and {columns} columns | {middle - start:.2f} |")
        print(f"| profile it | {end - middle:.2f} |")
    text = ("Some words about the houses of this town. " * 2500)[:100_000] + DESCRIPTION
    start = time.perf_counter()
    detect(text)
    print(f"| find the metric in a description of 100,000 characters | {time.perf_counter() - start:.2f} |")


if __name__ == "__main__":
    main()
