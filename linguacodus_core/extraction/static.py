"""The extractor that needs no model: fields and prose from the evidence of the syntax tree."""

from dataclasses import dataclass
from typing import Final

from linguacodus_core.extraction.dataprose import describe_data
from linguacodus_core.extraction.evidence import Evidence, Model
from linguacodus_core.extraction.featureprose import feature_steps
from linguacodus_core.extraction.fields import (
    MOST_FAMILIES,
    MOST_HYPERPARAMETERS,
    MOST_LIBRARIES,
    InstructionFields,
    Value,
)
from linguacodus_core.extraction.modelprose import describe_models, main_models, settings_of
from linguacodus_core.extraction.names import worth_naming
from linguacodus_core.extraction.syntax import evidence
from linguacodus_core.extraction.trainingprose import NETWORK_FAMILIES, describe_training, validation_of

_AROUND: Final = ("numpy", "pandas", "scipy", "polars")


@dataclass(frozen=True)
class Verdict:
    """Whether code is a solution, and why. True and false like a bool."""

    solution: bool
    reason: str

    def __bool__(self) -> bool:
        return self.solution


def is_solution(found: Evidence) -> Verdict:
    """Whether the code trains or applies a predictive model, or writes predictions by rules; the reason."""
    predictive = [model for model in found.models if model.family != "clustering"]
    for role, words in (
        ("submitted", "writes the predictions of"),
        ("fitted", "fits"),
        ("applied", "applies"),
    ):
        for model in predictive:
            if model.role == role:
                return Verdict(True, f"{words} {model.name}")
    if found.of("other submission") and found.output:
        return Verdict(True, "blends other submissions")
    if found.of("loaded"):
        return Verdict(True, "applies a saved model")
    if found.of("loop"):
        return Verdict(True, "trains a network")
    written = found.output == "inference server" or "sub" in found.output.lower()
    if predictive and written:
        return Verdict(True, f"writes {found.output} with {predictive[0].name}")
    if predictive:
        return Verdict(False, f"builds {predictive[0].name} but neither fits nor applies it")
    if written:
        what = "serves predictions" if found.output == "inference server" else f"writes {found.output}"
        return Verdict(True, f"{what} without a model")
    if found.models:
        return Verdict(False, "only groups rows without a target")
    return Verdict(False, "trains no model and writes no predictions")


def static_fields(code: str, found: Evidence | None = None) -> InstructionFields:
    """The instruction of a solution, from its code alone. Raises SyntaxError where it does not parse.

    found: the code's evidence, where the caller has it already.
    """
    found = evidence(code) if found is None else found
    solved = bool(is_solution(found))
    return InstructionFields(
        preprocessing=describe_data(found) or ("The data are used as they are read." if solved else ""),
        architecture=describe_models(found),
        training=describe_training(found) or ("Nothing is trained." if solved else ""),
        libraries=libraries_of(found),
        families=families_of(found),
        validation=validation_of(found),
        features=feature_steps(found),
        hyperparameters=hyperparameters_of(found),
    )


def families_of(found: Evidence) -> tuple[str, ...]:
    """Families of the models that decide, the main one first; rules and blends where there is no model."""
    names = [family for model in main_models(found) for family in (model.family, *model.also)]
    if not names and found.of("other submission"):
        names = ["submission_blend"]
    if not names and not found.of("loaded", "loop") and is_solution(found):
        names = ["rule_based"]
    return tuple(dict.fromkeys(names))[:MOST_FAMILIES]


def libraries_of(found: Evidence) -> tuple[str, ...]:
    """Libraries that do the work: the models' first, then the others, tables and arrays last."""
    used = [name for name in found.used if worth_naming(name)]
    models = [model.library for model in main_models(found) if model.library in used]
    others = [name for name in used if name not in models and name not in _AROUND]
    last = [name for name in _AROUND if name in used]
    return tuple(dict.fromkeys([*models, *others, *last]))[:MOST_LIBRARIES]


def hyperparameters_of(found: Evidence) -> dict[str, Value]:
    """Hyper-parameters of the main model, with those of its training where it is a network."""
    main = main_models(found)
    if not main:
        return {}
    values: dict[str, Value] = {}
    known = dict(main[0].settings)
    for name in ("checkpoint", "encoder"):
        if known.get(name):
            values[name] = known[name]
    values.update(
        {
            name: value
            for name, value in settings_of(main[0], MOST_HYPERPARAMETERS)
            if isinstance(value, bool | int | float | str)
        }
    )
    values.update(_of_training(found, main[0]))
    return dict(list(values.items())[:MOST_HYPERPARAMETERS])


def _of_training(found: Evidence, main: Model) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if main.family in NETWORK_FAMILIES:
        optimizers = found.of("optimizer")
        if optimizers:
            chosen = next((step for step in optimizers if step.detail), optimizers[0])
            values["optimizer"] = chosen.how
            if chosen.detail:
                values["learning_rate"] = float(chosen.detail)
        for kind, name in (("epochs", "epochs"), ("batch", "batch_size")):
            detail = next((step.detail for step in found.of(kind) if step.detail), "")
            if detail:
                values[name] = int(detail)
        sizes = [step.detail for step in found.of("image") if step.detail]
        if sizes:
            values["image_size"] = sizes[0]
    stops = [step.detail for step in found.of("stop") if step.detail]
    if stops and main.library in ("lightgbm", "xgboost", "catboost"):
        values["early_stopping_rounds"] = int(float(stops[0]))
    return values
