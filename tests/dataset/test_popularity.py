from pathlib import Path

import pytest

from linguacodus_core.dataset import prior as priors
from linguacodus_core.dataset.figure import heat_map
from linguacodus_core.dataset.popularity import popularity
from linguacodus_core.dataset.prior import Prior
from linguacodus_core.extraction.vocabulary import FAMILIES
from linguacodus_core.tables import DATASET, table
from tests.dataset.test_version import publish

COMPETITIONS = table(
    "competitions",
    [
        {"competition": "a", "data_types": ["tabular"], "metric_category": "AUC"},
        {"competition": "b", "data_types": ["tabular", "text"], "metric_category": "AUC"},
        {"competition": "c", "data_types": ["image"], "metric_category": None},
    ],
    DATASET,
)


def counted(*families: tuple[str, list[str]]) -> list[tuple[object, ...]]:
    rows = [{"competition": name, "families": found} for name, found in families]
    made = popularity(COMPETITIONS, table("instructions", rows, DATASET))
    return [tuple(row.values()) for row in made.to_pylist()]


def test_the_main_model_is_counted_by_data_type_and_metric() -> None:
    found = counted(
        ("a", ["xgboost", "linear"]), ("a", ["xgboost"]), ("b", ["lightgbm"]), ("c", ["cnn"]), ("a", [])
    )
    assert ("tabular", "AUC", "xgboost", 2, 3, pytest.approx(2 / 3)) in found
    assert ("text", "AUC", "lightgbm", 1, 1, 1.0) in found
    assert ("image", "", "cnn", 1, 1, 1.0) in found
    assert ("image", "AUC", "cnn", 1, 1, 1.0) not in found


def test_a_data_type_is_also_counted_over_all_metrics() -> None:
    assert ("tabular", "", "lightgbm", 1, 2, 0.5) in counted(("a", ["xgboost"]), ("b", ["lightgbm"]))


def test_the_most_popular_model_comes_first_in_its_cell() -> None:
    found = counted(("a", ["linear"]), ("a", ["xgboost"]), ("a", ["xgboost"]))
    assert [row[2] for row in found if row[:2] == ("tabular", "AUC")] == ["xgboost", "linear"]


@pytest.mark.parametrize("rows", [[], [("a", ["xgboost"]), ("c", ["cnn"])]])
def test_the_figure_is_a_picture_with_and_without_data(rows: list[tuple[str, list[str]]]) -> None:
    made = popularity(
        COMPETITIONS,
        table("instructions", [{"competition": name, "families": found} for name, found in rows], DATASET),
    )
    assert heat_map(made).startswith(b"\x89PNG")


def test_the_prior_is_read_where_enough_solutions_were_counted() -> None:
    newest = {("tabular", "AUC"): {"linear": 125}, ("text", "AUC"): {"svm": 3}}
    ships = {("text", ""): {"transformer": 90, "linear": 30}}
    prior = Prior("test", (newest, ships))
    assert prior.counts(["tabular", "text"], "AUC") == {"linear": 125}
    assert prior.counts(["text"], "AUC") == {"transformer": 90, "linear": 30}
    assert prior.counts(["audio"], "AUC") == {}
    assert prior.counts([], "AUC") == {}


def test_a_damaged_version_does_not_stop_generation(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    version, _ = publish("a")
    assert priors.current().name == f"dataset version {version.name}"
    (Path(version.folder) / "popularity.parquet").unlink()
    assert priors.current().name == "the table that ships"
    (Path(version.folder) / "manifest.json").write_text("{")
    assert priors.current().name == "the table that ships"
    assert "is damaged" in caplog.text


def test_the_table_that_ships_is_in_force_without_a_version(home: object) -> None:
    assert priors.current().name == "the table that ships"


def test_the_table_that_ships_counts_models_that_exist() -> None:
    table = priors.shipped()
    assert sum(table["tabular", ""].values()) > 100
    assert {family for counts in table.values() for family in counts} <= set(FAMILIES)
