"""Examples of numbers in columns; each function writes one task folder."""

from pathlib import Path

import numpy as np
import pandas as pd

from linguacodus_core.taskfolder.examples.folder import SEED, write_table


def write_breast_cancer(folder: Path, description: str) -> None:
    """Biopsies, benign or malignant, with invented noise, gaps and laboratories."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    random = np.random.default_rng(SEED)
    values = bunch.data.astype("float64")
    laboratory = random.integers(0, 4, len(values))
    spread = (values.std() / values.mean()).to_numpy()
    reading = random.normal(0, 0.5, (4, values.shape[1]))[laboratory]
    noisy = values * np.exp((reading + random.normal(0, 0.7, values.shape)) * spread)
    frame = noisy.mask(random.random(values.shape) < 0.06).round(5)
    frame.insert(0, "laboratory", np.array(["north", "south", "east", "west"])[laboratory])
    write_table(folder, description, frame, 1 - bunch.target.rename("malignant"), 0.5)


def write_diabetes(folder: Path, description: str) -> None:
    """Patients and a number for how their diabetes went on."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    write_table(folder, description, bunch.data, bunch.target.astype(int).rename("progression"), 150)


def write_wine(folder: Path, description: str) -> None:
    """Wines of three cultivars and their chemistry."""
    from sklearn.datasets import load_wine

    bunch = load_wine(as_frame=True)
    kind = bunch.target.map({0: "barolo", 1: "grignolino", 2: "barbera"}).rename("kind")
    write_table(folder, description, bunch.data, kind, "grignolino")


def write_torn_digits(folder: Path, description: str) -> None:
    """The upper four rows of pixels of each handwritten digit."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    upper = bunch.images[:, :4].reshape(len(bunch.images), -1).astype(int)
    names = [f"row{row}_col{column}" for row in range(4) for column in range(8)]
    even = {f"digit_{digit}": 0.1 for digit in range(10)}
    write_table(
        folder, description, pd.DataFrame(upper, columns=names), pd.Series(bunch.target, name="digit"), even
    )


def write_diabetes_grades(folder: Path, description: str) -> None:
    """The patients of `diabetes`, their progression in four grades."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    grade = pd.cut(bunch.target, [0, 85, 140, 210, 400], labels=[1, 2, 3, 4]).astype(int)
    write_table(folder, description, bunch.data, grade.rename("grade"), 2)


def write_nuclei_area(folder: Path, description: str) -> None:
    """Biopsies: from means and standard errors to the mean area of the three largest nuclei."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    known = bunch.data.loc[:, [name for name in bunch.data if not name.startswith("worst")]]
    write_table(folder, description, known, bunch.data["worst area"].rename("worst_area"), 700)
