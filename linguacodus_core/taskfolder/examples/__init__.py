"""Small real task folders from what scikit-learn bundles: to try, to test, and for the corpus that ships."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder.examples import images, sentences, tables
from linguacodus_core.taskfolder.settings_file import did_you_mean

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "breast-cancer": "binary classification scored by AUC: 569 biopsies, with gaps and a category",
        "diabetes": "regression scored by RMSE: 442 patients and how their illness went on",
        "wine": "three classes scored by accuracy: 178 wines and their chemistry",
        "digits-images": "images scored by accuracy: 1,797 handwritten digits as PNG files of 8 x 8 pixels",
        "digits-torn": "ten classes scored by log loss: 1,797 handwritten digits, the lower half torn off",
        "diabetes-grades": "ordered grades scored by quadratic weighted kappa: 442 patients",
        "nuclei-area": "regression scored by MAPE: 569 biopsies and their largest nuclei",
        "missing-pixel": "regression scored by MAE: 1,800 holes in two grey photographs",
        "photo-patches": "images scored by log loss: 1,040 grey patches, each from one of two photographs",
        "photo-heights": "images scored by R2: 1,040 patches of one photograph and how high they lie",
        "docstrings": "text scored by macro F1: 1,800 sentences of scikit-learn's documentation",
    }
)
"""The examples' names and what they are."""

_WRITERS: Mapping[str, Callable[[Path, str], None]] = MappingProxyType(
    {
        "breast-cancer": tables.write_breast_cancer,
        "diabetes": tables.write_diabetes,
        "wine": tables.write_wine,
        "digits-images": images.write_digits,
        "digits-torn": tables.write_torn_digits,
        "diabetes-grades": tables.write_diabetes_grades,
        "nuclei-area": tables.write_nuclei_area,
        "missing-pixel": images.write_missing_pixel,
        "photo-patches": images.write_photo_patches,
        "photo-heights": images.write_photo_heights,
        "docstrings": sentences.write_docstrings,
    }
)


def write_example(name: str, folder: Path) -> Path:
    """Writes the named example into `folder`: description.md, data/ and private/answers.csv.

    The same name always gives the same files, with one library version: the sentences of `docstrings`
    are those of the installed scikit-learn, the pixels of the photographs those that Pillow decodes.
    Returns the folder; raises TaskError for an unknown name or a folder that already holds something.
    """
    description = example_description(name)
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder} exists and is not empty", "name a new folder for the example")
    _WRITERS[name](folder, description)
    return folder


def example_description(name: str) -> str:
    """The text of the named example's description.md; raises TaskError for an unknown name."""
    if name not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise TaskError(
            f"there is no example {name}", f"{did_you_mean(name, EXAMPLES)}the examples are {known}"
        )
    return (files(__name__) / "descriptions" / f"{name}.md").read_text(encoding="utf-8")
