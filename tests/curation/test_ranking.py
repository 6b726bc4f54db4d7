from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.ranking import rank
from linguacodus_core.tables import DATASET, table

COMPETITIONS = table(
    "competitions",
    [
        {"competition": "high", "direction": "max"},
        {"competition": "low", "direction": "min"},
        {"competition": "none", "direction": None},
    ],
    DATASET,
)


def ranked(*rows: dict[str, object], **options: object):
    kernels = table("kernels", list(rows), DATASET)
    found, dropped = rank(kernels, COMPETITIONS, CurationOptions(**options))  # type: ignore[arg-type]
    return list(zip(found["kernel"], found["ranked_by"], strict=True)), dict(
        zip(dropped["row"], dropped["reason"], strict=True)
    )


def test_the_metrics_direction_orders_scores_and_votes_break_ties() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "score": 0.5, "votes": 1},
        {"kernel": "b", "competition": "high", "score": 0.9, "votes": None},
        {"kernel": "c", "competition": "high", "score": 0.5, "votes": 7},
        {"kernel": "x", "competition": "low", "score": 0.5, "votes": 0},
        {"kernel": "y", "competition": "low", "score": 0.1, "votes": 0},
    ]
    assert [name for name, _ in ranked(*rows)[0]] == ["b", "c", "a", "y", "x"]


def test_without_scores_the_listing_is_the_order() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "listed": 2},
        {"kernel": "b", "competition": "high", "listed": 1},
    ]
    assert ranked(*rows)[0] == [("b", "listed"), ("a", "listed")]


def test_one_kind_of_order_holds_within_a_competition() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "score": 0.2, "listed": 2},
        {"kernel": "b", "competition": "high", "listed": 1},
    ]
    found, dropped = ranked(*rows)
    assert found == [("a", "score")]
    assert dropped == {"b": "no score"}


def test_stated_scores_rank_only_when_asked() -> None:
    rows = [{"kernel": "a", "competition": "high", "stated_score": 0.8}]
    assert ranked(*rows) == ([], {"a": "no score"})
    assert ranked(*rows, stated_scores="use")[0] == [("a", "stated")]


def test_unranked_kernels_stay_when_asked_behind_those_that_are_ranked() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "votes": 90},
        {"kernel": "b", "competition": "high", "score": 0.1},
        {"kernel": "c", "competition": "none", "score": 0.3},
    ]
    assert ranked(*rows, unranked="keep")[0] == [("b", "score"), ("a", "nothing"), ("c", "nothing")]


def test_other_languages_and_unknown_competitions_are_dropped_with_the_reason() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "score": 0.1, "language": "r"},
        {"kernel": "b", "competition": "gone", "score": 0.1},
        {"kernel": "c", "competition": None, "score": 0.1},
    ]
    found, dropped = ranked(*rows)
    assert found == []
    assert dropped == {
        "a": "language: r",
        "b": "competition unknown or dropped",
        "c": "competition unknown or dropped",
    }


def test_scores_that_are_not_finite_count_as_none() -> None:
    rows = [
        {"kernel": "a", "competition": "high", "score": float("inf")},
        {"kernel": "b", "competition": "high", "score": float("nan")},
    ]
    assert ranked(*rows)[1] == {"a": "no score", "b": "no score"}
