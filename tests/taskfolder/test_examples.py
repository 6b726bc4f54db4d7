from pathlib import Path

import pandas as pd
import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.examples import EXAMPLES, example_description, write_example
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
        ("digits-torn", "multiclass log loss", "multiclass", "probability", DataType.TABULAR),
        ("diabetes-grades", "quadratic weighted kappa", "ordinal", "label", DataType.TABULAR),
        ("nuclei-area", "mape", "regression", "value", DataType.TABULAR),
        ("missing-pixel", "mae", "regression", "value", DataType.TABULAR),
        ("photo-patches", "log loss", "binary", "probability", DataType.IMAGE),
        ("photo-heights", "r2", "regression", "value", DataType.IMAGE),
        ("docstrings", "f1 macro", "multiclass", "label", DataType.TEXT),
    ],
)
def test_an_example_is_a_task_that_is_understood(
    tmp_path: Path, name: str, metric: str, problem: str, prediction: str, kind: DataType
) -> None:
    spec = read_task(write_example(name, tmp_path / "task"))
    assert (spec.metric, spec.problem, spec.prediction, spec.data_type) == (metric, problem, prediction, kind)
    assert spec.warnings == ()


@pytest.mark.parametrize("name", ["breast-cancer", "digits-images", "digits-torn", "docstrings"])
def test_answers_lie_in_private_alone(tmp_path: Path, name: str) -> None:
    folder = write_example(name, tmp_path / "task")
    spec = read_task(folder)
    answers, test = pd.read_csv(folder / "private" / "answers.csv"), pd.read_csv(folder / "data" / "test.csv")
    assert answers[spec.id_column].tolist() == test[spec.id_column].tolist()
    assert set(answers.columns) == {spec.id_column, *spec.targets}
    assert spec.targets[0] not in test.columns
    assert set(answers[spec.id_column]).isdisjoint(pd.read_csv(folder / "data" / "train.csv")[spec.id_column])


@pytest.mark.parametrize("name", ["breast-cancer", "missing-pixel", "photo-heights", "docstrings"])
def test_an_example_is_the_same_every_time(tmp_path: Path, name: str) -> None:
    one, two = write_example(name, tmp_path / "a"), write_example(name, tmp_path / "b")
    assert data_sha256(one, data_files(one)) == data_sha256(two, data_files(two))


def test_breast_cancer_needs_preprocessing(tmp_path: Path) -> None:
    train = pd.read_csv(write_example("breast-cancer", tmp_path / "task") / "data" / "train.csv")
    assert train["laboratory"].nunique() == 4
    assert train.isna().sum().sum() > 100


def test_the_data_of_an_example_do_not_change_from_one_release_to_the_next(tmp_path: Path) -> None:
    known = {
        "breast-cancer": "712d1823c108125f",
        "diabetes": "5679a4a9a0d05f58",
        "wine": "456bc8b27cb355ca",
        "digits-torn": "c19570757341346e",
    }
    for name, digest in known.items():
        folder = write_example(name, tmp_path / name)
        assert data_sha256(folder, data_files(folder))[:16] == digest, name


def test_a_class_has_a_column_of_the_torn_digits_submission(tmp_path: Path) -> None:
    spec = read_task(write_example("digits-torn", tmp_path / "task"))
    assert spec.layout == "class_columns"
    assert spec.submission_columns[1:] == tuple(f"digit_{digit}" for digit in range(10))


def test_every_module_of_the_docstrings_has_sentences_in_train_and_test(tmp_path: Path) -> None:
    folder = write_example("docstrings", tmp_path / "task")
    train, test = pd.read_csv(folder / "data" / "train.csv"), pd.read_csv(folder / "private" / "answers.csv")
    assert train["sentence"].str.split().str.len().between(8, 40).all()
    assert train["sentence"].is_unique
    assert train["module"].nunique() == 8
    assert train["module"].value_counts().min() >= 20
    assert set(test["module"]) == set(train["module"])


def test_the_middle_of_a_window_is_missing(tmp_path: Path) -> None:
    folder = write_example("missing-pixel", tmp_path / "task")
    train = pd.read_csv(folder / "data" / "train.csv")
    assert train.shape == (1350, 42)
    hole = {f"r{row}c{column}" for row in (2, 3, 4) for column in (2, 3, 4)}
    assert hole & set(train.columns) == {"r3c3"}
    assert train.drop(columns="id").stack().between(0, 255).all()


def test_heights_lie_between_the_bottom_and_the_top(tmp_path: Path) -> None:
    height = pd.read_csv(write_example("photo-heights", tmp_path / "task") / "data" / "train.csv")["height"]
    assert 0 < height.min() < 0.1
    assert 0.9 < height.max() < 1


def test_every_example_has_a_description_that_says_how_it_is_scored() -> None:
    for name in EXAMPLES:
        text = example_description(name)
        assert text.startswith("# ")
        assert "\n## Evaluation\n" in text


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
