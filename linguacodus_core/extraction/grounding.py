"""Whether an instruction's claims stand in the code: each checkable one is held against the evidence."""

import re
from dataclasses import dataclass, field
from typing import Final

from linguacodus_core.extraction.claims import claims_in
from linguacodus_core.extraction.evidence import Evidence, Split
from linguacodus_core.extraction.fields import InstructionFields, Value
from linguacodus_core.extraction.modelcatalog import in_words
from linguacodus_core.extraction.names import worth_naming
from linguacodus_core.extraction.vocabulary import FAMILIES, word_set

_BOOSTING: Final = word_set("lightgbm xgboost catboost hist_gradient_boosting gradient_boosting adaboost")
_NETWORKS: Final = word_set(
    "mlp cnn pretrained_cnn vision_transformer segmentation detection rnn transformer llm graph_network gan "
    "autoencoder diffusion tabular_network"
)
_GROUPS: Final = {
    "boosting": (_BOOSTING, "gradient boosting"),
    "network": (_NETWORKS, "a neural network"),
    "transformers": (
        frozenset(["transformer", "vision_transformer", "llm", "tabular_network"]),
        "a transformer",
    ),
}
_ALSO_RIGHT: Final = {
    "cnn": word_set("pretrained_cnn segmentation detection gan autoencoder"),
    "linear": frozenset(["elastic_net"]),
    "transformer": frozenset(["llm"]),
    "llm": frozenset(),
    "mlp": frozenset(["tabular_network"]),
}
_NEAR: Final = {
    ("cnn", "pretrained_cnn"),
    ("pretrained_cnn", "cnn"),
    ("linear", "elastic_net"),
    ("elastic_net", "linear"),
    ("llm", "transformer"),
    ("transformer", "llm"),
    ("vision_transformer", "transformer"),
    ("segmentation", "detection"),
}
"""(claimed, found): half right in the field `families`."""
_FOLDED: Final = word_set(
    "kfold stratified_kfold group_kfold stratified_group_kfold repeated_kfold nested leave_one_out"
)
_TOOL_STEPS: Final = {
    "StandardScaler": ("scale", "standardised"),
    "MinMaxScaler": ("scale", "scaled to a fixed range"),
    "RobustScaler": ("scale", "scaled robustly by median and quartiles"),
    "SimpleImputer": ("impute", ""),
    "KNNImputer": ("impute", "nearest neighbours"),
    "IterativeImputer": ("impute", "models of the other columns"),
    "LabelEncoder": ("encode", "label"),
    "OneHotEncoder": ("encode", "one-hot"),
    "OrdinalEncoder": ("encode", "ordinal"),
    "TargetEncoder": ("encode", "target"),
    "TfidfVectorizer": ("text", "TF-IDF"),
    "CountVectorizer": ("text", "word counts"),
    "PCA": ("reduce", ""),
    "SMOTE": ("resample", "SMOTE"),
    "PolynomialFeatures": ("polynomial", ""),
    "GridSearchCV": ("search", "grid search"),
    "RandomizedSearchCV": ("search", "randomised search"),
    "EarlyStopping": ("stop", ""),
    "Word2Vec": ("embed", "Word2Vec"),
}
_TOOL_NAMES: Final = {"EarlyStopping": "early stopping", "stacking": "stacking", "voting": "voting"}
_PLAIN: Final = word_set("numpy pandas scipy polars cudf datasets joblib")
_SAME_SETTINGS: Final = (
    frozenset(["n_estimators", "num_boost_round", "iterations", "num_iterations"]),
    frozenset(["learning_rate", "eta", "lr"]),
    frozenset(["max_depth", "depth"]),
    frozenset(["subsample", "bagging_fraction"]),
    frozenset(["colsample_bytree", "feature_fraction"]),
)


@dataclass(frozen=True)
class Grounding:
    """How much of what an instruction claims the code shows.

    score: 0 to 1, the share of the checkable claims that stand; 0 when nothing checkable is claimed although
    the code has a model. claims: how many there were. unsupported: the others, in words for the model.
    """

    score: float
    claims: int
    unsupported: tuple[str, ...]


@dataclass
class _Ledger:
    points: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def book(self, claim: str, worth: float, complaint: str) -> None:
        """One claim, counted once however often it is made."""
        if claim in self.points:
            return
        self.points[claim] = worth
        if worth < 1:
            self.complaints.append(complaint)


def ground(fields: InstructionFields, found: Evidence) -> Grounding:
    """Hold the families, the validation, the libraries, and what the prose names, against the evidence."""
    ledger = _Ledger()
    _families(ledger, fields, found)
    _validation(ledger, fields, found)
    _libraries(ledger, fields.libraries, found)
    _settings(ledger, fields.hyperparameters, found)
    _prose(ledger, " ".join((fields.preprocessing, fields.architecture, fields.training)), found)
    if not ledger.points:
        return Grounding(0.0 if found.models else 1.0, 0, ())
    score = sum(ledger.points.values()) / len(ledger.points)
    return Grounding(round(score, 4), len(ledger.points), tuple(dict.fromkeys(ledger.complaints)))


def _families(ledger: _Ledger, fields: InstructionFields, found: Evidence) -> None:
    have = set(found.families)
    for family in fields.families:
        if family in ("rule_based", "submission_blend"):
            if have:
                ledger.book(f"family {family}", 0.5, f"the code has a model: {_found_families(found)}")
            continue
        worth = 1.0 if family in have else 0.5 if any((family, other) in _NEAR for other in have) else 0.0
        ledger.book(f"family {family}", worth, _no_family(family, found))


def _found_families(found: Evidence) -> str:
    return ", ".join(found.families[:5]) or "no model"


def _no_family(family: str, found: Evidence) -> str:
    words = (
        in_words("", family)
        if family in ("lightgbm", "xgboost", "catboost")
        else FAMILIES[family].split(" (")[0]
    )
    words = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}.get(family, words)
    return f"the code does not use {words}; it uses {_found_families(found)}"


def _schemes(found: Evidence) -> dict[str, Split]:
    return {split.scheme: split for split in reversed(found.splits)}


def _worth_of_scheme(scheme: str, found: Evidence) -> float:
    have = _schemes(found)
    if scheme in have:
        return 1.0
    if scheme in _FOLDED and any(other in _FOLDED for other in have):
        return 0.5
    ordered = any(split.scheme == "time_split" and split.folds for split in found.splits)
    if scheme in _FOLDED and ordered:
        return 0.5
    if scheme in ("holdout", "time_split") and ("holdout" in have or "time_split" in have):
        return 0.5
    return 0.0


def _validation(ledger: _Ledger, fields: InstructionFields, found: Evidence) -> None:
    evaluated = [split for split in found.splits if split.purpose == "evaluation"]
    if fields.validation == "none":
        if evaluated:
            ledger.book("validation", 0.0, f"the code does hold rows back: {_found_splits(found)}")
        return
    ledger.book(
        "validation", _worth_of_scheme(fields.validation, found), _no_scheme(fields.validation, found)
    )


def _found_splits(found: Evidence) -> str:
    if not found.splits:
        return "no validation is to be seen"
    return ", ".join(
        dict.fromkeys(
            f"{split.scheme}{f' with {split.folds} folds' if split.folds else ''}"
            for split in found.splits[:3]
        )
    )


def _no_scheme(scheme: str, found: Evidence) -> str:
    return f"the code does not validate by {scheme}; it shows: {_found_splits(found)}"


def _libraries(ledger: _Ledger, names: tuple[str, ...], found: Evidence) -> None:
    for name in names:
        if name in _PLAIN or not worth_naming(name):
            continue
        used = name in found.used or (name == "keras" and "tensorflow" in found.used)
        worth = 1.0 if used else 0.5 if name in found.imported else 0.0
        verb = "imports but does not use" if worth else "does not use"
        ledger.book(f"library {name}", worth, f"the code {verb} the library {name}")


def _settings(ledger: _Ledger, claimed: dict[str, Value], found: Evidence) -> None:
    """Hyper-parameters whose values the code shows; those that it does not show cannot be checked."""
    known: dict[str, set[str]] = {}
    for model in found.models:
        for name, value in model.settings:
            known.setdefault(name, set()).add(_same(value))
    for kind, name in (("epochs", "epochs"), ("batch", "batch_size")):
        for step in found.of(kind):
            known.setdefault(name, set()).add(_same(step.detail))
    for step in found.of("optimizer"):
        known.setdefault("optimizer", set()).add(_same(step.how))
        if step.detail:
            known.setdefault("learning_rate", set()).add(_same(step.detail))
    for step in found.of("stop"):
        if step.detail:
            known.setdefault("early_stopping_rounds", set()).add(_same(step.detail))
    for name, value in claimed.items():
        values = set(known.get(name, set()))
        for group in _SAME_SETTINGS:
            if name in group:
                for other in group:
                    values |= known.get(other, set())
        if values and not isinstance(value, bool):
            worth = 1.0 if _same(value) in values else 0.0
            ledger.book(
                f"setting {name}",
                worth,
                f"{name} is {' or '.join(sorted(values)[:3])} in the code, not {value}",
            )


def _same(value: Value) -> str:
    text = str(value).strip().lower()
    return f"{float(text):g}" if re.fullmatch(r"-?\d+(\.\d*)?(e-?\+?\d+)?", text) else text


def _prose(ledger: _Ledger, text: str, found: Evidence) -> None:
    claims = claims_in(text)
    have = set(found.families)
    names = _names_in(found)
    for family in claims.families:
        right = family in have or bool(have & _ALSO_RIGHT.get(family, frozenset()))
        if family == "clustering" and found.of("feature", "impute"):
            right = right or any("cluster" in step.how for step in found.of("feature"))
        ledger.book(f"family {family}", 1.0 if right else 0.0, _no_family(family, found))
    for group in claims.groups:
        families, words = _GROUPS[group]
        if not any(family in families for family in claims.families):
            ledger.book(
                f"group {group}",
                float(bool(have & families)),
                f"the code does not use {words}; it uses {_found_families(found)}",
            )
    for architecture in claims.architectures:
        if found.models:
            ledger.book(
                f"architecture {architecture}",
                float(architecture in names),
                f"the code does not name {architecture}",
            )
    for tool in claims.tools:
        ledger.book(
            f"tool {tool}",
            float(_has_tool(tool, found)),
            f"the code does not use {_TOOL_NAMES.get(tool, tool)}",
        )
    _libraries(ledger, claims.libraries, found)
    for scheme in claims.schemes:
        worth = _worth_of_scheme(scheme, found)
        ledger.book(
            "validation" if len(claims.schemes) == 1 else f"scheme {scheme}", worth, _no_scheme(scheme, found)
        )
    counted = {split.folds for split in found.splits if split.folds}
    for folds in claims.folds:
        if counted or not found.splits:
            worth = float(folds in counted)
            shown = " and ".join(map(str, sorted(counted))) or "no"
            ledger.book(f"folds {folds}", worth, f"the code has {shown} folds, not {folds}")


def _names_in(found: Evidence) -> str:
    """Everything by which networks are named in the code, lower case."""
    parts: list[str] = [*found.called]
    for model in found.models:
        parts += [
            model.name,
            *(str(value) for _, value in model.settings),
            *(kind for kind, _ in model.layers),
            *model.wrappers,
        ]
    return " ".join(parts).lower()


def _has_tool(tool: str, found: Evidence) -> bool:
    if tool in ("stacking", "voting"):
        return any(step.kind in (tool, "blend") for step in found.ensembles)
    if tool in found.called:
        return True
    kind, how = _TOOL_STEPS[tool]
    if any(not how or step.how == how for step in found.of(kind)):
        return True
    if tool == "EarlyStopping":
        return any("early_stopping" in name.lower() or "patience" in name.lower() for name in found.called)
    return tool == "StandardScaler" and bool(found.of("scale"))
