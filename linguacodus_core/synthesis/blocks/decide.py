"""Verified blocks that make the metric's kind of answer from raw predictions, tuned out of fold."""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray], float]


def best_threshold(y: np.ndarray, p: np.ndarray, score: Score) -> float:
    """The probability from which on a 0/1 answer is 1, from a smoothed search."""
    grid = np.unique(np.quantile(p, np.linspace(0.02, 0.98, 97)))
    if len(grid) < 3:
        return 0.5
    values = np.array([score(y, (p >= cut).astype(int)) for cut in grid])
    smooth = np.convolve(np.pad(values, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    return float(np.clip(grid[int(smooth.argmax())], 1e-6, 1 - 1e-6))


def around_half(p: np.ndarray, threshold: np.ndarray | float) -> np.ndarray:
    """Probabilities moved so that the threshold lies at 0.5; their order stays."""
    below = 0.5 * p / threshold
    above = 0.5 + 0.5 * (p - threshold) / (1 - np.asarray(threshold))
    return np.asarray(np.where(p < threshold, below, above))


def label_thresholds(y: np.ndarray, p: np.ndarray, score: Score) -> np.ndarray:
    """A threshold for each label, chosen one label after the other by the score of all of them together."""
    cuts = np.full(p.shape[1], 0.5)
    for _ in range(2):
        for place in range(p.shape[1]):
            grid = np.unique(np.append(np.quantile(p[:, place], np.linspace(0.05, 0.95, 19)), cuts[place]))
            values = []
            for cut in grid:
                trial = cuts.copy()
                trial[place] = cut
                values.append(score(y, (p >= trial).astype(int)))
            cuts[place] = np.clip(grid[int(np.argmax(values))], 1e-6, 1 - 1e-6)
    return cuts


def class_factors(y: np.ndarray, p: np.ndarray, score: Score) -> np.ndarray:
    """A factor for each class's probability before the largest is taken."""
    factors = np.ones(p.shape[1])
    best = score(y, p.argmax(axis=1))
    for _ in range(2):
        for place in range(p.shape[1]):
            for factor in (0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 3.0):
                trial = factors.copy()
                trial[place] *= factor
                value = score(y, (p * trial).argmax(axis=1))
                if value > best + 1e-4:
                    best, factors = value, trial
    return np.asarray(factors / factors.mean())


def likeliest(
    y: np.ndarray, oof: np.ndarray, test: np.ndarray, sizes: tuple[int, ...], score: Score, tuned: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The class of each target (rows x targets) from probabilities that stand side by side, `sizes` a target.

    tuned: each target's classes are weighed first by what scores best out of fold.
    """
    known, answer, start = [], [], 0
    for place, size in enumerate(sizes):
        mine, other = oof[:, start : start + size], test[:, start : start + size]
        if tuned and len(mine):
            factors = class_factors(y[:, place], mine, score)
            mine, other = mine * factors, other * factors
        known.append(mine.argmax(axis=1))
        answer.append(other.argmax(axis=1))
        start += size
    return np.column_stack(known), np.column_stack(answer)


def best_labels(p: np.ndarray, classes: list[str], top: int) -> list[str]:
    """The likeliest labels of each row, best first, with blanks between them."""
    order = np.argsort(-p, axis=1, kind="stable")[:, :top]
    return [" ".join(row) for row in np.array(classes, dtype=object)[order]]


def cut_points(y: np.ndarray, p: np.ndarray, grades: np.ndarray, score: Score) -> np.ndarray:
    """The limits between neighbouring grades on the scale of p that give the best score, out of fold.

    Starts from the limits that give each grade its share of the rows and moves one limit at a time,
    averaging the score over small shifts so that no lucky gap is chosen.
    """
    shares = np.cumsum([np.mean(y == grade) for grade in grades])[:-1]
    starts = [np.quantile(p, shares), (grades[1:] + grades[:-1]) / 2]
    jitter = 0.03 * p.std() * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])

    def value(cuts: np.ndarray) -> float:
        return float(np.mean([score(y, grades[np.searchsorted(cuts, p + shift)]) for shift in jitter]))

    cuts = max((np.sort(start) for start in starts), key=value)
    best = value(cuts)
    for step in (0.4, 0.2, 0.1, 0.05):
        for _ in range(3):
            for place in range(len(cuts)):
                for move in (-step, step):
                    trial = cuts.copy()
                    trial[place] += move * p.std()
                    if np.all(np.diff(trial) > 0) and (found := value(trial)) > best:
                        best, cuts = found, trial
    return cuts


def on_grades(p: np.ndarray, cuts: np.ndarray, grades: np.ndarray) -> np.ndarray:
    """p moved piece by piece so that the nearest grade is the one between its cut points."""
    limits = (grades[1:] + grades[:-1]) / 2
    low, high = min(p.min(), cuts[0]) - 1e-6, max(p.max(), cuts[-1]) + 1e-6
    scale = np.concatenate([[low], cuts, [high]])
    goals = np.concatenate([[grades[0] - 0.49], limits, [grades[-1] + 0.49]])
    return np.asarray(np.interp(p, scale, goals))


def keep_in_range(p: np.ndarray, y: np.ndarray, margin: float) -> np.ndarray:
    """Values kept within the range of y, widened by `margin` of it; never below 0 when y never is."""
    low, high = y.min(axis=0), y.max(axis=0)
    wide = margin * (high - low)
    floor = np.where(low >= 0, np.maximum(0, low - wide), low - wide)
    return np.asarray(np.clip(p, floor, high + wide))


def refine_values(
    y: np.ndarray, oof: np.ndarray, test: np.ndarray, score: Score, greater: bool
) -> tuple[np.ndarray, np.ndarray, str]:
    """Rounds to whole numbers or to the nearest value seen in y where that scores better out of fold."""
    sign = 1 if greater else -1
    best, found = sign * score(y, oof), (oof, test, "as predicted")
    seen = np.unique(y)
    tries = []
    if np.array_equal(seen, np.rint(seen)):
        tries.append((np.rint(oof), np.rint(test), "rounded"))
    if y.shape[1] == 1 and 2 < len(seen) <= len(y) / 3:
        tries.append((nearest(oof, seen), nearest(test, seen), "nearest value seen in train"))
    for tried in tries:
        value = sign * score(y, tried[0])
        if value > best:
            best, found = value, tried
    return found


def nearest(p: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Each value of p replaced by the nearest in `seen` (sorted)."""
    place = np.clip(np.searchsorted(seen, p), 1, len(seen) - 1)
    left, right = seen[place - 1], seen[place]
    return np.asarray(np.where(p - left <= right - p, left, right))


def best_factor(y: np.ndarray, p: np.ndarray, score: Score, greater: bool) -> float:
    """The factor, between 0.85 and 1.15, that makes the score of p best: mends the bias of a log scale."""
    sign = 1 if greater else -1
    factors = np.linspace(0.85, 1.15, 61)
    values = [sign * score(y, p * factor) for factor in factors]
    return float(factors[int(np.argmax(values))])
