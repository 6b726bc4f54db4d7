"""Validation: splitters, calls that split, folds of cross-validation."""

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from linguacodus_core.extraction.columns import columns_of, name_in
from linguacodus_core.extraction.evidence import Purpose, Split
from linguacodus_core.extraction.scopes import Refs, Thing
from linguacodus_core.extraction.stepcatalog import SCORINGS
from linguacodus_core.extraction.vocabulary import word_set

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

SPLITTERS: Final[dict[str, str]] = {
    "KFold": "kfold",
    "StratifiedKFold": "stratified_kfold",
    "MultilabelStratifiedKFold": "stratified_kfold",
    "IterativeStratification": "stratified_kfold",
    "GroupKFold": "group_kfold",
    "StratifiedGroupKFold": "stratified_group_kfold",
    "RepeatedKFold": "repeated_kfold",
    "RepeatedStratifiedKFold": "repeated_kfold",
    "RepeatedMultilabelStratifiedKFold": "repeated_kfold",
    "LeaveOneOut": "leave_one_out",
    "LeaveOneGroupOut": "leave_one_out",
    "TimeSeriesSplit": "time_split",
    "PurgedGroupTimeSeriesSplit": "time_split",
    "GroupTimeSeriesSplit": "time_split",
    "CombinatorialPurgedCV": "time_split",
    "PurgedKFold": "time_split",
    "ShuffleSplit": "holdout",
    "StratifiedShuffleSplit": "holdout",
    "GroupShuffleSplit": "holdout",
    "MultilabelStratifiedShuffleSplit": "holdout",
    "PredefinedSplit": "holdout",
}
"""Splitter class -> scheme of VALIDATIONS."""

CROSS_VALIDATORS: Final = word_set(
    "cross_val_score cross_validate cross_val_predict validation_curve learning_curve"
)
_FIRST_ARGUMENT = word_set(
    "KFold StratifiedKFold GroupKFold StratifiedGroupKFold TimeSeriesSplit ShuffleSplit"
)
_DIRECTORIES = word_set(
    "image_dataset_from_directory text_dataset_from_directory audio_dataset_from_directory"
)


def _options(node: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000 else None


def _share(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
    )


def constructed(reader: "Reading", node: ast.Call, full: str, last: str, root: str) -> bool:
    """Whether the call constructs a splitter; it is kept as a thing, and counts once it splits."""
    return last in SPLITTERS or last.endswith(("KFold", "TimeSeriesSplit"))


def refs(reader: "Reading", node: ast.Call, last: str) -> Refs:
    """A new splitter."""
    options = _options(node)
    folds = reader.constant(options.get("n_splits", options.get("n_folds")))
    if folds is None and node.args and last in _FIRST_ARGUMENT:
        folds = reader.constant(node.args[0])
    settings = {
        "folds": _count(folds),
        "repeats": _count(reader.constant(options.get("n_repeats"))),
        "size": _share(reader.constant(options.get("test_size"))),
    }
    if (
        settings["folds"] is None
        and "n_splits" not in options
        and not node.args
        and SPLITTERS.get(last) != "holdout"
    ):
        settings["folds"] = (
            5 if last in SPLITTERS and last not in ("LeaveOneOut", "LeaveOneGroupOut") else None
        )
    if last in ("LeaveOneOut", "LeaveOneGroupOut"):
        settings["folds"] = None
    return (reader.add(Thing("splitter", last, line=node.lineno, settings=settings)),)


def scheme_of(name: str) -> str:
    """The scheme of a splitter, also of one that the code defines itself."""
    if name in SPLITTERS:
        return SPLITTERS[name]
    lowered = name.lower()
    if "time" in lowered or "purged" in lowered:
        return "time_split"
    grouped, stratified = "group" in lowered, "strat" in lowered
    if grouped and stratified:
        return "stratified_group_kfold"
    return "group_kfold" if grouped else "stratified_kfold" if stratified else "kfold"


def used(reader: "Reading", refs: Refs, purpose: Purpose, line: int, by: str = "") -> bool:
    """A splitter among refs splits: note the split. Whether there was one."""
    for ref in refs:
        thing = reader.things[ref]
        if thing.kind == "splitter":
            scheme = scheme_of(thing.name)
            keep(
                reader,
                Split(
                    scheme=scheme,
                    folds=thing.settings.get("folds") if scheme != "holdout" else None,
                    repeats=thing.settings.get("repeats"),
                    size=thing.settings.get("size"),
                    by=by,
                    stratified="Stratified" in thing.name,
                    purpose=purpose,
                    how=thing.name,
                    line=line,
                ),
            )
            thing.fitted = True
            return True
    return False


def keep(reader: "Reading", split: Split) -> None:
    """Keep a split unless it stands in dead code or is known."""
    same = any(
        (s.scheme, s.folds, s.purpose, s.how, s.size, s.by)
        == (split.scheme, split.folds, split.purpose, split.how, split.size, split.by)
        for s in reader.splits
    )
    if reader.dead:
        split = split.model_copy(update={"purpose": "prepared"})
    if not same:
        reader.splits.append(split)


def by_argument(
    reader: "Reading", cv: ast.expr | None, arguments: Refs, purpose: Purpose, how: str, line: int
) -> None:
    """The split that `cv=` asks for: a splitter, a number of folds, or the default."""
    own = reader.kinds(reader.see(cv), "splitter") if cv is not None and not isinstance(cv, ast.Call) else ()
    if used(reader, own or reader.kinds(arguments, "splitter"), purpose, line):
        return
    folds = _count(reader.constant(cv))
    if cv is None and how in ("RidgeCV",):
        return
    keep(reader, Split(scheme="kfold", folds=folds, purpose=purpose, how=how, line=line))


def called(reader: "Reading", node: ast.Call, full: str, last: str, arguments: Refs) -> bool:
    """Whether the call splits or cross-validates; if so, it is noted."""
    options = _options(node)
    if last == "train_test_split":
        _holdout(reader, node, options)
        return True
    if last in CROSS_VALIDATORS:
        models = reader.kinds(arguments, "model", "network", "parameter")
        nested = bool(reader.kinds(arguments, "search"))
        cv = options.get("cv", node.args[3] if len(node.args) > 3 else None)
        if last in ("learning_curve", "validation_curve"):
            cv = options.get("cv")
        before = len(reader.splits)
        by_argument(reader, cv, reader.kinds(arguments, "splitter"), "evaluation", last, node.lineno)
        if len(reader.splits) > before:
            reader.splits[-1] = reader.splits[-1].model_copy(update={"fits": True})
        if nested and len(reader.splits) > before:
            reader.splits[-1] = reader.splits[-1].model_copy(update={"scheme": "nested"})
        if last not in ("learning_curve", "validation_curve"):
            reader.touch(models, fitted=True, applied=last == "cross_val_predict")
        _scoring(reader, options, node.lineno)
        return True
    if last == "random_split":
        parts = node.args[1] if len(node.args) > 1 else options.get("lengths")
        known = reader.constant(parts)
        size = None
        if isinstance(known, list) and len(known) >= 2 and isinstance(known[1], float) and known[1] < 1:
            size = known[1]
        keep(reader, Split(scheme="holdout", size=size, how="random_split", line=node.lineno))
        return True
    if last in _DIRECTORIES or last in ("ImageDataGenerator", "from_folder", "from_name_func", "from_df"):
        share = _share(reader.constant(options.get("validation_split", options.get("valid_pct"))))
        if share is not None:
            keep(reader, Split(scheme="holdout", size=share, how=last, line=node.lineno))
        return False
    if (last == "setup" and full.startswith("pycaret")) or (
        last == "setup" and any(s.startswith("pycaret") for s in reader.names.stars)
    ):
        folds = _count(reader.constant(options.get("fold")))
        keep(reader, Split(scheme="kfold", folds=folds or 10, how="pycaret", line=node.lineno))
        return True
    return False


def note_target(reader: "Reading", node: ast.expr) -> None:
    """The columns of an argument that is the target."""
    columns = columns_of(reader, node)
    if 0 < len(columns) <= 6:
        reader.targets.update(columns)


def _holdout(reader: "Reading", node: ast.Call, options: dict[str, ast.expr]) -> None:
    if len(node.args) == 2:
        note_target(reader, node.args[1])
    size = _share(reader.constant(options.get("test_size")))
    if size is None and "train_size" in options:
        rest = _share(reader.constant(options["train_size"]))
        size = round(1 - rest, 6) if rest is not None and rest < 1 else None
    if size is None and "test_size" not in options and "train_size" not in options:
        size = 0.25
    stratify = options.get("stratify")
    stratified = stratify is not None and not (isinstance(stratify, ast.Constant) and stratify.value is None)
    ordered = reader.constant(options.get("shuffle")) is False
    keep(
        reader,
        Split(
            scheme="time_split" if ordered else "holdout",
            size=size,
            stratified=stratified,
            how="train_test_split",
            line=node.lineno,
        ),
    )


def booster_cv(reader: "Reading", node: ast.Call, full: str) -> None:
    """lgb.cv, xgb.cv, catboost.cv."""
    options = _options(node)
    folds = _count(reader.constant(options.get("nfold", options.get("fold_count", options.get("n_folds")))))
    if used(
        reader,
        reader.kinds(reader.see(options["folds"]), "splitter") if "folds" in options else (),
        "evaluation",
        node.lineno,
    ):
        return
    stratified = reader.constant(options.get("stratified"))
    scheme = "stratified_kfold" if stratified else "kfold"
    keep(reader, Split(scheme=scheme, folds=folds, how=full, line=node.lineno))


def split_method(reader: "Reading", node: ast.Call, refs: Refs) -> None:
    """`splitter.split(X, y, groups)`."""
    options = _options(node)
    groups = options.get("groups", node.args[2] if len(node.args) > 2 else None)
    by = ""
    if groups is not None:
        columns = columns_of(reader, groups)
        by = columns[0] if columns else (name_in(groups) or "")
    used(reader, refs, "evaluation", node.lineno, by if re.fullmatch(r"\w{1,40}", by) else "")


def in_fit(reader: "Reading", options: dict[str, ast.expr], line: int) -> None:
    """Options of fit that hold rows back: validation_split, validation_data, eval_set."""
    if reader.folds:
        return
    share = _share(reader.constant(options.get("validation_split")))
    if share is not None and share < 1:
        keep(reader, Split(scheme="holdout", size=share, how="validation_split", line=line))
    elif "validation_data" in options and not (
        isinstance(options["validation_data"], ast.Constant) and options["validation_data"].value is None
    ):
        keep(reader, Split(scheme="holdout", how="validation_data", line=line))


def _scoring(reader: "Reading", options: dict[str, ast.expr], line: int) -> None:
    """`scoring="roc_auc"`."""
    known = reader.constant(options.get("scoring"))
    if isinstance(known, str) and known in SCORINGS:
        reader.note("metric", SCORINGS[known], (), "", line)
