"""Verified blocks for cross-validation: which rows to fit on and which to hold out."""

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

Folds = list[tuple[np.ndarray, np.ndarray]]


def shuffled_folds(y: np.ndarray, folds: int, seed: int) -> Folds:
    """Random folds."""
    folds = min(folds, len(y))
    if folds < 2:
        return []
    return list(KFold(folds, shuffle=True, random_state=seed).split(y))


def stratified_folds(y: np.ndarray, folds: int, seed: int) -> Folds:
    """Random folds with equal shares of classes (of tenths of the range for numbers, of sets of labels)."""
    keys = y if y.ndim == 1 else y[:, 0]
    if y.ndim == 2 and y.shape[1] > 1:
        keys = (y > np.median(y, axis=0)) @ (2.0 ** np.arange(y.shape[1]) % 1e6)
    if len(np.unique(keys)) > 30:
        keys = pd.qcut(pd.Series(keys), 10, labels=False, duplicates="drop").to_numpy()
    values, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    folds = min(folds, len(y))
    places = np.where(counts[places] >= folds, places, -1)
    if folds < 2:
        return []
    if len(values) < 2 or np.unique(places, return_counts=True)[1].min() < folds:
        return shuffled_folds(y, folds, seed)
    return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(places, places))


def group_folds(groups: np.ndarray, folds: int, seed: int) -> Folds:
    """Random folds that never part rows of one group."""
    names, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    folds = min(folds, len(names))
    if folds < 2:
        return []
    shuffled = np.random.default_rng(seed).permutation(len(names))[codes]
    return list(GroupKFold(folds).split(shuffled, groups=shuffled))


def origin_folds(y: np.ndarray, origin: np.ndarray, folds: int, seed: int) -> Folds:
    """Stratified folds; rows that come from one row of the file are never parted."""
    if len(np.unique(origin)) == len(origin):
        return stratified_folds(y, folds, seed)
    return group_folds(origin, folds, seed)


def time_folds(times: pd.Series, later: pd.Series, folds: int, seed: int) -> Folds:
    """Folds by time: whole days when the test rows lie among the train rows, else the last stretches.

    times: of the train rows; later: of the test rows. A last stretch is as long as the test's and is
    predicted from what lies before it.
    """
    stamps = pd.Series(times).to_numpy(dtype="datetime64[s]").astype("int64").astype(float)
    ahead = pd.Series(later).to_numpy(dtype="datetime64[s]").astype("int64").astype(float)
    if np.nanmean(ahead > stamps.max()) < 0.5:
        return group_folds(np.floor(stamps / 86400), folds, seed)
    span = stamps.max() - stamps.min()
    stretch = min(max(ahead.max() - stamps.max(), span / 20), span / 3)
    found = []
    for fold in range(min(folds, int(span // (2 * stretch)) or 1)):
        end = stamps.max() - fold * stretch
        held = np.flatnonzero((stamps > end - stretch) & (stamps <= end))
        before = np.flatnonzero(stamps <= end - stretch)
        if len(held) and len(before):
            found.append((before, held))
    return found
