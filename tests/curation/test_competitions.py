import pytest

from linguacodus_core.curation.competitions import judge, unknown_metrics
from linguacodus_core.tables import DATASET, table


def competition(name: str, metric: str | None = None, **more: object) -> dict[str, object]:
    return {
        "competition": name,
        "metric_name": metric,
        "description": "",
        "tags": [],
        "data_types": [],
        **more,
    }


def judged(*rows: dict[str, object], keep: bool = False):
    kept, dropped = judge(table("competitions", list(rows), DATASET), keep_unknown=keep)
    return {row["competition"]: row for row in kept.to_pylist()}, dropped


@pytest.mark.parametrize(
    ("spelled", "category", "direction"),
    [
        ("Area Under Receiver Operating Characteristic Curve", "AUC", "max"),
        ("Root Mean Squared Logarithmic Error", "RMSE/RMSLE", "min"),
        ("Quadratic Weighted Kappa", "kappa", "max"),
        ("MulticlassLoss", "multiclass log loss", "min"),
    ],
)
def test_a_metric_name_gives_category_and_direction(spelled: str, category: str, direction: str) -> None:
    kept, _ = judged(competition("a", spelled))
    assert (kept["a"]["metric_category"], kept["a"]["direction"]) == (category, direction)
    assert kept["a"]["metric_from"] == "metadata"


def test_the_description_names_the_metric_where_the_source_does_not() -> None:
    text = "## Evaluation\nSubmissions are evaluated on the mean absolute error."
    kept, _ = judged(competition("a", description=text))
    assert (kept["a"]["metric"], kept["a"]["metric_from"]) == ("mae", "description")


def test_unknown_names_are_reported_with_counts_and_never_guessed() -> None:
    kept, dropped = judged(
        competition("a", "Blorp Index"),
        competition("b", "Blorp Index"),
        competition("c", "Zonk"),
        competition("d"),
    )
    assert kept == {}
    assert unknown_metrics(dropped) == {"Blorp Index": 2, "Zonk": 1, "none named": 1}


def test_an_unknown_name_is_not_replaced_by_a_word_of_the_description() -> None:
    text = "Submissions are evaluated on the mean absolute error."
    kept, _ = judged(competition("a", "Blorp Index", description=text), keep=True)
    assert kept["a"]["metric"] is None


def test_the_three_categories_of_the_paper_are_dropped_even_when_unknown_ones_are_kept() -> None:
    kept, dropped = judged(competition("a", "Points"), competition("b", "Zonk"), keep=True)
    assert list(kept) == ["b"]
    assert dropped.to_pylist()[0]["reason"] == "metric dropped"


def test_data_types_come_from_metadata_first() -> None:
    text = "Images of cats. Each image is a photo, all images are pictures."
    kept, _ = judged(
        competition("a", "AUC", tags=["Tabular"], description=text), competition("b", "AUC", description=text)
    )
    assert (kept["a"]["data_types"], kept["a"]["data_types_from"]) == (["tabular"], "metadata")
    assert (kept["b"]["data_types"], kept["b"]["data_types_from"]) == (["image"], "description")
