"""Where a name that generated code uses can be imported from."""

import importlib
import importlib.util
import sys
from functools import lru_cache

_ALIASES = {
    "pd": "import pandas as pd",
    "pandas": "import pandas",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "lgb": "import lightgbm as lgb",
    "lightgbm": "import lightgbm",
    "xgb": "import xgboost as xgb",
    "xgboost": "import xgboost",
    "catboost": "import catboost",
    "sklearn": "import sklearn",
    "scipy": "import scipy",
    "sp": "import scipy as sp",
    "stats": "from scipy import stats",
    "sparse": "from scipy import sparse",
    "csr_matrix": "from scipy.sparse import csr_matrix",
    "hstack": "from scipy.sparse import hstack",
    "vstack": "from scipy.sparse import vstack",
    "joblib": "import joblib",
    "LGBMClassifier": "from lightgbm import LGBMClassifier",
    "LGBMRegressor": "from lightgbm import LGBMRegressor",
    "LGBMRanker": "from lightgbm import LGBMRanker",
    "XGBClassifier": "from xgboost import XGBClassifier",
    "XGBRegressor": "from xgboost import XGBRegressor",
    "CatBoostClassifier": "from catboost import CatBoostClassifier",
    "CatBoostRegressor": "from catboost import CatBoostRegressor",
    "Pool": "from catboost import Pool",
    "Image": "from PIL import Image",
    "Path": "from pathlib import Path",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "OrderedDict": "from collections import OrderedDict",
    "partial": "from functools import partial",
    "reduce": "from functools import reduce",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "List": "from typing import List",
    "Dict": "from typing import Dict",
    "Tuple": "from typing import Tuple",
    "Optional": "from typing import Optional",
    "Union": "from typing import Union",
    "Any": "from typing import Any",
}
_STANDARD = (
    "os",
    "re",
    "sys",
    "math",
    "json",
    "random",
    "time",
    "warnings",
    "itertools",
    "functools",
    "collections",
    "string",
    "gc",
    "glob",
    "io",
    "copy",
    "pathlib",
    "tarfile",
    "zipfile",
    "unicodedata",
)
_SKLEARN = (
    "preprocessing",
    "impute",
    "compose",
    "pipeline",
    "model_selection",
    "metrics",
    "ensemble",
    "linear_model",
    "svm",
    "neighbors",
    "naive_bayes",
    "tree",
    "decomposition",
    "feature_selection",
    "feature_extraction.text",
    "feature_extraction",
    "cluster",
    "neural_network",
    "discriminant_analysis",
    "calibration",
    "multioutput",
    "multiclass",
    "dummy",
    "base",
    "isotonic",
    "kernel_ridge",
    "gaussian_process",
    "kernel_approximation",
    "random_projection",
    "manifold",
    "utils",
    "inspection",
    "mixture",
    "covariance",
    "cross_decomposition",
)


@lru_cache(maxsize=1)
def sklearn_names() -> dict[str, str]:
    """Every public name of scikit-learn's modules -> the module it is imported from."""
    found: dict[str, str] = {}
    for part in _SKLEARN:
        module = importlib.import_module(f"sklearn.{part}")
        for name in getattr(module, "__all__", ()):
            if not name.startswith("_"):
                found.setdefault(name, f"sklearn.{part}")
    return found


def import_line(name: str) -> str | None:
    """The import statement that defines a name, None when it is not a known one."""
    if name in _ALIASES:
        return _ALIASES[name]
    if name in _STANDARD:
        return f"import {name}"
    module = sklearn_names().get(name)
    if module:
        return f"from {module} import {name}"
    if name in dict.fromkeys(_SKLEARN):
        return f"from sklearn import {name}"
    return None


@lru_cache(maxsize=256)
def installed(module: str) -> bool:
    """Whether the top-level package of a module can be imported here (programs run with this interpreter)."""
    top = module.split(".")[0]
    return top in sys.stdlib_module_names or importlib.util.find_spec(top) is not None
