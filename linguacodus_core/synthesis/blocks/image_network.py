"""Verified blocks that train a small network on images: convolutional with torch, else a perceptron.

Model blocks take (X, y, others, problem, width, seed) and return one float32 array of len(other) x width for
each of `others`; X and others are uint8 images, n x side x side x 3 (feature_network: any dense features).
torch is optional and only imported inside the functions that need it.
"""

import importlib.util
import time
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler


def goal_matrix(y: np.ndarray, problem: str, width: int) -> np.ndarray:
    """The targets as n x width: one-hot classes, labels, or values."""
    if problem in ("binary", "multiclass", "ordinal"):
        one_hot: np.ndarray = np.eye(width, dtype=np.float32)[np.asarray(y, dtype=int)]
        return one_hot
    return np.asarray(y, dtype=np.float32).reshape(len(y), width)


def feature_network(
    X: np.ndarray,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
    seed: int,
    components: int = 200,
    epochs: int = 25,
) -> list[np.ndarray]:
    """A perceptron with one hidden layer on the principal components of dense features."""
    components = min(components, *X.shape)
    scaler = StandardScaler().fit(X)
    pca = PCA(components, svd_solver="randomized", random_state=seed).fit(scaler.transform(X))
    spread = max(float(np.sqrt(pca.explained_variance_[0])), 1e-9)
    X, *others = (pca.transform(scaler.transform(matrix)) / spread for matrix in (X, *others))
    options: dict[str, Any] = {
        "hidden_layer_sizes": (128,),
        "alpha": 0.01,
        "batch_size": min(128, len(X)),
        "max_iter": epochs,
        "random_state": seed,
    }
    y = np.asarray(y)
    if problem in ("regression", "multiregression"):
        goal = goal_matrix(y, problem, width)
        centre, scale = goal.mean(axis=0), goal.std(axis=0) + 1e-9
        model = MLPRegressor(**options).fit(X, ((goal - centre) / scale).squeeze())
        return [
            (model.predict(other).reshape(-1, width) * scale + centre).astype(np.float32) for other in others
        ]
    if problem == "multilabel" and width > 1:
        model = MLPClassifier(**options).fit(X, y)
        return [model.predict_proba(other).reshape(-1, width).astype(np.float32) for other in others]
    codes = y.ravel()
    seen = np.unique(codes).astype(int)
    model = MLPClassifier(**options).fit(X, codes) if len(seen) > 1 else None
    predictions = []
    for other in others:
        full = np.zeros((len(other), max(width, 2)), dtype=np.float32)
        full[:, seen] = model.predict_proba(other) if model is not None else 1.0
        predictions.append(full[:, 1:] if problem == "multilabel" else full)
    return predictions


def build_network(width: int, side: int, large: bool) -> Any:
    """A plain convolutional network, or with `large` a residual one, that ends in `width` numbers."""
    from torch import nn

    class Residual(nn.Module):  # type: ignore[misc]
        """Two convolutions around a shortcut."""

        def __init__(self, inside: int, outside: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
                nn.Conv2d(outside, outside, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outside),
            )
            self.shortcut = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

        def forward(self, batch: Any) -> Any:
            return nn.functional.relu(self.body(batch) + self.shortcut(batch))

    def step(inside: int, outside: int, stride: int) -> list[Any]:
        return [
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
        ]

    if large:
        channels, layers = [64, 128, 256, 512], step(3, 64, 2 if side > 64 else 1)
        for inside, outside in zip([64, *channels], channels, strict=False):
            layers += [Residual(inside, outside, 1 if outside == 64 else 2), Residual(outside, outside, 1)]
    else:
        channels, layers = [24, 48, 96], step(3, 24, 2 if side > 32 else 1)
        for inside, outside in zip([24, *channels], channels, strict=False):
            layers += [*step(inside, outside, 2), *step(outside, outside, 1)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(channels[-1], width)
    )


def convolutional_network(
    images: np.ndarray,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
    seed: int,
    seconds: float = 120.0,
    epochs: int = 30,
) -> list[np.ndarray]:
    """A convolutional network within `seconds` (training); flips as augmentation and at prediction.

    A graphics card trains the large residual network, a processor the small one. The one-cycle learning rate
    follows the share of the time (or of the epochs) that is spent, so it always ends low.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    goal = goal_matrix(y, problem, width)
    regression = problem in ("regression", "multiregression")
    centre, scale = (goal.mean(axis=0), goal.std(axis=0) + 1e-9) if regression else (0.0, 1.0)
    targets = torch.from_numpy(((goal - centre) / scale).astype(np.float32))
    pixels = images.reshape(-1, 3)
    mean, spread = (
        torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)
        for values in (pixels.mean(axis=0), pixels.std(axis=0) + 1)
    )
    network = build_network(width, images.shape[1], large=gpu).to(device)
    network = network.to(memory_format=torch.channels_last)

    def batch_of(part: np.ndarray) -> Any:
        raw = torch.from_numpy(np.ascontiguousarray(part)).to(device).permute(0, 3, 1, 2).float()
        return ((raw - mean) / spread).contiguous(memory_format=torch.channels_last)

    def loss_of(output: Any, wanted: Any) -> Any:
        if regression:
            return nn.functional.mse_loss(output, wanted)
        if problem == "multilabel":
            return nn.functional.binary_cross_entropy_with_logits(output, wanted)
        return nn.functional.cross_entropy(output, wanted, label_smoothing=0.02)

    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    batch_size = int(np.clip(len(images) // 20, 8, 512 if gpu else 64))
    peak, start, share = 3e-3, time.monotonic(), 0.0
    steps_an_epoch = -(-len(images) // batch_size)
    steps = 0
    network.train()
    while share < 1:
        order = rng.permutation(len(images))
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            if share >= 1 or (len(rows) < 2 and len(images) > 1):
                break
            rise, fall = share / 0.3, (1 - share) / 0.7
            for group in optimizer.param_groups:
                group["lr"] = peak * max(0.01, min(rise, fall))
            batch = batch_of(images[rows])
            if rng.random() < 0.5:
                batch = batch.flip(3)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=gpu):
                loss = loss_of(network(batch).float(), targets[rows].to(device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            steps += 1
            share = max((time.monotonic() - start) / seconds, steps / (epochs * steps_an_epoch))
    network.eval()
    spent = time.monotonic() - start
    print(f"network: {steps / steps_an_epoch:.1f} epochs in {spent:.0f} s on {device.type}")
    predictions = []
    with torch.no_grad():
        for other in others:
            outputs = [np.zeros((0, width), dtype=np.float32)]
            for first in range(0, len(other), 256):
                batch = batch_of(other[first : first + 256])
                mirrored = [network(view).float() for view in (batch, batch.flip(3))]
                if not regression:
                    mirrored = [v.sigmoid() if problem == "multilabel" else v.softmax(1) for v in mirrored]
                outputs.append(((mirrored[0] + mirrored[1]) / 2).cpu().numpy())
            predictions.append((np.vstack(outputs) * scale + centre).astype(np.float32))
    return predictions


def train_network(
    images: np.ndarray,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
    seed: int,
    seconds: float = 120.0,
) -> list[np.ndarray]:
    """The best network to be had in `seconds`: convolutional with torch, else a perceptron on pixels."""
    if importlib.util.find_spec("torch") is not None:
        return convolutional_network(images, y, others, problem, width, seed, seconds)
    flat = [matrix.reshape(len(matrix), -1).astype(np.float32) / 255 for matrix in (images, *others)]
    return feature_network(flat[0], y, flat[1:], problem, width, seed)
