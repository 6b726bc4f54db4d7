"""Small real task folders from scikit-learn's bundled data sets, for demonstrations and tests."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from linguacodus_core.errors import TaskError
from linguacodus_core.store import write_text
from linguacodus_core.taskfolder.settings_file import did_you_mean

_SEED = 7
_TEST_SHARE = 0.25

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "breast-cancer": "binary classification scored by AUC: 569 biopsies, with gaps and a category",
        "diabetes": "regression scored by RMSE: 442 patients and how their illness went on",
        "wine": "three classes scored by accuracy: 178 wines and their chemistry",
        "digits-images": "images scored by accuracy: 1,797 handwritten digits as PNG files of 8 x 8 pixels",
    }
)
"""The examples' names and what they are."""

_BREAST_CANCER = """# Malignant or benign?

A fine needle takes cells from a lump in the breast; under the microscope, the nuclei of those cells are
measured. From the measurements, predict whether the lump is malignant.

## Evaluation

Submissions are evaluated on the area under the ROC curve between the predicted probability and the observed
target.

For each id in the test set, predict the probability that `malignant` is 1.

## Data

The Wisconsin diagnostic breast cancer data (Wolberg, Street and Mangasarian, 1995), as scikit-learn brings
them. Each row is one biopsy. `mean ...`, `... error` and `worst ...` describe the nuclei: radius, texture,
perimeter, area, smoothness, compactness, concavity, concave points, symmetry, fractal dimension.

To make the task more like those of every day, some of it is invented: `laboratory` (four of them, each with
instruments that read a little high or low), random noise on every measurement, and six measurements in a
hundred taken away.

- train.csv - the training set, `malignant` is the target
- test.csv - the test set
- sample_submission.csv - a submission in the right format
"""

_DIABETES = """# How diabetes goes on

For 442 patients with diabetes, ten values were taken at the start of a study. One year later a number was
given to how far the disease had progressed. Predict that number.

## Evaluation

Submissions are evaluated on the root mean squared error (RMSE) between the predicted and the observed
`progression`.

## Data

The diabetes data of Efron, Hastie, Johnstone and Tibshirani (Least Angle Regression, 2004), unscaled, as
scikit-learn brings them.

- age in years, sex (coded 1 and 2), bmi (body mass index), bp (mean blood pressure)
- s1 to s6: six measurements of the blood serum (total cholesterol, LDL, HDL, their ratio, log of
  triglycerides, blood sugar)
- progression: the target, in train.csv only
"""

_WINE = """# Which wine is it?

All wines of this set were grown in one region of Italy, from three cultivars. A chemical analysis measured
thirteen things in each. Tell the three kinds of wine apart.

## Evaluation

Submissions are evaluated on classification accuracy: the share of test wines whose kind is predicted
correctly.

For each id, predict `kind`: barolo, grignolino or barbera.

## Data

The wine recognition data (Forina and others, 1988), as scikit-learn brings them: 178 wines, thirteen numbers
each.

- train.csv - the training set, `kind` is the target
- test.csv - the test set
- sample_submission.csv - a submission in the right format
"""

_DIGITS = """# Handwritten digits

Read digits that people wrote by hand: each image shows one of them, 0 to 9.

## Evaluation

Submissions are evaluated on accuracy, the share of images whose digit is recognised.

## Data

The optical recognition data set of handwritten digits (Alpaydin and Kaynak, 1998), as scikit-learn brings it:
1,797 grey images of 8 x 8 pixels, here as PNG files.

- images/ - all images, those of train and those of test
- train.csv - the file name of an image (`image`) and its `digit`
- test.csv - the file names whose digits are to be predicted
- sample_submission.csv - a submission in the right format
"""


def write_example(name: str, folder: Path) -> Path:
    """Writes the named example into `folder`: description.md, data/ and private/answers.csv.

    The same name always gives the same files. Returns the folder; raises TaskError for an unknown
    name or a folder that already holds something.
    """
    if name not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise TaskError(
            f"there is no example {name}", f"{did_you_mean(name, EXAMPLES)}the examples are {known}"
        )
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder} exists and is not empty", "name a new folder for the example")
    writers: dict[str, Callable[[Path], None]] = {
        "breast-cancer": _write_breast_cancer,
        "diabetes": _write_diabetes,
        "wine": _write_wine,
        "digits-images": _write_digits,
    }
    writers[name](folder)
    return folder


def _write_breast_cancer(folder: Path) -> None:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    random = np.random.default_rng(_SEED)
    values = bunch.data.astype("float64")
    laboratory = random.integers(0, 4, len(values))
    spread = (values.std() / values.mean()).to_numpy()
    reading = random.normal(0, 0.5, (4, values.shape[1]))[laboratory]
    noisy = values * np.exp((reading + random.normal(0, 0.7, values.shape)) * spread)
    frame = noisy.mask(random.random(values.shape) < 0.06).round(5)
    frame.insert(0, "laboratory", np.array(["north", "south", "east", "west"])[laboratory])
    _write_table(folder, _BREAST_CANCER, frame, 1 - bunch.target.rename("malignant"), 0.5)


def _write_diabetes(folder: Path) -> None:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    _write_table(folder, _DIABETES, bunch.data, bunch.target.astype(int).rename("progression"), 150)


def _write_wine(folder: Path) -> None:
    from sklearn.datasets import load_wine

    bunch = load_wine(as_frame=True)
    kind = bunch.target.map({0: "barolo", 1: "grignolino", 2: "barbera"}).rename("kind")
    _write_table(folder, _WINE, bunch.data, kind, "grignolino")


def _write_digits(folder: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    names = pd.Series([f"digit_{i:04d}.png" for i in range(len(bunch.target))], name="image")
    images = folder / "data" / "images"
    images.mkdir(parents=True)
    for name, pixels in zip(names, bunch.images, strict=True):
        Image.fromarray(np.clip(pixels * 16, 0, 255).astype(np.uint8)).save(images / name)
    _write_split(folder, _DIGITS, names.to_frame(), pd.Series(bunch.target, name="digit"), 0)


def _write_table(
    folder: Path, description: str, features: pd.DataFrame, target: pd.Series, blank: str | float
) -> None:
    """As _write_split, with a row number in shuffled order as id."""
    order = np.random.default_rng(_SEED).permutation(len(features))
    shuffled = features.iloc[order].reset_index(drop=True)
    shuffled.insert(0, "id", np.arange(1, len(features) + 1))
    _write_split(folder, description, shuffled, target.iloc[order].reset_index(drop=True), blank)


def _write_split(
    folder: Path, description: str, features: pd.DataFrame, target: pd.Series, blank: str | float
) -> None:
    """Splits rows at random into train and test and writes the task; the first column is the id."""
    test = np.zeros(len(features), dtype=bool)
    count = round(_TEST_SHARE * len(features))
    test[np.random.default_rng(_SEED + 1).permutation(len(features))[:count]] = True
    ids, guess = features.iloc[:, [0]], pd.Series(blank, index=features.index, name=target.name)
    write_text(folder / "description.md", description)
    tables = {
        "data/train.csv": pd.concat([features, target], axis=1)[~test],
        "data/test.csv": features[test],
        "data/sample_submission.csv": pd.concat([ids, guess], axis=1)[test],
        "private/answers.csv": pd.concat([ids, target], axis=1)[test],
    }
    for path, table in tables.items():
        write_text(folder / path, table.to_csv(index=False, lineterminator="\n"))
