"""The models, in sentences: which one decides, its settings, what it is combined with."""

import re

from linguacodus_core.extraction.evidence import Evidence, Model, Value
from linguacodus_core.extraction.modelcatalog import MODELS, in_words
from linguacodus_core.extraction.wording import article, joined, listed, number, plural

_NOT_SAID = frozenset(["checkpoint", "weights", "pretrained", "encoder", "path"])
_FIRST = (
    "n_estimators", "num_boost_round", "iterations", "num_iterations", "learning_rate", "eta",
    "max_depth", "depth", "num_leaves", "min_child_weight", "min_child_samples", "min_data_in_leaf",
    "subsample", "bagging_fraction", "colsample_bytree", "feature_fraction", "reg_alpha", "lambda_l1",
    "alpha", "reg_lambda", "lambda_l2", "l2_leaf_reg", "C", "kernel", "gamma", "n_neighbors",
    "max_features", "min_samples_split", "min_samples_leaf", "objective", "hidden_layer_sizes",
)  # fmt: skip
_NETWORKS = {
    "mlp": "fully connected network",
    "cnn": "convolutional network",
    "rnn": "recurrent network",
    "transformer": "transformer",
    "gan": "generative adversarial network",
    "autoencoder": "autoencoder",
    "segmentation": "segmentation network",
    "graph_network": "graph neural network",
    "pretrained_cnn": "pretrained convolutional network",
    "vision_transformer": "pretrained vision transformer",
    "llm": "large language model",
    "detection": "detector",
    "diffusion": "diffusion model",
}
_WRAPPERS = {
    "MultiOutputRegressor": "one for each target",
    "MultiOutputClassifier": "one for each label",
    "OneVsRestClassifier": "one against the rest for each class",
    "BaggingClassifier": "bagged",
    "BaggingRegressor": "bagged",
    "CalibratedClassifierCV": "with calibrated probabilities",
    "RegressorChain": "chained over the targets",
    "ClassifierChain": "chained over the labels",
    "TransformedTargetRegressor": "on a transformed target",
    "AdaBoostClassifier": "boosted by AdaBoost",
    "AdaBoostRegressor": "boosted by AdaBoost",
}


def main_models(found: Evidence) -> tuple[Model, ...]:
    """The models that make the submission; where that cannot be told, the ones that are fitted, or
    applied."""
    for role in ("submitted", "fitted", "applied", "built"):
        chosen = tuple(model for model in found.models if model.role == role)
        if chosen:
            stacked = (
                {name for step in found.ensembles for name in step.columns} if role == "submitted" else set()
            )
            more = tuple(
                model
                for model in found.models
                if model.role != role and (model.name in stacked or (role != "built" and is_frozen(model)))
            )
            return chosen + more
    return ()


def is_frozen(model: Model) -> bool:
    """Whether a pretrained network is only applied: it computes features for another model."""
    return model.role == "applied" and bool(dict(model.settings).get("checkpoint"))


def settings_of(model: Model, most: int = 9) -> list[tuple[str, Value]]:
    """The telling hyper-parameters of a model, the best known first."""
    known = dict(model.settings)
    names = [name for name in _FIRST if name in known]
    names += [name for name in known if name not in names and name not in _NOT_SAID and "units" not in name]
    return [(name, known[name]) for name in names][:most]


def describe_models(found: Evidence) -> str:
    """The paragraph on the models; empty where there is none."""
    if not found.models:
        return _without(found)
    main = main_models(found)
    ensembles = _ensembles(found)
    sentences: list[str] = []
    if ensembles:
        sentences += ensembles
        told = [model for model in main if settings_of(model) or model.tuned or model.layers][:3]
        sentences += [
            f"the {_named(model)} has{_with(model).removeprefix(' with').removeprefix(' of')}"
            for model in told
        ]
    else:
        sentences.append(f"{article(_named(main[0]))}{_with(main[0])}")
        frozen = [model for model in main[1:] if is_frozen(model)]
        others = [model for model in main[1:] if model not in frozen and _named(model) != _named(main[0])]
        if frozen:
            sentences.append(f"features come from {listed([article(_named(model)) for model in frozen], 3)}")
        if others and main[0].role == "submitted":
            shown = [f"{_named(model)}{_briefly(model)}" for model in others[:4]]
            more = f"; and {len(others) - 4} more" if len(others) > 4 else ""
            sentences.append(f"also used: {'; '.join(shown)}{more}")
        elif others:
            sentences.append(f"also fitted: {listed([_named(model) for model in others], 6)}")
    rest = [model for model in found.models if model not in main and model.role in ("fitted", "applied")]
    own = {model.family for model in main}
    compared = [_named(model) for model in rest if model.family not in own and model.family != "clustering"]
    if compared and main[0].role == "submitted":
        sentences.append(f"compared with {listed(compared, 5)}")
    return joined(sentences)


def _without(found: Evidence) -> str:
    if found.of("other submission"):
        return joined(["predictions of other submissions are read from files and blended"])
    if found.of("loaded"):
        names = [step.detail for step in found.of("loaded") if step.detail]
        return joined([f"saved models are loaded{f' ({listed(names, 3)})' if names else ''} and applied"])
    if found.of("loop"):
        return joined(["a network is trained whose layers the code does not show"])
    if found.output:
        return joined(["no model is fitted; predictions follow from rules in the code"])
    return ""


def _named(model: Model) -> str:
    known = dict(model.settings)
    checkpoint = str(known.get("checkpoint", ""))
    family = model.family
    if family in _NETWORKS and checkpoint:
        kind = _NETWORKS[family]
        if family in ("pretrained_cnn", "vision_transformer") and known.get("pretrained") is False:
            kind = kind.removeprefix("pretrained ")
        if family == "transformer":
            kind = "pretrained transformer"
        return f"{kind} {checkpoint}"
    if model.library in ("diffusers", "transformers") and family in _NETWORKS:
        return f"{_NETWORKS[family]} ({model.name})"
    if family == "segmentation" and known.get("encoder"):
        return f"{model.name} with the encoder {known['encoder']}"
    if family in _NETWORKS and (
        model.layers or model.library in ("torch", "tensorflow", "keras", "pytorch_lightning")
    ):
        kind = _NETWORKS[family]
        layers = dict(model.layers)
        if family == "rnn":
            names = [
                name
                for name, kind_of in (("bidirectional", "bidirectional"), ("LSTM", "lstm"), ("GRU", "gru"))
                if kind_of in layers
            ]
            kind = f"{' '.join(names)} network" if names else kind
            kind = "convolutional and " + kind if "cnn" in model.also else kind
        return kind
    return in_words(model.name, family)


def _with(model: Model) -> str:
    parts: list[str] = []
    if model.layers and model.family in _NETWORKS:
        described = _layers(model)
        if described:
            parts.append(
                f" of {described}"
                if "checkpoint" not in dict(model.settings)
                else f" with {described} on top"
            )
    chosen = settings_of(model)
    if chosen:
        parts.append(f"{' and' if parts else ' with'} {_values(chosen)}")
    tuned = [name for name in model.tuned if name not in dict(model.settings)]
    if tuned:
        parts.append(f"{', ' if parts else ' with '}tuned {listed(tuned, 8)}")
    wrapped = [_WRAPPERS[name] for name in model.wrappers if name in _WRAPPERS]
    return "".join(parts) + (f", {', '.join(dict.fromkeys(wrapped))}" if wrapped else "")


def _briefly(model: Model) -> str:
    chosen = settings_of(model, 4)
    return f" ({', '.join(f'{name} {number(value)}' for name, value in chosen)})" if chosen else ""


def _values(chosen: list[tuple[str, Value]]) -> str:
    return listed([f"{name} {number(value)}" for name, value in chosen], 12)


def _layers(model: Model) -> str:
    layers, known = dict(model.layers), dict(model.settings)

    def counted(kind: str, word: str, units: str = "") -> str:
        if kind not in layers:
            return ""
        widths = str(known.get(units, ""))
        shown = f" ({widths})" if re.fullmatch(r"\d+(-\d+){0,7}", widths) else ""
        return plural(layers[kind], word) + shown

    parts = [
        counted("embedding", "embedding layer"),
        counted("conv1d", "1-D convolution", "conv1d units"),
        counted("conv2d", "convolution", "conv2d units"),
        counted("conv3d", "3-D convolution"),
        counted("transposed", "transposed convolution"),
        counted("lstm", "LSTM layer", "lstm units"),
        counted("gru", "GRU layer", "gru units"),
        counted("attention", "attention layer"),
        counted("graph", "graph layer"),
        counted("dense", "dense layer", "dense units"),
    ]
    extras = [
        word
        for kind, word in (
            ("batch norm", "batch normalisation"),
            ("norm", "normalisation"),
            ("dropout", "dropout"),
        )
        if kind in layers
    ]
    shown = [part for part in parts if part]
    return listed(shown + extras[:2], 7)


_KINDS = {"stacking": "a stacking ensemble", "voting": "a voting ensemble", "blend": "a blend"}


def _ensembles(found: Evidence) -> list[str]:
    """Sentences on the ensembles that are submitted: what is stacked, voted on or blended, at most two."""
    sentences: dict[tuple[str, tuple[str, ...]], str] = {}
    for step in found.ensembles:
        if step.kind not in _KINDS:
            continue
        names = list(dict.fromkeys(_short(name, found) for name in step.columns))
        several = f"several {names[0]}s" if len(names) == 1 else listed(names, 7) or "several models"
        text = f"{_KINDS[step.kind]} of {several}"
        if step.kind == "stacking" and step.detail:
            text += f" with {article(_short(step.detail, found))} above them"
        elif step.kind == "voting" and step.detail:
            text = (
                text.replace("a voting", f"a {step.detail.split(',')[0]}-voting", 1)
                if step.detail[:4] in ("soft", "hard")
                else text
            )
            text += (
                f" with {step.detail.split(', ', 1)[1]}"
                if "weights" in step.detail and ", " in step.detail
                else ""
            )
        elif step.kind == "blend" and step.detail:
            text += f" with weights {step.detail}"
        sentences[step.kind, step.columns] = text
    return list(sentences.values())[-2:]


def _short(name: str, found: Evidence) -> str:
    for model in found.models:
        if name in (model.name, dict(model.settings).get("checkpoint")):
            return _named(model)
    return in_words(name, MODELS.get(name, ""))
