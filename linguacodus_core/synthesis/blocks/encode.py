"""Verified blocks that make a numeric matrix of a table: missing values, categories, scaling."""

import zlib

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import QuantileTransformer, StandardScaler, TargetEncoder


def fill_numbers(table: pd.DataFrame, columns: list[str], how: str) -> pd.DataFrame:
    """Missing numbers become the column's "median" or "mean", 0 ("zero") or less than its range ("below")."""
    table = table.copy()
    for name in columns:
        column = table[name]
        if how == "below":
            value = column.min() - (column.max() - column.min()) - 1
        else:
            value = {"median": column.median(), "mean": column.mean(), "zero": 0.0}[how]
        table[name] = column.fillna(0.0 if pd.isna(value) else value)
    return table


def fill_categories(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Categories as text, "missing" where they are missing."""
    table = table.copy()
    for name in columns:
        table[name] = (
            table[name].astype(object).where(table[name].notna(), "missing").astype(str).astype(object)
        )
    return table


def group_rare(table: pd.DataFrame, columns: list[str], least: int) -> pd.DataFrame:
    """Categories with fewer than `least` rows become "rare"."""
    table = table.copy()
    for name in columns:
        counts = table[name].map(table[name].value_counts())
        table[name] = table[name].where(counts >= least, "rare")
    return table


def encode_ordinal(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Each category as its place in sorted order."""
    table = table.copy()
    for name in columns:
        table[name] = pd.factorize(table[name], sort=True)[0].astype(float)
    return table


def encode_native(table: pd.DataFrame, columns: list[str], most: int = 250) -> pd.DataFrame:
    """Each category as a pandas category, for models that split on them; the rarest past `most` together."""
    table = table.copy()
    for name in columns:
        top = table[name].value_counts().index[:most]
        table[name] = table[name].where(table[name].isin(top), "rare").astype("category")
    return table


def encode_frequency(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Each category as the share of rows that have it."""
    table = table.copy()
    for name in columns:
        table[name] = table[name].map(table[name].value_counts(normalize=True)).astype(float)
    return table


def encode_onehot(table: pd.DataFrame, columns: list[str], most: int = 40) -> pd.DataFrame:
    """Each category as indicator columns for its `most` most frequent values."""
    indicators = {}
    for name in columns:
        for value in table[name].value_counts().index[:most]:
            indicators[f"{name} is {value}"] = (table[name] == value).astype("float32")
    made = pd.DataFrame(indicators, index=table.index)
    return pd.concat([table.drop(columns=columns), made], axis=1)


def encode_hash(table: pd.DataFrame, columns: list[str], buckets: int = 16) -> pd.DataFrame:
    """Each category by its hash, as one of `buckets` indicator columns, and by its frequency."""
    made = {}
    for name in columns:
        keys = table[name].map(lambda value: zlib.crc32(value.encode("utf-8", "replace")) % buckets)
        made.update(
            {f"{name} hash {bucket}": (keys == bucket).astype("float32") for bucket in range(buckets)}
        )
        made[f"{name} frequency"] = table[name].map(table[name].value_counts(normalize=True)).astype(float)
    return pd.concat([table.drop(columns=columns), pd.DataFrame(made, index=table.index)], axis=1)


def split_by_levels(table: pd.DataFrame, columns: list[str], most: int) -> tuple[list[str], list[str]]:
    """The categories with at most `most` values, and those with more."""
    few = [name for name in columns if table[name].nunique() <= most]
    return few, [name for name in columns if name not in few]


def scale_standard(table: pd.DataFrame) -> pd.DataFrame:
    """Every column with mean 0 and standard deviation 1, cut off at 8 deviations."""
    if table.shape[1] == 0:
        return table
    scaled = StandardScaler().fit_transform(table.to_numpy(dtype=float))
    return pd.DataFrame(np.clip(np.nan_to_num(scaled), -8, 8), columns=table.columns, index=table.index)


def scale_rank(table: pd.DataFrame) -> pd.DataFrame:
    """Every column that is not an indicator made normal by its ranks, then all standardised."""
    table = table.astype(float)
    wide = [name for name in table.columns if table[name].nunique() > 2]
    if wide:
        ranks = QuantileTransformer(
            n_quantiles=min(1000, len(table)), output_distribution="normal", random_state=0
        )
        table[wide] = ranks.fit_transform(table[wide]).clip(-4, 4)
    return scale_standard(table)


def scale_unit(table: pd.DataFrame) -> pd.DataFrame:
    """Every column moved into 0..1, to stand beside TF-IDF."""
    if table.shape[1] == 0:
        return table
    values = table.to_numpy(dtype=float)
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    scaled = np.nan_to_num((values - low) / np.where(span > 0, span, 1.0))
    return pd.DataFrame(scaled, columns=table.columns, index=table.index)


def plain_names(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Columns renamed f0, f1, ... (some models refuse brackets and quotes), and the new name of each."""
    names = {name: f"f{place}" for place, name in enumerate(table.columns)}
    table = table.rename(columns=names)
    if table.shape[1] == 0:
        table["f0"] = 0.0
    return table, names


def encode_target(
    X: pd.DataFrame, y: np.ndarray, others: list[pd.DataFrame], columns: list[str], problem: str
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Categories as smoothed means of the target; on the rows of X without the row's own part."""
    columns = [name for name in columns if name in X]
    kinds = {"binary": "binary", "multiclass": "multiclass"}
    kind = kinds.get(problem, "continuous")
    if not columns or len(np.unique(y)) < 2:
        return X.drop(columns=columns), [other.drop(columns=columns) for other in others]
    kfold = StratifiedKFold if problem in kinds else KFold
    folds = kfold(min(5, len(y)), shuffle=True, random_state=0)
    encoder = TargetEncoder(target_type=kind, cv=folds)
    known = encoder.fit_transform(X[columns].astype(str), y)
    names = [f"t{place}" for place in range(known.shape[1])]
    center, spread = known.mean(axis=0), known.std(axis=0) + 1e-12

    def joined(frame: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
        made = pd.DataFrame((values - center) / spread, columns=pd.Index(names), index=frame.index)
        return pd.concat([frame.drop(columns=columns), made], axis=1)

    return joined(X, known), [
        joined(other, encoder.transform(other[columns].astype(str))) for other in others
    ]
