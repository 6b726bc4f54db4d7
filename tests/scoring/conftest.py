from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from linguacodus_core.taskfolder.spec import DataType, TaskSpec

MakeTask = Callable[..., TaskSpec]


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    """Writes data/ from frames or raw text and describes it as the task folder's reader would."""

    def make(
        train: pd.DataFrame | str,
        test: pd.DataFrame | str,
        sample: pd.DataFrame | str,
        slug: str = "toy",
        **fields: Any,
    ) -> TaskSpec:
        data = tmp_path / slug / "data"
        data.mkdir(parents=True)
        names = {
            "train_file": fields.pop("train_file", "train.csv"),
            "test_file": fields.pop("test_file", "test.csv"),
            "sample_file": fields.pop("sample_file", "sample_submission.csv"),
        }
        for name, content in zip(names.values(), (train, test, sample), strict=True):
            if isinstance(content, str):
                (data / name).write_text(content, encoding=fields.pop("encoding", "utf-8"))
            else:
                content.to_csv(data / name, index=False)
        columns = pd.read_csv(data / names["sample_file"], nrows=1).columns
        known: dict[str, Any] = {
            "folder": tmp_path / slug,
            "slug": slug,
            "title": slug,
            "description": "",
            "data_types": (DataType.TABULAR,),
            "metric": "rmse",
            "metric_category": "RMSE/RMSLE",
            "direction": "min",
            "id_column": "id",
            "targets": ("y",),
            "submission_columns": tuple(columns),
            "prediction": "value",
            "problem": "regression",
            "train_rows": 0,
            "test_rows": 0,
            "inferred": {},
            "data_sha256": "0" * 64,
        }
        return TaskSpec(**known | names | fields)

    return make


@pytest.fixture
def binary_task(make_task: MakeTask) -> MakeTask:
    """A two-class task: `rows` rows, y is 1 where a is large, AUC of probabilities unless told."""

    def make(rows: int = 300, **fields: Any) -> TaskSpec:
        ids = range(100, 100 + rows)
        a = [(row * 37) % 101 for row in range(rows)]
        y = [int(value + (row * 13) % 40 > 70) for row, value in enumerate(a)]
        train = pd.DataFrame({"id": ids, "a": a, "b": [f"t{value % 3}" for value in a], "y": y})
        test = pd.DataFrame({"id": range(5000, 5020), "a": range(20), "b": "t1"})
        label = fields.get("prediction") == "label"
        sample = pd.DataFrame({"id": test["id"], "y": 0 if label else 0.5})
        defaults = {
            "metric": "auc",
            "metric_category": "AUC",
            "direction": "max",
            "prediction": "probability",
            "problem": "binary",
            "classes": ("0", "1"),
        }
        return make_task(train, test, sample, **defaults | fields)

    return make
