from pathlib import Path

import pandas as pd
import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.examples import EXAMPLES, write_example
from linguacodus_core.taskfolder.files import data_files, data_sha256
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import DataType


@pytest.mark.parametrize(
    ("name", "metric", "problem", "prediction", "kind"),
    [
        ("breast-cancer", "auc", "binary", "probability", DataType.TABULAR),
        ("diabetes", "rmse", "regression", "value", DataType.TABULAR),
        ("wine", "categorization accuracy", "multiclass", "label", DataType.TABULAR),
        ("digits-images", "categorization accuracy", "multiclass", "label", DataType.IMAGE),
    ],
)
def test_an_example_is_a_task_that_is_understood(
    tmp_path: Path, name: str, metric: str, problem: str, prediction: str, kind: DataType
) -> None:
    spec = read_task(write_example(name, tmp_path / "task"))
    assert (spec.metric, spec.problem, spec.prediction, spec.data_type) == (metric, problem, prediction, kind)
    assert spec.warnings == ()


@pytest.mark.parametrize("name", ["breast-cancer", "digits-images"])
def test_answers_lie_in_private_alone(tmp_path: Path, name: str) -> None:
    folder = write_example(name, tmp_path / "task")
    spec = read_task(folder)
    answers, test = pd.read_csv(folder / "private" / "answers.csv"), pd.read_csv(folder / "data" / "test.csv")
    assert answers[spec.id_column].tolist() == test[spec.id_column].tolist()
    assert set(answers.columns) == {spec.id_column, *spec.targets}
    assert spec.targets[0] not in test.columns
    assert set(answers[spec.id_column]).isdisjoint(pd.read_csv(folder / "data" / "train.csv")[spec.id_column])


def test_an_example_is_the_same_every_time(tmp_path: Path) -> None:
    one, two = write_example("breast-cancer", tmp_path / "a"), write_example("breast-cancer", tmp_path / "b")
    assert data_sha256(one, data_files(one)) == data_sha256(two, data_files(two))


def test_breast_cancer_needs_preprocessing(tmp_path: Path) -> None:
    train = pd.read_csv(write_example("breast-cancer", tmp_path / "task") / "data" / "train.csv")
    assert train["laboratory"].nunique() == 4
    assert train.isna().sum().sum() > 100


def test_an_unknown_example_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no example wines") as caught:
        write_example("wines", tmp_path / "task")
    assert "did you mean wine?" in caught.value.remedy
    assert all(name in caught.value.remedy for name in EXAMPLES)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(TaskError, match="not empty"):
        write_example("wine", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
