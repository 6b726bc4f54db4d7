"""Who writes: the names and habits of one kernel's author, and what the kernels of one competition share."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.code4ml.grammar import Draw, Grammar, Voice

_TASKS: dict[str, tuple[str, str, str, str]] = {
    "AUC": ("roc_auc_score", "roc_auc", "predict_proba(%s)[:, 1]", "class"),
    "categorization accuracy": ("accuracy_score", "accuracy", "predict(%s)", "class"),
    "F-score binary": ("f1_score", "f1", "predict(%s)", "class"),
    "F-score multiclass": ("f1_score", "f1_macro", "predict(%s)", "class"),
    "log loss": ("log_loss", "neg_log_loss", "predict_proba(%s)", "class"),
    "multiclass log loss": ("log_loss", "neg_log_loss", "predict_proba(%s)", "class"),
    "kappa": ("cohen_kappa_score", "accuracy", "predict(%s)", "class"),
    "Gini/MCC": ("matthews_corrcoef", "roc_auc", "predict_proba(%s)[:, 1]", "class"),
    "RMSE/RMSLE": ("mean_squared_error", "neg_root_mean_squared_error", "predict(%s)", "real"),
    "MSE": ("mean_squared_error", "neg_mean_squared_error", "predict(%s)", "real"),
    "MAE": ("mean_absolute_error", "neg_mean_absolute_error", "predict(%s)", "real"),
    "R2/correlation": ("r2_score", "r2", "predict(%s)", "real"),
}
_OTHER_CLASS = ("accuracy_score", "accuracy", "predict(%s)", "class")
_OTHER_REAL = ("mean_absolute_error", "neg_mean_absolute_error", "predict(%s)", "real")

_TREES = {"lgb": 22, "xgb": 20, "rf": 17, "cat": 9, "lin": 9, "gb": 6}
_TREES |= {"et": 3, "dt": 4, "knn": 3, "svm": 3, "ada": 2}
_FAMILIES: dict[str, dict[str, int]] = {
    "tabular": {**_TREES, "mlp": 8, "stack": 3},
    "text": {"tfidf": 40, "nb": 12, "lstm": 25, "bert": 23},
    "image": {"cnn": 32, "transfer": 28, "torch": 28, "fastai": 12},
    "series": {"lgb": 30, "xgb": 16, "rf": 10, "lin": 8, "mlp": 8, "prophet": 16, "arima": 12},
    "audio": {"audio": 100},
}
_TABLES = (
    ("train", "test", "all_data"),
    ("df_train", "df_test", "df"),
    ("train_df", "test_df", "full_df"),
    ("train_data", "test_data", "data"),
    ("data", "test", "combined"),
    ("trn", "tst", "both"),
    ("tr", "te", "tr_te"),
    ("df", "df_sub", "merged"),
    ("dataset", "testset", "dataset_all"),
    ("traindf", "testdf", "dfs"),
    ("training", "testing", "total"),
    ("raw_train", "raw_test", "raw"),
)
_MATRICES = (
    ("X", "y", "X_train", "X_valid", "y_train", "y_valid", "X_test"),
    ("X", "y", "X_train", "X_val", "y_train", "y_val", "test_X"),
    ("features", "labels", "train_x", "valid_x", "train_y", "valid_y", "test_x"),
    ("x", "y", "x_train", "x_test", "y_train", "y_test", "x_sub"),
    ("train_X", "train_y", "tr_X", "val_X", "tr_y", "val_y", "test_X"),
    ("Xtrain", "Y", "Xtr", "Xva", "ytr", "yva", "Xtest"),
    ("X_all", "target", "X_tr", "X_te", "y_tr", "y_te", "X_submit"),
)
_LINEAR = {True: ("Ridge", "Lasso", "ElasticNet"), False: ("LogisticRegression", "RidgeClassifier")}
_LANGUAGES = ("en",) * 93 + ("fr", "ru", "zh", "ja", "pt", "tr", "emoji")
_NAMES: dict[str, tuple[str, ...]] = {
    "model": ("model", "clf", "reg", "estimator", "m1", "classifier", "my_model", "learner", "net"),
    "pred": ("pred", "preds", "y_pred", "predictions", "test_preds", "yhat", "prediction", "p"),
    "sub": ("sub", "submission", "subm", "sample_sub", "my_submission", "submit", "output", "ss"),
    "oof": ("oof", "oof_preds", "train_oof", "stack_train", "oof_pred"),
    "params": ("params", "param", "lgb_params", "xgb_params", "parameters", "hyper"),
    "feats": ("features", "feats", "cols", "columns", "train_cols", "use_cols", "predictors"),
    "scaler": ("scaler", "sc", "scale", "std", "standardizer", "ss_x"),
    "le": ("le", "lbl", "encoder", "label_enc", "enc", "lb"),
}


@dataclass(frozen=True)
class World:
    """What the kernels of one competition share.

    kind: tabular, text, image, series or audio. category: its metric's, as in metrics.toml, or "".
    real: numbers are predicted, not classes.
    """

    slug: str
    kind: str
    category: str
    real: bool
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    target: str
    id: str
    text: str
    date: str


class Author(Voice):
    """A voice that writes for one competition, with names and habits of its own."""

    def __init__(self, seed: int, world: World) -> None:
        super().__init__(seed)
        self.world = world
        self.columns = world.numbers + world.categories
        task = _TASKS.get(world.category, _OTHER_REAL if world.real else _OTHER_CLASS)
        self.score, self.scoring, self.predict, self.task = task
        families = _FAMILIES[world.kind]
        self.family = self.rng.choices(list(families), list(families.values()))[0]
        self.second = self.rng.choices(list(_TREES), list(_TREES.values()))[0]
        self.language = self.pick(_LANGUAGES)
        self.names = self._names()

    def _names(self) -> dict[str, str]:
        world = self.world
        names = {key: self.pick(choices) for key, choices in _NAMES.items()}
        suffix = self.pick(("",) * 12 + ("_v2", "_new", "0", "_raw"))
        tables = _TABLES[int(self.random() * len(_TABLES))]
        names |= {key: name + suffix for key, name in zip(("train", "test", "full"), tables, strict=True)}
        matrices = _MATRICES[int(self.random() * len(_MATRICES))]
        names |= zip(("X", "y", "Xt", "Xv", "yt", "yv", "T"), matrices, strict=True)
        names |= {"target": world.target, "id": world.id, "text": world.text, "date": world.date}
        folders = ("../input/", f"../input/{world.slug}/", f"/kaggle/input/{world.slug}/", "input/")
        names["path"] = self.pick(folders)
        names["seed"] = self.pick(("42", "0", "2019", "1", "123", "7", str(int(self.random() * 9999))))
        real = self.task == "real"
        names |= {
            "kind": "Regressor" if real else "Classifier",
            "score": self.score,
            "scoring": self.scoring,
            "predict": self.predict % names["T"],
            "folds": "KFold" if real else self.pick(("StratifiedKFold", "StratifiedKFold", "KFold")),
            "objective": self.pick(("regression", "regression_l1", "huber")) if real else "binary",
            "xgbobjective": "reg:linear" if real else self.pick(("binary:logistic", "multi:softprob")),
            "kerasloss": self.pick(("mse", "mae")) if real else "binary_crossentropy",
            "outputs": "1" if real else "1, activation='sigmoid'",
            "linear": self.pick(_LINEAR[real]),
            "svm": self.pick(("SVR", "LinearSVR") if real else ("SVC", "LinearSVC")),
        }
        return names

    def linear_arguments(self) -> str:
        """Arguments that the kernel's linear model takes."""
        if self.names["linear"] == "LogisticRegression":
            return f"C={0.01 + 9 * self.random():.2f}, max_iter={100 + 50 * int(self.random() * 40)}"
        return f"alpha={0.0001 + 20 * self.random() ** 3:.4f}"


def _own(name: str) -> Draw:
    return lambda voice: voice.names[name]  # type: ignore[no-any-return]


def _make(voice: Author) -> str:
    section = GRAMMAR.sections.get(f"make.{voice.family}")
    return section(voice) if section else _make2(voice)


def _make2(voice: Author) -> str:
    return GRAMMAR.draw(f"make.{voice.second}", voice)


def _import_model(voice: Author) -> str:
    return GRAMMAR.draw(f"import.{voice.family}", voice)


_FRAMES = ("train",) * 12 + ("test",) * 5 + ("full",) * 3
_OWN_NAMES = (
    *_NAMES,
    *("train", "test", "full", "X", "y", "Xt", "Xv", "yt", "yv", "T"),
    *("target", "id", "text", "date", "path", "seed"),
    *("kind", "score", "scoring", "predict", "folds", "objective", "xgbobjective", "kerasloss", "outputs"),
    *("linear", "svm"),
)
DRAWS: dict[str, Draw] = {name: _own(name) for name in _OWN_NAMES} | {
    "num": lambda voice: voice.pick(voice.world.numbers),
    "cat": lambda voice: voice.pick(voice.world.categories),
    "col": lambda voice: voice.pick(voice.columns),
    "df": lambda voice: voice.names[voice.pick(_FRAMES)],
    "comment": lambda voice: GRAMMAR.draw(f"comment.{voice.language}", voice),
    "make": _make,
    "make2": _make2,
    "import_model": _import_model,
    "linearargs": lambda voice: voice.linear_arguments(),
    "wordcap": lambda voice: GRAMMAR.draw("word", voice).capitalize(),
}
GRAMMAR = Grammar(Path(__file__).with_name("grammar.txt").read_text(encoding="utf-8"), DRAWS)


def columns(rng: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of a competition's numeric and categorical columns, in one of the styles that tables have."""
    words, adjectives = GRAMMAR.sections["word"].raw, GRAMMAR.sections["adj"].raw
    style = rng.choices(("snake", "camel", "pascal", "lower", "upper", "numbered"), (6, 2, 4, 3, 1, 2))[0]
    count, categories = rng.randint(8, 40), rng.randint(3, 14)
    if style == "numbered":
        stem = rng.choice(("var_", "feature_", "V", "x", "f", "attr", "col_", "feat_"))
        numbered = tuple(f"{stem}{number}" for number in range(count))
        stem = rng.choice(("cat", "bin_", "nom_", "c"))
        return numbered, tuple(f"{stem}{number}" for number in range(categories))
    found: dict[str, None] = {}
    while len(found) < count + categories:
        parts = [rng.choice(words), rng.choice(words)] if rng.random() < 0.6 else [rng.choice(words)]
        if rng.random() < 0.25:
            parts.insert(0, rng.choice(adjectives))
        found[_styled(parts, style)] = None
    names = tuple(found)
    return names[:count], names[count:]


def _styled(parts: list[str], style: str) -> str:
    if style in ("snake", "upper"):
        return "_".join(parts) if style == "snake" else "_".join(parts).upper()
    if style == "lower":
        return "".join(parts)
    capital = "".join(part.capitalize() for part in parts)
    return capital if style == "pascal" else capital[0].lower() + capital[1:]
