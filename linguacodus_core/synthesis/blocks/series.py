"""Verified blocks for time series: which rows form a series, its level over time, what it was before."""

from typing import Any

import numpy as np
import pandas as pd

from linguacodus_core.synthesis.blocks.features import category


def seconds_of(dates: pd.Series) -> np.ndarray:
    """Dates as seconds since 1970; missing ones as the earliest."""
    stamps = pd.Series(dates).fillna(pd.Series(dates).min())
    return stamps.to_numpy(dtype="datetime64[s]").astype("int64").astype(float)


def lies_ahead(dates: pd.Series, rows: int) -> bool:
    """Whether most test rows (those from `rows` on) come after all train rows."""
    stamps = seconds_of(dates)
    return bool(np.mean(stamps[rows:] > stamps[:rows].max()) > 0.5) if len(stamps) > rows else False


def series_of(table: pd.DataFrame, time_column: str, rows: int, group: str | None) -> pd.Series:
    """The name of each row's series: the columns that, with the date, tell the rows of train apart."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    keys = [group] if group is not None and group in table else []
    keys += [name for name in texts if name not in (time_column, group) and table[name].nunique() <= 2000]
    whole = [
        name
        for name in table.columns
        if name not in keys and name != time_column and pd.api.types.is_numeric_dtype(table[name])
        and 1 < table[name].nunique() <= 500 and table[name].dropna().mod(1).eq(0).all()
    ]  # fmt: skip
    whole.sort(key=lambda name: -table[name].nunique())
    inside = table.iloc[:rows]
    while inside.duplicated([time_column, *keys]).mean() > 0.2 and whole:
        keys.append(whole.pop(0))
    names = pd.Series("all", index=table.index, dtype=object)
    for key in keys:
        names = names + " & " + category(table, key)
    counts = names.iloc[:rows].value_counts()
    return (
        names if len(counts) and counts.median() >= 20 else pd.Series("all", index=table.index, dtype=object)
    )


def periods_of(dates: pd.Series, rows: int) -> np.ndarray:
    """A number for each row: years counted back from train's end (-1: the last), or stretches of 30 days."""
    stamps = seconds_of(dates) / 86400
    end = stamps[:rows].max()
    span = end - stamps[:rows].min()
    length = 30.0
    if lies_ahead(dates, rows):
        length = 366.0 if span >= 700 else max(stamps[rows:].max() - end, span / 6, 1.0)
    return np.asarray(np.ceil((stamps - end) / length - 1e-9), dtype=int) - 1


def series_levels(
    y: np.ndarray, series: pd.Series, periods: np.ndarray, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """The level (mean of y) of each row's series in its period, and the level one would have forecast for it.

    y: rows values of train on the scale that is fitted. Both results cover train and test. A forecast
    uses earlier periods only: between the last level and the mean of the last three, with none, half or
    all of the mean step from period to period; whichever forecast the known periods best. Test rows in a
    period that train has use its level.
    """
    frame = pd.DataFrame({"series": series.to_numpy()[:rows], "period": periods[:rows], "y": y})
    levels: Any = frame.pivot_table(index="series", columns="period", values="y", aggfunc="mean")
    low, high = int(periods.min()), int(periods.max())
    levels = levels.reindex(columns=range(low, high + 1))

    def forecast(period: int, way: tuple[float, float]) -> Any:
        recent, drift = way
        before = levels.loc[:, levels.columns < period].dropna(axis=1, how="all")
        if before.shape[1] == 0:
            return levels.mean(axis=1)
        before = before.ffill(axis=1).bfill(axis=1)
        base = recent * before.iloc[:, -1] + (1 - recent) * before.iloc[:, -3:].mean(axis=1)
        return base + drift * before.diff(axis=1).mean(axis=1).fillna(0.0)

    known = [p for p in levels.columns if levels[p].notna().any()][2:]
    ways = [(1.0, 0.5), (0.5, 0.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0)]
    errors = [np.mean([(levels[p] - forecast(p, way)).abs().mean() for p in known] or [0.0]) for way in ways]
    best = ways[int(np.argmin(errors))]
    forecasts = pd.DataFrame({p: forecast(p, best) for p in levels.columns})
    overall = float(np.mean(y))
    places = pd.MultiIndex.from_arrays([series.to_numpy(), periods])
    at_hand = levels.stack().reindex(places).to_numpy(dtype=float)
    expected = forecasts.stack().reindex(places).to_numpy(dtype=float)
    expected = np.where(np.isfinite(expected), expected, overall)
    return np.where(np.isfinite(at_hand), at_hand, expected), expected


def lag_features(y: np.ndarray, dates: pd.Series, series: pd.Series, rows: int) -> pd.DataFrame:
    """What each row's series was one to three lags before; a lag reaches back past the whole test period.

    y: rows values of train. Test rows that lie among the train rows get no lags (all missing).
    """
    stamps = pd.Series(pd.to_datetime(dates)).reset_index(drop=True)
    made = pd.DataFrame(index=dates.index)
    if not lies_ahead(dates, rows):
        return made
    days = (stamps.iloc[rows:].max() - stamps.iloc[:rows].max()).total_seconds() / 86400
    lag = int(364 * np.ceil(days / 366)) if days > 90 else int(7 * np.ceil(days / 7))
    past: Any = pd.DataFrame(
        {"series": series.to_numpy()[:rows], "date": stamps.iloc[:rows], "y": y}
    ).dropna()
    past = past.groupby(["series", "date"], as_index=False)["y"].mean().sort_values("date")
    past["month"] = past.groupby("series")["y"].transform(
        lambda values: values.rolling(28, min_periods=1).mean()
    )
    for times in (1, 2, 3):
        asked = pd.DataFrame(
            {
                "series": series.to_numpy(),
                "date": (stamps - pd.Timedelta(days=lag * times)).to_numpy(dtype="datetime64[ns]"),
                "row": np.arange(len(stamps)),
            }
        ).sort_values("date")
        found = pd.merge_asof(
            asked,
            past.assign(date=past["date"].to_numpy(dtype="datetime64[ns]")),
            on="date",
            by="series",
            tolerance=pd.Timedelta(days=8),
        ).sort_values("row")
        made[f"{lag * times} days before"] = found["y"].to_numpy()
        made[f"month to {lag * times} days before"] = found["month"].to_numpy()
    return made.loc[:, made.notna().any()]
