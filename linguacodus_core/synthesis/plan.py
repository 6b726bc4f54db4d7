"""The closed plan of a pipeline: few short fields, every answer of which is a runnable program.

A language model fills it by constrained decoding (`schema_for`), a table of priors or a random
generator does so too, and `render.render` writes the program. `repair` makes any loose plan runnable.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linguacodus_core.synthesis.facts import ColumnFacts, column_facts
from linguacodus_core.synthesis.objective import is_ordinal, problem_of
from linguacodus_core.taskfolder.profile import DataProfile
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

Family = Literal[
    "lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "random_forest", "extra_trees",
    "linear", "elastic_net", "svm", "knn", "mlp", "naive_bayes",
]  # fmt: skip
Level = Literal["low", "medium", "high"]
Impute = Literal["native", "median", "mean", "zero", "below"]
Encode = Literal["native", "ordinal", "onehot", "target", "frequency", "hash"]
Scale = Literal["none", "standard", "rank"]
Target = Literal["auto", "none", "log1p", "yeo_johnson"]
Loss = Literal["auto", "squared", "absolute", "huber", "poisson"]
Text = Literal["none", "word", "char", "word_char", "svd"]
Time = Literal["none", "calendar", "lags", "trend"]
Image = Literal["none", "colours", "pixels", "shapes", "patches", "network"]
Labels = Literal["separate", "exclusive"]
Validation = Literal["stratified", "kfold", "group", "time"]

PairOp = Literal["ratio", "difference", "product", "sum", "rotate"]
SingleOp = Literal["log", "square", "bin", "cyclic"]
GroupOp = Literal["group_mean", "group_deviation"]
KeyOp = Literal["count", "prefix", "title", "first_word", "length", "digits"]
AnyOp = Literal["missing", "date_parts", "cross"]
Op = Literal[PairOp, SingleOp, GroupOp, KeyOp, AnyOp]

TREES = ("lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "random_forest", "extra_trees")
BOOSTERS = TREES[:4]
MOST_FEATURES = 6
MOST_COLUMNS = 40
IDEA_LENGTH = 200
_PACKAGES = {"lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost"}
_TWO = (*get_args(PairOp), *get_args(GroupOp), "cross")


class Feature(BaseModel):
    """One feature made from named columns; `b` is "" for an operation on one column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Op
    a: str = Field(max_length=400)
    b: str = Field(default="", max_length=400)


class PipelinePlan(BaseModel):
    """Everything that is decided about a program, in about 150 to 250 tokens of JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    idea: str = Field(default="", max_length=IDEA_LENGTH)
    family: Family = "lightgbm"
    size: Level = "medium"
    learning_rate: Level = "medium"
    regularisation: Level = "medium"
    impute: Impute = "native"
    encode: Encode = "ordinal"
    rare: Literal[0, 5, 20, 100] = 0
    scale: Scale = "none"
    features: tuple[Feature, ...] = Field(default=(), max_length=MOST_FEATURES)
    target: Target = "auto"
    loss: Loss = "auto"
    class_weight: Literal["none", "balanced"] = "none"
    labels: Labels = "separate"
    text: Text = "none"
    time: Time = "none"
    image: Image = "none"
    validation: Validation = "stratified"
    folds: Literal[3, 5, 10] = 5
    seeds: Literal[1, 2, 3] = 1


ABOUT: dict[str, str] = {
    "idea": "in one sentence, what should matter most for this task's score, and why",
    "family": "the model",
    "size": "capacity: leaves, depth, layers, neighbours",
    "learning_rate": "low is slower and often better",
    "regularisation": "high for few rows or noisy data",
    "impute": "missing numbers; native lets tree models handle them",
    "encode": "categories; target is the out-of-fold mean of the target",
    "rare": "categories with fewer rows are put together; 0 keeps all",
    "scale": "needed by linear, svm, knn and mlp models",
    "features": "new columns made from named ones",
    "target": "scale of the target that the model is fitted on; auto goes by the metric",
    "loss": "auto goes by the metric",
    "class_weight": "balanced lets rare classes weigh as much as frequent ones",
    "labels": "one model a label, or one for labels of which a row has at most one",
    "text": "how text columns become features",
    "time": "trend: the calendar, and each series' level into the future; lags: what the series was before",
    "image": "how images become columns: colours is fastest, patches the best of the classical ones",
    "validation": "how the rows are split",
    "folds": "models trained, each without one fold",
    "seeds": "repetitions that are averaged",
}


def installed_families() -> tuple[Family, ...]:
    """The model families whose packages are there."""
    return tuple(f for f in get_args(Family) if f not in _PACKAGES or find_spec(_PACKAGES[f]) is not None)


def choices(spec: TaskSpec, profile: DataProfile) -> dict[str, list[Any]]:
    """For each field that applies to the task, the values that may be chosen; features come apart."""
    known = column_facts(spec, profile)
    facts = tuple(fact for fact in known if not fact.target)
    problem = problem_of(spec)
    sole_text = bool(spec.text_columns) and not any(fact.kind in ("number", "category") for fact in facts)
    families = [f for f in installed_families() if f != "naive_bayes" or problem != "regression"]
    if sole_text:
        families = [f for f in families if f in ("lightgbm", "xgboost", "linear", "svm", "naive_bayes")]
    found: dict[str, list[Any]] = {
        "family": families,
        "size": list(get_args(Level)),
        "learning_rate": list(get_args(Level)),
        "regularisation": list(get_args(Level)),
    }
    if any(fact.kind == "number" for fact in facts) and not sole_text:
        found["impute"] = list(get_args(Impute))
        found["scale"] = list(get_args(Scale))
    if any(fact.kind == "category" for fact in facts):
        found["encode"] = list(get_args(Encode))
        found["rare"] = [0, 5, 20, 100]
    if problem == "regression" and not is_ordinal(spec):
        positive = not any(fact.negative for fact in known if fact.target)
        found["target"] = [t for t in get_args(Target) if t != "log1p" or positive]
        found["loss"] = [item for item in get_args(Loss) if item != "poisson" or positive]
    if problem in ("binary", "multiclass"):
        found["class_weight"] = ["none", "balanced"]
    if problem == "multilabel":
        found["labels"] = list(get_args(Labels))
    if spec.text_columns:
        found["text"] = [t for t in get_args(Text) if t != "none" or not sole_text]
    if spec.time_column or any(fact.kind == "date" for fact in facts):
        single = problem == "regression" and len(spec.targets) == 1 and not is_ordinal(spec)
        series = single and DataType.TIME_SERIES in spec.data_types
        found["time"] = ["none", "calendar", "lags", "trend"] if series else ["none", "calendar"]
    if spec.image_column:
        found["image"] = ["colours", "pixels", "shapes", "patches", "network"]
    schemes: list[Validation] = ["stratified", "kfold"]
    if spec.group_column:
        schemes.append("group")
    if spec.time_column:
        schemes.append("time")
    found["validation"] = list(schemes)
    found["folds"] = [3, 5, 10]
    found["seeds"] = [1, 2, 3]
    return found


def _feature_schemas(facts: tuple[ColumnFacts, ...]) -> list[dict[str, Any]]:
    """One schema for each kind of operation that has columns to work on."""

    def names(*kinds: str) -> list[str]:
        return [fact.name for fact in facts if fact.kind in kinds and not fact.target][:MOST_COLUMNS]

    def operation(ops: Any, a: list[str], b: list[str] | None = None) -> dict[str, Any]:
        properties: dict[str, Any] = {"op": {"enum": list(ops)}, "a": {"enum": a}}
        if b is not None:
            properties["b"] = {"enum": b}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    numbers, keys = names("number"), names("category", "key")
    dates, gaps = names("date"), [f.name for f in facts if f.missing and not f.target][:MOST_COLUMNS]
    found = []
    if len(numbers) > 1:
        found.append(operation(get_args(PairOp), numbers, numbers))
    if numbers:
        found.append(operation(get_args(SingleOp), numbers))
    if numbers and keys:
        found.append(operation(get_args(GroupOp), numbers, keys))
    if keys:
        found.append(operation(get_args(KeyOp), keys))
    if len(keys) > 1:
        found.append(operation(["cross"], keys, keys))
    if gaps:
        found.append(operation(["missing"], gaps))
    if dates:
        found.append(operation(["date_parts"], dates))
    return found


def schema_for(spec: TaskSpec, profile: DataProfile) -> dict[str, Any]:
    """The plan's JSON schema narrowed to this task: families installed, fields that apply, its columns.

    Every JSON text that it allows is a plan that PipelinePlan accepts and that renders to a program.
    """
    properties: dict[str, Any] = {
        "idea": {"type": "string", "maxLength": IDEA_LENGTH, "description": ABOUT["idea"]}
    }
    for name, values in choices(spec, profile).items():
        kind = "integer" if isinstance(values[0], int) else "string"
        properties[name] = {"type": kind, "enum": values, "description": ABOUT[name]}
    made = _feature_schemas(column_facts(spec, profile))
    if made:
        properties["features"] = {
            "type": "array",
            "items": made[0] if len(made) == 1 else {"anyOf": made},
            "maxItems": MOST_FEATURES,
            "description": ABOUT["features"],
        }
    ordered = ["idea", *(name for name in PipelinePlan.model_fields if name in properties and name != "idea")]
    return {
        "type": "object",
        "title": "PipelinePlan",
        "properties": {name: properties[name] for name in ordered},
        "required": ordered,
        "additionalProperties": False,
    }


def loose_plan(raw: Mapping[str, Any]) -> tuple[PipelinePlan, tuple[str, ...]]:
    """A plan from anything that looks like one, and what had to be left out; never fails."""
    notes: list[str] = []
    kept: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in PipelinePlan.model_fields:
            notes.append(f"unknown field {str(name)[:40]!r} left out")
            continue
        if name == "idea":
            value = str(value)[:IDEA_LENGTH]
        if name == "features":
            value, dropped = _loose_features(value)
            notes.extend(dropped)
        if isinstance(value, str) and name in ("folds", "seeds", "rare") and value.strip().isdigit():
            value = int(value)
        try:
            PipelinePlan.model_validate({name: value})
        except ValidationError:
            notes.append(f"{name} cannot be {str(value)[:40]!r}: the default was taken")
        else:
            kept[name] = value
    return PipelinePlan.model_validate(kept), tuple(notes)


def _loose_features(value: Any) -> tuple[list[Feature], list[str]]:
    if not isinstance(value, list | tuple):
        return [], ["features is no list: none were taken"]
    kept, notes = [], []
    for item in value[:50]:
        try:
            kept.append(Feature.model_validate(item))
        except ValidationError:
            notes.append(f"no such feature: {str(item)[:80]}")
    if len(kept) > MOST_FEATURES:
        notes.append(f"only the first {MOST_FEATURES} features were taken")
    return kept[:MOST_FEATURES], notes


def repair(
    plan: PipelinePlan | Mapping[str, Any], spec: TaskSpec, profile: DataProfile
) -> tuple[PipelinePlan, tuple[str, ...]]:
    """The plan made to fit the task and the model family, and a note for each change. Never fails."""
    notes: list[str] = []
    if not isinstance(plan, PipelinePlan):
        plan, loose = loose_plan(plan)
        notes.extend(loose)
    allowed = choices(spec, profile)
    values = plan.model_dump()
    bare, _ = adapt(PipelinePlan(family=plan.family))
    for name in values:
        if name in ("idea", "features"):
            continue
        options = allowed.get(name)
        default = PipelinePlan.model_fields[name].default
        if options is None and values[name] not in (default, getattr(bare, name)):
            notes.append(f"{name} does not apply to this task")
            values[name] = default
        elif options is not None and values[name] not in options:
            new = default if default in options else options[0]
            notes.append(f"{name} cannot be {values[name]!r} here: {new!r} was taken")
            values[name] = new
    values["features"], dropped = fitting_features(plan.features, column_facts(spec, profile))
    notes.extend(dropped)
    plan, adapted = adapt(PipelinePlan.model_validate(values))
    return plan, (*notes, *adapted)


def fitting_features(
    features: tuple[Feature, ...], facts: tuple[ColumnFacts, ...]
) -> tuple[tuple[Feature, ...], list[str]]:
    """The features whose columns the task has, each once, and a note for every other one."""
    known = {fact.name for fact in facts if not fact.target}
    kept: list[Feature] = []
    notes: list[str] = []
    for feature in features:
        names = [feature.a, feature.b] if feature.op in _TWO else [feature.a]
        if absent := [name for name in names if name not in known]:
            notes.append(f"{feature.op} left out: no column {absent[0][:60]!r}")
        elif len(names) == 2 and names[0] == names[1]:
            notes.append(f"{feature.op} left out: twice the same column {names[0][:60]!r}")
        elif (
            tidy := Feature(op=feature.op, a=feature.a, b=feature.b if len(names) == 2 else "")
        ) not in kept:
            kept.append(tidy)
    return tuple(kept), notes


def adapt(plan: PipelinePlan) -> tuple[PipelinePlan, tuple[str, ...]]:
    """The plan with what its model family cannot do without, whatever the task."""
    changes: dict[str, Any] = {}
    notes = []
    if plan.family not in BOOSTERS and plan.impute == "native":
        changes["impute"] = "below" if plan.family in TREES else "median"
    if plan.family not in BOOSTERS and plan.encode == "native":
        changes["encode"] = "ordinal" if plan.family in TREES else "onehot"
    if plan.family not in TREES:
        if plan.scale == "none":
            changes["scale"] = "standard"
        if plan.encode == "ordinal":
            changes["encode"] = "onehot"
        if plan.impute == "below":
            changes["impute"] = "median"
    if plan.family not in ("lightgbm", "xgboost", "catboost") and plan.loss in ("huber", "poisson"):
        changes["loss"] = "auto"
    if plan.loss == "poisson" and plan.target != "none":
        changes["target"] = "none"
    for name, value in changes.items():
        notes.append(f"{plan.family} needs {name} = {value!r} instead of {getattr(plan, name)!r}")
    return plan.model_copy(update=changes), tuple(notes)
