"""Examples made of pictures: PNG files, or the pixels around a hole; each function writes one task folder."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from linguacodus_core.taskfolder.examples.folder import SEED, write_split, write_table

_PATCH = 16


def write_digits(folder: Path, description: str) -> None:
    """Handwritten digits as PNG files."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.clip(bunch.images * 16, 0, 255).astype(np.uint8)
    names = _save(folder, "digit", pixels)
    write_split(folder, description, names.to_frame(), pd.Series(bunch.target, name="digit"), 0)


def write_missing_pixel(folder: Path, description: str) -> None:
    """Windows of 7 x 7 grey pixels whose middle 3 x 3 are gone; the target is the one in the middle."""
    random = np.random.default_rng(SEED)
    rows, middles = [], []
    for photo in _photographs():
        grey = _grey(photo)
        for _ in range(900):
            row = random.integers(3, grey.shape[0] - 3)
            column = random.integers(3, grey.shape[1] - 3)
            rows.append(grey[row - 3 : row + 4, column - 3 : column + 4].ravel())
            middles.append(int(grey[row, column]))
    places = [(row, column) for row in range(7) for column in range(7)]
    windows = pd.DataFrame(np.array(rows), columns=[f"r{row}c{column}" for row, column in places])
    hole = [f"r{row}c{column}" for row, column in places if row in (2, 3, 4) and column in (2, 3, 4)]
    write_table(folder, description, windows.drop(columns=hole), pd.Series(middles, name="r3c3"), 128)


def write_photo_patches(folder: Path, description: str) -> None:
    """Grey patches of two photographs, every second one as on a chessboard."""
    patches: list[NDArray[np.uint8]] = []
    flower: list[int] = []
    for number, photo in enumerate(_photographs()):
        for row, column in _corners(photo):
            if (row + column) // _PATCH % 2 == 0:
                patches.append(_grey(photo)[row : row + _PATCH, column : column + _PATCH])
                flower.append(number)
    names = _shuffled(folder, "patch", patches, order := _order(len(patches)))
    target = pd.Series(np.array(flower)[order], name="flower")
    write_split(folder, description, names.to_frame(), target, 0.5)


def write_photo_heights(folder: Path, description: str) -> None:
    """Patches in colour of one photograph; the target is the height of their middle, 0 bottom to 1 top."""
    photo = _photographs()[0]
    corners = _corners(photo)
    patches = [photo[row : row + _PATCH, column : column + _PATCH] for row, column in corners]
    height = np.array([1 - (row + _PATCH / 2) / photo.shape[0] for row, _ in corners]).round(4)
    names = _shuffled(folder, "patch", patches, order := _order(len(patches)))
    write_split(folder, description, names.to_frame(), pd.Series(height[order], name="height"), 0.5)


def _photographs() -> list[NDArray[np.uint8]]:
    """china.jpg and flower.jpg: 427 x 640 pixels, three colours."""
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


def _grey(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(photo).convert("L"))


def _corners(photo: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """The upper left corners of all whole patches that lie side by side."""
    height, width = photo.shape[:2]
    return [
        (row, column)
        for row in range(0, height - _PATCH + 1, _PATCH)
        for column in range(0, width - _PATCH + 1, _PATCH)
    ]


def _order(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(SEED).permutation(count)


def _shuffled(
    folder: Path, prefix: str, pictures: list[NDArray[np.uint8]], order: NDArray[np.int64]
) -> pd.Series:
    """As _save, in the given order, so that a name says nothing of where a picture comes from."""
    return _save(folder, prefix, [pictures[number] for number in order])


def _save(folder: Path, prefix: str, pictures: list[NDArray[np.uint8]] | NDArray[np.uint8]) -> pd.Series:
    """Writes pictures to data/images as PNG; returns the files' names as a column `image`."""
    from PIL import Image

    names = pd.Series([f"{prefix}_{number:04d}.png" for number in range(len(pictures))], name="image")
    images = folder / "data" / "images"
    images.mkdir(parents=True)
    for name, pixels in zip(names, pictures, strict=True):
        Image.fromarray(pixels).save(images / name)
    return names
