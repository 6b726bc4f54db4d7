"""What names mean: imports, aliases, and the full name that an attribute chain spells."""

import ast
import sys
from typing import Final

from linguacodus_core.extraction.vocabulary import PLOTTING, word_set

CONVENTIONS: Final = {
    "pd": "pandas",
    "np": "numpy",
    "nn": "torch.nn",
    "torch": "torch",
    "lgb": "lightgbm",
    "lightgbm": "lightgbm",
    "xgb": "xgboost",
    "xgboost": "xgboost",
    "cb": "catboost",
    "tf": "tensorflow",
    "keras": "keras",
    "timm": "timm",
    "optuna": "optuna",
    "cv2": "cv2",
    "sklearn": "sklearn",
    "smp": "segmentation_models_pytorch",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
}
"""Names that everybody uses for a library, taken where a notebook's import is missing and nothing else
binds them."""

_SAME: Final = {
    "lightning": "pytorch_lightning",
    "tf_keras": "keras",
    "cudf": "cudf",
    "pl_bolts": "pytorch_lightning",
    "skimage": "skimage",
    "umap": "umap",
    "fastai2": "fastai",
    "keras_efficientnets": "efficientnet",
    "keras_core": "keras",
}


def library(full: str) -> str:
    """The library of a full name, by its import name: sklearn for sklearn.svm.SVC."""
    root = full.split(".", 1)[0]
    return _SAME.get(root, root)


def worth_naming(root: str) -> bool:
    """Whether a library belongs into an instruction: third-party, and not only for drawing."""
    return bool(root) and root not in sys.stdlib_module_names and root not in PLOTTING and root not in _AROUND


_AROUND: Final = word_set(
    "tqdm learntools kaggle_datasets google_colab google gdown kaggle kaggle_evaluation pkg_resources "
    "setuptools six "
    "pip __main__ notebook rich loguru pytz future builtins wandb emoji_ kaggle_secrets kagglehub"
)


class Names:
    """Imports and aliases of one piece of code."""

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {}
        self.stars: list[str] = []
        self.roots: dict[str, None] = {}

    def read_import(self, node: ast.Import) -> None:
        """`import a.b as c` binds c to a.b; `import a.b` binds a."""
        for item in node.names:
            top = item.name.split(".", 1)[0]
            self.roots[library(top)] = None
            self.aliases[item.asname or top] = item.name if item.asname else top

    def read_from(self, node: ast.ImportFrom) -> None:
        """`from a import b as c` binds c to a.b; of a star only the module is known."""
        module = node.module or ""
        if node.level or not module:
            return
        self.roots[library(module)] = None
        for item in node.names:
            if item.name == "*":
                self.stars.append(module)
            else:
                self.aliases[item.asname or item.name] = f"{module}.{item.name}"

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of a name or attribute chain whose first name is imported, else None."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        base = self.aliases.get(node.id)
        if base is None:
            base = CONVENTIONS.get(node.id)
            if base is None or not parts:
                return None
        if not parts:
            return base
        parts.append(base)
        return ".".join(reversed(parts))
