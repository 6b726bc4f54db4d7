"""Models, ensembles and searches as they are constructed."""

import ast
from typing import TYPE_CHECKING, Any

from linguacodus_core.extraction import splits, training
from linguacodus_core.extraction.modelcatalog import (
    ENSEMBLES,
    LIBRARY_OF,
    LINEAR_BASE,
    MODELS,
    NOT_HYPERPARAMETERS,
    PYCARET,
    ROUNDS,
    SEARCHES,
    TRAINERS,
)
from linguacodus_core.extraction.names import library
from linguacodus_core.extraction.scopes import Joined, Refs, Thing, merged

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_INNER_SEARCH = frozenset(
    ["RidgeCV", "LassoCV", "ElasticNetCV", "LogisticRegressionCV", "LassoLarsCV", "LarsCV"]
)


def settings_of(reader: "Reading", node: ast.Call) -> tuple[dict[str, Any], list[str]]:
    """(hyper-parameters whose values show, names of those that a trial suggests) of a constructor's call."""
    values: dict[str, Any] = {}
    tuned: list[str] = []
    for keyword in node.keywords:
        if keyword.arg is None:
            inner, more = mapping_of(reader, keyword.value)
            values |= inner
            tuned += more
        elif is_suggested(keyword.value):
            tuned.append(keyword.arg)
        else:
            known = reader.constant(keyword.value)
            if isinstance(known, bool | int | float | str):
                values[keyword.arg] = known
            elif (
                isinstance(known, list)
                and known
                and all(isinstance(item, int) for item in known)
                and len(known) < 6
            ):
                values[keyword.arg] = "-".join(map(str, known))
    return {name: shown(value) for name, value in values.items() if is_hyperparameter(name)}, tuned


def mapping_of(reader: "Reading", node: ast.expr, depth: int = 6) -> tuple[dict[str, Any], list[str]]:
    """(values that show, names that a trial suggests) of a mapping of hyper-parameters, by its expression."""
    values: dict[str, Any] = {}
    tuned: list[str] = []
    if depth <= 0:
        return values, tuned
    source: ast.expr | None = node
    name = node.id if isinstance(node, ast.Name) else ""
    for _ in range(4):
        if isinstance(source, ast.Name):
            name = source.id
            source = reader.lookup(source.id)
        elif isinstance(source, ast.Attribute):
            source = reader.lookup(f"{getattr(source.value, 'id', '')}.{source.attr}")
        elif isinstance(source, ast.Subscript):
            known = reader.constant(source)
            if isinstance(known, dict):
                return _simple(known), tuned
            source = None
    if isinstance(source, ast.Dict):
        for key, item in zip(source.keys, source.values, strict=True):
            if key is None:
                inner, more = mapping_of(reader, item, depth - 1)
                values |= inner
                tuned += more
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                if is_suggested(item):
                    tuned.append(key.value)
                else:
                    values[key.value] = reader.constant(item)
    elif isinstance(source, ast.Call):
        known = reader.constant(source)
        if isinstance(known, dict):
            values |= known
        elif isinstance(source.func, ast.Attribute) and source.func.attr == "copy":
            return mapping_of(reader, source.func.value, depth - 1)
    if name:
        prefix = f"{name}["
        scope = reader.scope
        for key_name, item in list(scope.nodes.items()) + list(reader.module.nodes.items()):
            if key_name.startswith(prefix):
                inner_name = key_name[len(prefix) : -1]
                if is_suggested(item):
                    tuned.append(inner_name)
                else:
                    values[inner_name] = reader.constant(item)
    return _simple(values), [name for name in dict.fromkeys(tuned) if is_hyperparameter(name)]


def _simple(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: shown(value)
        for name, value in values.items()
        if isinstance(name, str) and isinstance(value, bool | int | float | str) and is_hyperparameter(name)
    }


def is_hyperparameter(name: str) -> bool:
    """Whether a setting says something of the model, not of threads, seeds or output."""
    return bool(name) and name not in NOT_HYPERPARAMETERS and len(name) <= 40


def shown(value: Any) -> Any:
    """A value as it is kept: floats without noise, texts not too long."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value[:60] if isinstance(value, str) else value


def is_suggested(node: ast.expr) -> bool:
    """Whether a value is drawn by a search: trial.suggest_float(...), hp.uniform(...)."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("int", "float")
        and node.args
    ):
        return is_suggested(node.args[0])
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    name = node.func.attr
    return name.startswith("suggest_") or (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("hp", "trial")
    )


def constructed(reader: "Reading", node: ast.Call, full: str, last: str, root: str, arguments: Refs) -> Refs:
    """A model's constructor."""
    family = MODELS.get(last)
    if family is None:
        return arguments
    values, tuned = settings_of(reader, node)
    if family == "catboost" and node.args:
        inner, more = mapping_of(reader, node.args[0])
        values, tuned = values | inner, tuned + more
    if (
        family == "linear"
        and last in ("SGDClassifier", "SGDRegressor")
        and values.get("penalty") == "elasticnet"
    ):
        family = "elastic_net"
    if last == "LogisticRegression" and values.get("penalty") == "elasticnet":
        family = "elastic_net"
    own = library(full) if "." in full else LIBRARY_OF.get(family, "sklearn")
    thing = Thing("model", last, own, family, node.lineno, settings=values, tuned=tuned)
    if last in ("BaggingClassifier", "AdaBoostClassifier", "AdaBoostRegressor"):
        thing.members = list(reader.kinds(arguments, "model"))
    for ref in reader.kinds(arguments, "model", "network"):
        reader.things[ref].wrappers.append(last)
    if last in _INNER_SEARCH:
        cv = next((keyword.value for keyword in node.keywords if keyword.arg == "cv"), None)
        _own_search(reader, cv, last, node.lineno)
    number = reader.add(thing)
    if family == "clustering":
        reader.note("feature", "clusters", detail=str(values.get("n_clusters", "")), line=node.lineno)
    if last == "compare_models":
        reader.touch((number,), fitted=True)
    if last in LINEAR_BASE:
        reader.touch((number,), fitted=True)
    if last == "auto_arima":
        reader.touch((number,), fitted=True)
    return (number, *reader.kinds(arguments, "model", "network"))[:12]


def _own_search(reader: "Reading", cv: ast.expr | None, last: str, line: int) -> None:
    splits.by_argument(reader, cv, (), "search", last, line)


def trained(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> Refs:
    """lgb.train, xgb.train, catboost.train and their cross-validation; a Booster that is loaded."""
    family = TRAINERS[full]
    last = full.rsplit(".", 1)[-1]
    if last == "create_model":
        known = reader.constant(node.args[0]) if node.args else None
        family = PYCARET.get(str(known), "automl")
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    params = options.get("params", node.args[0] if node.args else None)
    values: dict[str, Any] = {}
    tuned: list[str] = []
    if params is not None and last in ("train", "cv"):
        values, tuned = mapping_of(reader, params)
    for name in [option for option in options if option in ROUNDS]:
        known = reader.constant(options[name])
        if isinstance(known, int):
            values[name] = known
    if last in ("train", "cv") and len(node.args) > 2 and not ROUNDS & set(values):
        known = reader.constant(node.args[2])
        if isinstance(known, int) and not isinstance(known, bool):
            values["num_boost_round"] = known
    training.boosting_options(reader, options, node.lineno)
    number = reader.add(
        Thing("model", f"{family}.{last}", library(full), family, node.lineno, settings=values, tuned=tuned)
    )
    if last == "cv":
        splits.booster_cv(reader, node, full)
    reader.touch((number,), fitted=last != "Booster", applied=last == "Booster")
    return (number,)


def ensemble(reader: "Reading", node: ast.Call, last: str, arguments: Refs) -> Refs:
    """Stacking and voting: the members, the final model first."""
    kind = ENSEMBLES[last]
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    final = options.get("final_estimator", options.get("meta_regressor", options.get("meta_classifier")))
    detail = ""
    if kind == "voting":
        weights = reader.constant(options.get("weights"))
        voting = reader.constant(options.get("voting"))
        detail = ", ".join(
            part
            for part in (
                str(voting) if voting in ("soft", "hard") else "",
                f"weights {', '.join(map(str, weights))}"
                if isinstance(weights, list) and None not in weights
                else "",
            )
            if part
        )
    members = reader.kinds(arguments, "model", "network")
    last_refs = reader.kinds(reader.see(final), "model", "network") if isinstance(final, ast.Name) else ()
    if isinstance(final, ast.Call) and members:
        last_refs = (members[-1],)
    final_ref = last_refs[0] if last_refs else -1
    note_ensemble(
        reader, kind, tuple(ref for ref in members if ref not in last_refs), node.lineno, detail, final_ref
    )
    return merged(last_refs, arguments)


def note_ensemble(
    reader: "Reading", kind: str, members: Refs, line: int, detail: str = "", final: int = -1
) -> None:
    """Keep an ensemble, unless it stands in dead code."""
    if not reader.dead:
        reader.ensembles.append(Joined(kind, members, final, detail, line))


def default_base(reader: "Reading", node: ast.Call, last: str, root: str) -> Refs:
    """A bagging ensemble without a named base fits decision trees."""
    if not last.startswith("Bagging"):
        return ()
    thing = Thing(
        "model",
        "DecisionTreeClassifier" if last.endswith("Classifier") else "DecisionTreeRegressor",
        library(root),
        "decision_tree",
        node.lineno,
        wrappers=[last],
    )
    return (reader.add(thing),)


def search(reader: "Reading", node: ast.Call, last: str, arguments: Refs) -> Refs:
    """A search for hyper-parameters; what it tunes, over what folds."""
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    grid = options.get("param_grid", options.get("param_distributions", options.get("search_spaces")))
    if grid is None and last.endswith("CV") and len(node.args) > 1:
        grid = node.args[1]
    names, values = _grid(reader, grid)
    number = reader.add(Thing("search", last, line=node.lineno))
    reader.note("search", SEARCHES[last], names, values, node.lineno)
    estimators = reader.kinds(arguments, "model", "network", "transformer", "parameter")
    for ref in estimators:
        reader.things[ref].tuned += [name for name in names if name not in reader.things[ref].tuned]
    if last.endswith("CV"):
        splits.by_argument(
            reader, options.get("cv"), reader.kinds(arguments, "splitter"), "search", last, node.lineno
        )
    return (number, *arguments)[:16]


def _grid(reader: "Reading", node: ast.expr | None) -> tuple[tuple[str, ...], str]:
    """(names tuned, "max_depth 3, 5, 7; ...") of a grid."""
    known = reader.constant(node) if node is not None else None
    if isinstance(known, list):
        known = next((item for item in known if isinstance(item, dict)), None)
    names: list[str] = []
    shown_values: list[str] = []
    if isinstance(known, dict):
        for name, values in known.items():
            bare = str(name).rsplit("__", 1)[-1]
            if not is_hyperparameter(bare):
                continue
            names.append(bare)
            if isinstance(values, list) and 0 < len(values) <= 6 and all(v is not None for v in values):
                shown_values.append(f"{bare} {', '.join(map(str, values))}")
    return tuple(dict.fromkeys(names)), "; ".join(shown_values)[:160]


def loaded(reader: "Reading", node: ast.Call, full: str, last: str, arguments: Refs) -> Refs:
    """Something loaded from a file: a model where its path or its later use says so."""
    path = reader.constant(node.args[0]) if node.args else None
    known = [
        (thing.touched, number)
        for number, thing in enumerate(reader.things)
        if thing.kind in ("model", "network") and thing.fitted and not thing.helper and not thing.inner
    ]
    if known and full.split(".", 1)[0] != "torch":
        return (max(known)[1], *arguments)[:8]
    thing = Thing("model", "loaded", library(full), "", node.lineno)
    thing.settings["path"] = str(path)[-80:] if isinstance(path, str) else ""
    thing.helper = last != "load_model"
    return (reader.add(thing), *arguments)[:8]
