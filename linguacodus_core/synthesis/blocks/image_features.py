"""Verified blocks that describe small images by numbers, and a linear model for them.

Feature blocks take uint8 arrays (train_images, test_images), n x side x side x 3, and return one float32
matrix for each. Model blocks follow the convention of the text models: (X, y, others, problem, width, seed).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

PATCH_BYTES = 8_000_000  # one batch of patches: small enough to stay in the processor's cache
PATCH_WORK = 2e12  # multiplications patch_features may spend: about a minute on two cores


def shrink(images: np.ndarray, side: int) -> np.ndarray:
    """Images averaged down to about side x side; smaller ones stay as they are."""
    step = max(1, images.shape[1] // side)
    kept = images.shape[1] // step * step
    blocks = images[:, :kept, :kept].reshape(len(images), kept // step, step, kept // step, step, 3)
    small: np.ndarray = blocks.mean(axis=(2, 4), dtype=np.float32)
    return small


def thumbnail_features(
    train_images: np.ndarray, test_images: np.ndarray, side: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of a thumbnail, 0..1."""
    train_small, test_small = shrink(train_images, side), shrink(test_images, side)
    width = int(np.prod(train_small.shape[1:]))
    return train_small.reshape(-1, width) / 255, test_small.reshape(-1, width) / 255


def colours_of(images: np.ndarray, bins: int = 8) -> np.ndarray:
    """Histogram, mean, spread and skewness of each channel, over the whole image and its four quarters."""
    half = max(1, images.shape[1] // 2)
    regions = [
        images,
        *(
            images[:, r, c]
            for r in (slice(half), slice(half, None))
            for c in (slice(half), slice(half, None))
        ),
    ]
    parts = []
    for region in regions:
        pixels = region.reshape(len(images), -1, 3)
        codes = (pixels.astype(np.int32) * bins) // 256
        counts = [(codes == b).mean(axis=1, dtype=np.float32) for b in range(bins)]
        values = pixels.astype(np.float32) / 255
        mean, spread = values.mean(axis=1), values.std(axis=1)
        skew = ((values - mean[:, None]) ** 3).mean(axis=1) / (spread**3 + 1e-4)
        parts += [*counts, mean, spread, skew]
    return np.hstack(parts).astype(np.float32)


def colour_features(train_images: np.ndarray, test_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour histograms and moments of the whole image and its four quarters."""
    pair = []
    for images in (train_images, test_images):
        batches = [colours_of(images[start : start + 512]) for start in range(0, len(images), 512)]
        pair.append(np.vstack(batches) if batches else np.zeros((0, 165), dtype=np.float32))
    return pair[0], pair[1]


def hog_of(images: np.ndarray, cells: int, orientations: int = 9) -> np.ndarray:
    """Histograms of oriented gradients of a batch: cells x cells, normalised over 2 x 2 blocks."""
    n, side = images.shape[:2]
    grey = images.astype(np.float32).mean(axis=3) / 255
    dy, dx = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(dx, dy)
    angle = np.mod(np.arctan2(dy, dx), np.pi) / np.pi * orientations
    low = np.floor(angle).astype(np.int64)
    share = angle - low
    edges = np.minimum(np.arange(side) * cells // side, cells - 1)
    cell = edges[:, None] * cells + edges[None, :]
    slot = (np.arange(n)[:, None, None] * cells * cells + cell) * orientations
    size = n * cells * cells * orientations
    votes = np.bincount((slot + low % orientations).ravel(), (strength * (1 - share)).ravel(), size)
    votes += np.bincount((slot + (low + 1) % orientations).ravel(), (strength * share).ravel(), size)
    grid = votes.reshape(n, cells, cells, orientations)
    blocks = np.concatenate([grid[:, :-1, :-1], grid[:, :-1, 1:], grid[:, 1:, :-1], grid[:, 1:, 1:]], axis=3)
    blocks = blocks / np.sqrt((blocks**2).sum(axis=3, keepdims=True) + 1e-4)
    features: np.ndarray = blocks.reshape(n, -1).astype(np.float32)
    return features


def hog_features(train_images: np.ndarray, test_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Histograms of oriented gradients (Dalal & Triggs 2005), up to 8 x 8 cells of at least four pixels."""
    cells = int(np.clip(train_images.shape[1] // 4, 2, 8))
    pair = []
    for images in (train_images, test_images):
        batches = [hog_of(images[start : start + 512], cells) for start in range(0, len(images), 512)]
        pair.append(np.vstack(batches) if batches else np.zeros((0, (cells - 1) ** 2 * 36), dtype=np.float32))
    return pair[0], pair[1]


def patches_of(images: np.ndarray, patch: int, stride: int) -> np.ndarray:
    """Every patch of every image, contrast-normalised: n x rows x columns x (patch * patch * 3) float32."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (patch, patch), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]  # n x rows x columns x 3 x patch x patch
    flat = windows.reshape(*windows.shape[:3], -1).astype(np.float32)
    flat -= flat.mean(axis=3, keepdims=True)
    flat /= np.sqrt(np.einsum("nrcp,nrcp->nrc", flat, flat)[..., None] / flat.shape[3] + 10)
    return flat


def whitening_of(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and symmetric ZCA matrix of patches (rows)."""
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False))
    return mean, (vectors / np.sqrt(np.maximum(values, 0) + 0.1) @ vectors.T).astype(np.float32)


def triangle_of(
    images: np.ndarray, mean: np.ndarray, whiten: np.ndarray, dictionary: np.ndarray, patch: int, stride: int
) -> np.ndarray:
    """Triangle activations max(0, mean distance - distance) of each centroid, averaged over four quarters."""
    flat = patches_of(images, patch, stride)
    n, rows, columns = flat.shape[:3]
    white = (flat.reshape(n * rows * columns, -1) - mean) @ whiten
    distance = white @ (-2 * dictionary.T)
    distance += np.einsum("ij,ij->i", white, white)[:, None]
    distance += np.einsum("ij,ij->i", dictionary, dictionary)
    np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
    np.subtract(distance.mean(axis=1, keepdims=True), distance, out=distance)
    active = np.maximum(distance, 0, out=distance).reshape(n, rows, columns, -1)
    half_row, half_column = max(1, rows // 2), max(1, columns // 2)
    top, bottom = slice(half_row), slice(rows - half_row, None)
    left, right = slice(half_column), slice(columns - half_column, None)
    quarters = [active[:, r, c].mean(axis=(1, 2)) for r in (top, bottom) for c in (left, right)]
    return np.stack(quarters, axis=1)  # n x 4 x centroids


def patch_features(
    train_images: np.ndarray,
    test_images: np.ndarray,
    seed: int = 0,
    centroids: int = 400,
    patch: int = 6,
    flips: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """K-means patch features (Coates, Lee & Ng 2011): 4 x centroids columns.

    Patches are contrast-normalised and ZCA-whitened; their distances to a k-means dictionary, learned from
    random train patches, become triangle activations averaged over four quarters of the image; of those the
    square root is taken. With flips, image and mirror image are averaged. Many pixels make the stride grow.
    """
    patch = min(patch, train_images.shape[1])
    side = train_images.shape[1] - patch + 1
    work = (len(train_images) + len(test_images)) * side**2 * patch**2 * 3 * (centroids + 108) * (1 + flips)
    stride = max(1, round((work / PATCH_WORK) ** 0.5))
    rng = np.random.default_rng(seed)
    chosen = train_images[rng.integers(0, len(train_images), size=min(2_000, 4 * len(train_images)))]
    patches = patches_of(chosen, patch, 1).reshape(-1, patch * patch * 3)
    patches = patches[rng.choice(len(patches), size=min(len(patches), 60_000), replace=False)]
    mean, whiten = whitening_of(patches)
    centroids = min(centroids, len(patches))
    means = MiniBatchKMeans(centroids, batch_size=4096, max_iter=20, n_init=1, random_state=seed)
    dictionary = means.fit((patches - mean) @ whiten).cluster_centers_.astype(np.float32)
    per_image = (side // stride + 1) ** 2 * (patch * patch * 3 * 2 + centroids * 2) * 4
    batch = int(np.clip(PATCH_BYTES // per_image, 1, 512))

    def activations(part: np.ndarray) -> np.ndarray:
        active = triangle_of(part, mean, whiten, dictionary, patch, stride)
        if flips:
            active = (active + triangle_of(part[:, :, ::-1], mean, whiten, dictionary, patch, stride)) / 2
        roots: np.ndarray = np.sqrt(active.reshape(len(part), -1))
        return roots

    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:  # a core each: no spinning threads
        pair = []
        for images in (train_images, test_images):
            parts = pool.map(activations, (images[i : i + batch] for i in range(0, len(images), batch)))
            pair.append(np.vstack([np.zeros((0, 4 * centroids), dtype=np.float32), *parts]))
    return pair[0], pair[1]


def fit_each(
    make: Callable[[np.ndarray], Any],
    X: np.ndarray,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
) -> list[np.ndarray]:
    """One classifier for all classes, or one for each label; make(codes) gives it. Unseen classes get 0."""
    y = np.asarray(y)
    predictions = [np.zeros((len(other), width), dtype=np.float32) for other in others]
    for label in range(width if problem == "multilabel" else 1):
        codes = y.reshape(len(y), -1)[:, label].astype(int)
        seen = np.unique(codes)
        model = make(codes).fit(X, codes) if len(seen) > 1 else None
        for other, prediction in zip(others, predictions, strict=True):
            fitted = model.predict_proba(other) if model is not None else np.ones((len(other), 1))
            if problem == "multilabel":
                prediction[:, label] = fitted[:, -1] * (seen[-1] == 1)
            else:
                prediction[:, seen] = fitted
    return predictions


def image_logistic_model(
    X: np.ndarray, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, C: float = 1.0
) -> list[np.ndarray]:
    """Logistic regression on standardised dense features; ridge regression for values."""
    scaler = StandardScaler().fit(X)
    X, *others = (scaler.transform(matrix).astype(np.float32) for matrix in (X, *others))
    if problem in ("regression", "multiregression"):
        ridge = Ridge(alpha=X.shape[1] / C).fit(X, np.asarray(y).reshape(len(y), width))
        return [ridge.predict(other).reshape(-1, width).astype(np.float32) for other in others]
    return fit_each(
        lambda _: LogisticRegression(C=C, max_iter=200, random_state=seed), X, y, others, problem, width
    )


def image_svm_model(
    X: np.ndarray,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
    seed: int,
    C: float = 10.0,
    components: int = 300,
) -> list[np.ndarray]:
    """Support vector machine with a Gaussian kernel on half-whitened principal components of dense features.

    A sigmoid fitted on three folds makes probabilities of its decisions. Above 20,000 rows, where the machine
    itself would take too long, a logistic regression on a sample of the kernel stands in for it.
    """
    scaler = StandardScaler().fit(X)
    pca = PCA(min(components, *X.shape), svd_solver="randomized", random_state=seed).fit(scaler.transform(X))
    whiten = 1 / np.maximum(pca.explained_variance_, 1e-6) ** 0.25
    X, *others = (pca.transform(scaler.transform(matrix)) * whiten for matrix in (X, *others))
    gamma = 0.5 / (X.shape[1] * max(float(X.var()), 1e-9))
    large = len(X) > 20_000

    def make(codes: np.ndarray) -> Any:
        folds = min(3, int(np.unique(codes, return_counts=True)[1].min()))
        if large or folds < 2:
            kernel = Nystroem(gamma=gamma, n_components=min(1_500, len(X)), random_state=seed)
            return make_pipeline(kernel, LogisticRegression(C=1_000, max_iter=300, random_state=seed))
        return CalibratedClassifierCV(SVC(C=C, gamma=gamma, cache_size=500), cv=folds, ensemble=False)

    if problem not in ("regression", "multiregression"):
        return fit_each(make, X, y, others, problem, width)
    goal = np.asarray(y, dtype=float).reshape(len(y), width)
    columns = []
    for target in goal.T:
        centre, scale = target.mean(), target.std() + 1e-9
        rows = np.random.default_rng(seed).permutation(len(X))[:20_000]
        model = SVR(gamma=gamma, epsilon=0.02).fit(X[rows], (target[rows] - centre) / scale)
        columns.append([model.predict(other) * scale + centre for other in others])
    return [np.column_stack(column).astype(np.float32) for column in zip(*columns, strict=True)]
