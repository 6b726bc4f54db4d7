"""Fitting, validation and prediction, in sentences."""

from linguacodus_core.extraction.evidence import Evidence, Split
from linguacodus_core.extraction.modelprose import main_models
from linguacodus_core.extraction.vocabulary import word_set
from linguacodus_core.extraction.wording import joined, listed, number, share

NETWORK_FAMILIES = word_set(
    "mlp cnn pretrained_cnn vision_transformer segmentation detection rnn transformer llm graph_network "
    "gan autoencoder "
    "diffusion tabular_network"
)


def main_split(found: Evidence) -> Split | None:
    """The split that validates the solution: folds before a hold-out, both before a search's folds."""
    best: Split | None = None
    for split in found.splits:
        if best is None or _weight(split) > _weight(best):
            best = split
    return best


def _weight(split: Split) -> tuple[int, int]:
    purpose = {"evaluation": 2, "search": 1, "prepared": 0}[split.purpose]
    kind = {"nested": 6, "holdout": 2, "none": 0, "time_split": 3}.get(split.scheme, 4 if split.fits else 1)
    if split.scheme == "time_split" and split.fits and split.folds:
        kind = 5
    if split.how == "train_test_split" and split.scheme == "time_split":
        kind = 2
    if split.how in ("learning_curve", "validation_curve"):
        kind = 0
    return purpose, kind


def validation_of(found: Evidence) -> str:
    """The scheme of VALIDATIONS that the main split follows; none without one."""
    split = main_split(found)
    return split.scheme if split is not None else "none"


def describe_training(found: Evidence) -> str:
    """The paragraph on training; empty where nothing is fitted or applied."""
    return joined([
        _optimised(found), _stopping(found), _search(found), _validation(found), _weights(found),
        _metric(found),
        _predictions(found),
    ])  # fmt: skip


def _is_network(found: Evidence) -> bool:
    main = main_models(found)
    return bool(main) and main[0].family in NETWORK_FAMILIES


def _first(found: Evidence, kind: str) -> str:
    return next((step.detail for step in found.of(kind) if step.detail), "")


def _optimised(found: Evidence) -> str:
    main = main_models(found)
    if not main:
        return ""
    if not _is_network(found):
        return ""
    parts: list[str] = []
    optimizers = found.of("optimizer")
    if optimizers:
        chosen = next((step for step in optimizers if step.detail), optimizers[0])
        rate = f" at learning rate {chosen.detail}" if chosen.detail else ""
        parts.append(f"by {chosen.how}{rate}")
    losses = list(dict.fromkeys(step.how for step in found.of("loss")))
    if losses:
        parts.append(f"on {listed(losses, 3)} loss")
    epochs, batch = _first(found, "epochs"), _first(found, "batch")
    if epochs:
        parts.append(f"for {number(epochs)} epoch{'s' if epochs != '1' else ''}")
    if batch:
        parts.append(f"in batches of {number(batch)}")
    if not parts:
        return ""
    text = f"the network is trained {' '.join(parts)}"
    schedules = list(dict.fromkeys(step.how for step in found.of("schedule")))
    if schedules:
        text += f", the learning rate {_rate(schedules[0])}"
    extras = [step.how for step in found.of("precision", "clipping", "ema", "lora", "quantised")]
    if extras:
        text += f", with {listed(extras, 4)}"
    return text


def _rate(schedule: str) -> str:
    return schedule if schedule.startswith("reduced") else f"following {schedule}"


def _stopping(found: Evidence) -> str:
    stops = found.of("stop")
    kept = any(step.how == "checkpoint" for step in found.of("callback"))
    if not stops:
        return "the best epoch's weights are kept" if kept and _is_network(found) else ""
    patience = next((step.detail for step in stops if step.detail), "")
    unit = ("epoch" if _is_network(found) else "round") + ("" if patience == "1" else "s")
    return f"training stops early{f' after {patience} {unit} without progress' if patience else ''}" + (
        ", and the best weights are kept" if kept and _is_network(found) else ""
    )


def _search(found: Evidence) -> str:
    steps = found.of("search")
    if not steps:
        return ""
    ways = list(dict.fromkeys(step.how for step in steps))
    names = list(dict.fromkeys(name for step in steps for name in step.columns))
    names = names or [name for model in found.models for name in model.tuned]
    folds = next((split.folds for split in found.splits if split.purpose == "search" and split.folds), None)
    text = f"hyper-parameters{f' ({listed(names, 6)})' if names else ''} are tuned by {listed(ways, 2)}"
    return text + (f" with {folds}-fold cross-validation" if folds else "")


_SCHEMES = {
    "kfold": "cross-validation",
    "stratified_kfold": "stratified cross-validation",
    "group_kfold": "cross-validation with groups kept together",
    "stratified_group_kfold": "stratified cross-validation with groups kept together",
    "repeated_kfold": "repeated cross-validation",
    "leave_one_out": "leave-one-out cross-validation",
    "nested": "nested cross-validation",
}


def _validation(found: Evidence) -> str:
    split = main_split(found)
    main = main_models(found)
    if split is None:
        if main and not main[0].fitted and (main[0].role in ("submitted", "applied") or found.output):
            return "it is applied as it was loaded; nothing is fitted here"
        if main and main[0].role in ("fitted", "submitted") and not found.of("other submission"):
            return "it is fitted on all training rows; nothing is held back for validation"
        return ""
    if split.purpose == "search":
        folds = f"{split.folds}-fold " if split.folds else ""
        return (
            ""
            if found.of("search")
            else f"its penalty is chosen by {folds}{_SCHEMES.get(split.scheme, 'cross-validation')}"
        )
    if split.scheme == "holdout":
        return _held(split)
    if split.scheme == "time_split":
        if split.folds and split.how != "by time":
            return (
                f"validation on {split.folds} successive periods (TimeSeriesSplit)"
                if split.how == "TimeSeriesSplit"
                else f"validation on {split.folds} successive periods"
            )
        if split.how == "train_test_split" and split.size is not None:
            return f"the last {share(split.size)} are held back for validation, without shuffling"
        return f"the latest rows{f' by {split.by}' if split.by else ''} are held back for validation"
    name = _SCHEMES[split.scheme]
    folds = f"{split.folds}-fold " if split.folds and split.scheme != "leave_one_out" else ""
    times = f", {split.repeats} times" if split.repeats else ""
    by = f" (groups: {split.by})" if split.by and "group" in split.scheme else ""
    text = f"validation is {folds}{name}{by}{times}"
    if any(step.kind == "fold average" for step in found.ensembles):
        text += ", and the folds' predictions are averaged"
    elif any(
        s.scheme == "holdout" and s.purpose == "evaluation" and s.how == "train_test_split"
        for s in found.splits
    ):
        text += ", beside a hold-out"
    return text


def _held(split: Split) -> str:
    if split.how == "given files":
        return "the given validation files are the hold-out"
    what = f"{share(split.size)} are held back" if split.size else "part of the rows is held back"
    return f"{what} for validation{', stratified by class' if split.stratified else ''}"


def _weights(found: Evidence) -> str:
    words = list(dict.fromkeys(step.how for step in found.of("weights")))
    balanced = any(dict(model.settings).get("class_weight") == "balanced" for model in main_models(found))
    if balanced and "class weights" not in words:
        words.append("balanced class weights")
    return f"{listed(words, 2)} are used" if words else ""


def _metric(found: Evidence) -> str:
    names = list(dict.fromkeys(step.how for step in found.of("metric")))
    return f"quality is measured by {listed(names, 3)}" if names else ""


def _predictions(found: Evidence) -> str:
    parts: list[str] = []
    if any(step.kind == "fold average" for step in found.ensembles) and not any(
        s.scheme in _SCHEMES and s.purpose == "evaluation" for s in found.splits
    ):
        parts.append("predictions of the folds are averaged")
    if found.of("back"):
        how = next(step.how for step in found.of("back"))
        parts.append(f"predictions are transformed back by {how}")
    if found.of("tta"):
        parts.append("predictions are averaged over augmented copies of the test data")
    for step in found.of("postprocess")[:2]:
        parts.append(f"predictions are {step.how}")
    return "; ".join(parts)
