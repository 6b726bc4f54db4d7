"""Support vector machine with a Gaussian kernel on the raw pixels."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

DATA = Path("data")


def read_images(names: pd.Series) -> np.ndarray:
    """Grey values between 0 and 1, one row of 64 an image."""
    rows = [np.asarray(Image.open(DATA / "images" / name), dtype=float).ravel() for name in names]
    return np.array(rows) / 255


def main() -> None:
    """Read, check by cross-validation, fit on everything, write."""
    train = pd.read_csv(DATA / "train.csv")
    test = pd.read_csv(DATA / "test.csv")
    X, y = read_images(train["image"]), train["digit"]
    model = SVC(C=10, gamma="scale")
    scores = cross_val_score(model, X, y, cv=5)
    print(f"accuracy {scores.mean():.4f} (+- {scores.std():.4f})")
    test["digit"] = model.fit(X, y).predict(read_images(test["image"]))
    test.to_csv("submission.csv", index=False)


if __name__ == "__main__":
    main()
