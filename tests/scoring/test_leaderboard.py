import pandas as pd
import pytest

from linguacodus_core.errors import TaskError
from linguacodus_core.scoring.leaderboard import medal, place

BOARD = pd.DataFrame({"rank": [1, 2, 3, 4], "score": [0.9, 0.8, 0.8, 0.5]})


@pytest.mark.parametrize(("score", "rank"), [(0.95, 1), (0.9, 1), (0.8, 2), (0.7, 4), (0.5, 4), (0.1, 5)])
def test_equal_scores_share_the_better_rank(score, rank):
    assert place(score, BOARD, "max").rank == rank


def test_smaller_is_better_where_the_metric_is_minimised():
    assert place(0.4, BOARD, "min").rank == 1
    assert place(0.85, BOARD, "min").rank == 4


def test_percentile_is_the_share_of_teams_down_to_the_rank():
    assert place(0.95, BOARD, "max").percentile == 25
    assert place(0.0, BOARD, "max").percentile == 100
    assert place(0.0, BOARD, "max").teams == 4


def test_a_board_without_scores_is_said():
    with pytest.raises(TaskError, match="no scores"):
        place(0.5, pd.DataFrame({"rank": []}), "max")
    with pytest.raises(ValueError, match="not a number"):
        place(float("nan"), BOARD, "max")


@pytest.mark.parametrize(
    ("rank", "teams", "expected"),
    [
        (5, 50, "gold"), (6, 50, "silver"), (20, 50, "bronze"), (21, 50, None),
        (10, 200, "gold"), (11, 200, "silver"), (41, 200, "bronze"), (81, 200, None),
        (11, 500, "gold"), (12, 500, "silver"), (51, 500, "bronze"), (101, 500, None),
        (14, 2000, "gold"), (15, 2000, "silver"), (101, 2000, "bronze"), (201, 2000, None),
    ],
)  # fmt: skip
def test_medals_follow_kaggles_rules(rank, teams, expected):
    assert medal(rank, teams) == expected
