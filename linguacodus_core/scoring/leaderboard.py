"""Where a score would stand on a Kaggle leaderboard."""

from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import TaskError

Medal = Literal["gold", "silver", "bronze"]


class Place(BaseModel):
    """rank 1 is best; percentile 0..100 is the share of teams down to this rank: 1 = top 1 %."""

    model_config = ConfigDict(frozen=True)

    rank: int
    teams: int
    percentile: float


def place(score: float, leaderboard: pd.DataFrame, direction: Literal["min", "max"]) -> Place:
    """The place of a score among the teams of a leaderboard (column `score`, one row a team).

    The rank is one more than the number of teams that are strictly better, so equal scores share the
    better rank, as on Kaggle; a score behind everyone counts as the last of them. Raises TaskError
    for a leaderboard without scores, ValueError when the score is not a number.
    """
    if score != score:
        raise ValueError("the score is not a number")
    scores = (
        pd.to_numeric(leaderboard["score"], errors="coerce").dropna()
        if "score" in leaderboard
        else pd.Series([])
    )
    if scores.empty:
        raise TaskError("the leaderboard has no scores", "give it a column `score` with one row a team")
    better = int((scores < score).sum() if direction == "min" else (scores > score).sum())
    teams = len(scores)
    return Place(rank=better + 1, teams=teams, percentile=100 * min(better + 1, teams) / teams)


def medal(rank: int, teams: int) -> Medal | None:
    """The medal that Kaggle gives this rank (kaggle.com/progression), None behind them."""
    if teams < 250:
        gold, silver, bronze = (teams // 10 if teams < 100 else 10), teams // 5, teams * 2 // 5
    elif teams < 1000:
        gold, silver, bronze = 10 + teams // 500, 50, 100
    else:
        gold, silver, bronze = 10 + teams // 500, teams // 20, teams // 10
    if rank <= gold:
        return "gold"
    if rank <= silver:
        return "silver"
    return "bronze" if rank <= bronze else None
