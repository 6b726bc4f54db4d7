"""What a call of an imported function or class means: a model, a splitter, a step, a setting of training."""

import ast
import re
import sys
from typing import TYPE_CHECKING, Any

from linguacodus_core.extraction import datafunctions, models, networks, splits, training
from linguacodus_core.extraction.columns import columns_of
from linguacodus_core.extraction.modelcatalog import ENSEMBLES, HELPERS, MODELS, SEARCHES, TRAINERS, WRAPPERS
from linguacodus_core.extraction.networkcatalog import (
    BACKBONES,
    CONTAINERS,
    FASTAI,
    LAYER_KINDS,
    MAKERS,
    NETWORK_LIBRARIES,
    family_of_checkpoint,
    hub_family,
)
from linguacodus_core.extraction.scopes import Refs, Thing, merged
from linguacodus_core.extraction.stepcatalog import AUGMENTER_LIBRARIES, AUGMENTERS, METRICS, TRANSFORMERS
from linguacodus_core.extraction.vocabulary import word_set

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_LOADERS = word_set("load_model load joblib.load load_learner from_file")
_KNOWN_ROOTS = (
    NETWORK_LIBRARIES
    | word_set(
        "sklearn pandas numpy scipy matplotlib seaborn plotly PIL cv2 skimage albumentations "
        "torchvision transformers "
        "pytorch_lightning lightning diffusers darts datasets torchmetrics nltk spacy peft trl evaluate "
        "xgboost lightgbm catboost"
    )
    | sys.stdlib_module_names
)

_GROUPING = frozenset(["clone", "deepcopy", "Pipeline", "make_pipeline", "DataParallel"])


def arguments_of(reader: "Reading", node: ast.Call, last: str) -> Refs:
    """What the arguments of a call carry; those of a ColumnTransformer give its parts their columns."""
    if last not in ("ColumnTransformer", "make_column_transformer"):
        return reader.arguments(node)
    parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    found: Refs = ()
    for part in parts:
        for item in part.elts if isinstance(part, ast.List) else [part]:
            refs = reader.see(item)
            if isinstance(item, ast.Tuple) and len(item.elts) > 1:
                columns = dict.fromkeys(columns_of(reader, item.elts[-1]))
                for ref in reader.kinds(refs, "transformer"):
                    reader.steps[reader.things[ref].step].columns.update(columns)
            found = merged(found, refs)
    return found


def known(reader: "Reading", node: ast.Call, full: str, last: str, arguments: Refs, start: int = 0) -> Refs:
    """Note what the call of that full name does; what its value carries.

    arguments: what its arguments carry. start: how many layers the scope had before its arguments were read.
    """
    root = full.split(".", 1)[0]
    made = _model(reader, node, full, last, root, arguments, start)
    if made is not None:
        return made
    if last in SEARCHES and root not in NETWORK_LIBRARIES:
        return models.search(reader, node, last, arguments)
    if splits.constructed(reader, node, full, last, root):
        return splits.refs(reader, node, last)
    if splits.called(reader, node, full, last, arguments):
        return arguments
    if last in HELPERS:
        for ref in arguments:
            reader.things[ref].helper = True
    if last in TRANSFORMERS and root not in ("scipy_", "torch"):
        return _transformer(reader, node, last, arguments)
    if last in AUGMENTERS and root in AUGMENTER_LIBRARIES:
        reader.note("augment", AUGMENTERS[last], line=node.lineno)
    datafunctions.called(reader, node, full, last, arguments)
    training.called(reader, node, full, last, root, arguments)
    if last in METRICS:
        return ()
    if last in ("column_or_1d", "print", "display"):
        return ()
    return arguments


def _model(
    reader: "Reading", node: ast.Call, full: str, last: str, root: str, arguments: Refs, start: int
) -> Refs | None:
    """The refs of a model, network, ensemble or wrapper that the call makes, None if it makes none."""
    if full in TRAINERS:
        return models.trained(reader, node, full, arguments)
    if (last in MODELS and root not in ("tensorflow", "keras", "plotly")) or full.startswith(
        "tensorflow_decision"
    ):
        return models.constructed(reader, node, full, last, root, arguments)
    if last in WRAPPERS:
        for ref in reader.kinds(arguments, "model", "network"):
            reader.things[ref].wrappers.append(last)
        return arguments or models.default_base(reader, node, last, root)
    if last in ENSEMBLES:
        return models.ensemble(reader, node, last, arguments)
    if last in LAYER_KINDS and (root in NETWORK_LIBRARIES or _unbound_layer(reader, root, last)):
        reader.scope.layers.append(LAYER_KINDS[last])
        networks.size(reader, node, last)
        return arguments
    if last in CONTAINERS and (root in NETWORK_LIBRARIES or (full == last and reader.names.stars)):
        return networks.container(reader, node, last, root, arguments, start)
    if full in MAKERS or full.rsplit(".", 2)[-2:] == ["hub", "load"]:
        return networks.checkpoint(reader, node, full, last, MAKERS.get(full, "pretrained_cnn"), arguments)
    if last in FASTAI and (root == "fastai" or "." not in full):
        return networks.fastai(reader, node, last, FASTAI[last], arguments)
    if last in ("from_pretrained", "from_preset", "from_tiktoken", "from_config"):
        owner = full.rsplit(".", 2)[-2] if full.count(".") else ""
        family = hub_family(owner, root)
        if family is not None:
            return networks.checkpoint(reader, node, full, owner, family, arguments)
        datafunctions.tokenizer(reader, node, owner)
        return arguments
    if (
        root in ("segmentation_models_pytorch", "segmentation_models")
        and last[:1].isupper()
        and "losses" not in full
    ):
        return networks.checkpoint(reader, node, full, last, "segmentation", arguments)
    family = hub_family(last, root)
    if family is not None and "." in full:
        return networks.checkpoint(reader, node, full, last, family, arguments)
    vision = root == "torchvision" and ".models" in full and last[:1].islower()
    if (BACKBONES.match(last) and is_backbone(full, root)) or (vision and family_of_checkpoint(last)):
        return networks.backbone(reader, node, last, root, arguments)
    if root not in _KNOWN_ROOTS and "." in full and _names_network(last):
        return networks.checkpoint(reader, node, full, last, "pretrained_cnn", arguments)
    if last in _LOADERS and ("load_model" in full or root in ("joblib", "pickle", "torch", "dill", "fastai")):
        return models.loaded(reader, node, full, last, arguments)
    if last.endswith(("InferenceServer", "inference_server")):
        reader.sinks.append(("inference server", arguments, node.lineno))
        return arguments
    if last in _GROUPING:
        return arguments
    return None


_NO_NETWORK = re.compile(
    r"Config|Tokeni[sz]er|Processor|Loss|Dataset|Score|Metric|Loader|Callback|Scheduler|Encoder$"
)


def _names_network(last: str) -> bool:
    """Whether a class of an unknown library is called like a known architecture."""
    if not last[:1].isupper() or _NO_NETWORK.search(last):
        return False
    family = family_of_checkpoint(last.removesuffix("Transformer") if last.endswith("Transformer") else last)
    return family is not None


def _unbound_layer(reader: "Reading", root: str, last: str) -> bool:
    """Whether a bare name can be a layer that a star import brought in."""
    return root == last and any(star.split(".", 1)[0] in NETWORK_LIBRARIES for star in reader.names.stars)


def is_backbone(full: str, root: str) -> bool:
    """Whether a full name lies where libraries keep their backbones."""
    return (
        root
        in (
            "torchvision",
            "efficientnet",
            "efficientnet_pytorch",
            "tfimm",
            "classification_models",
            "vit_keras",
        )
        or (
            root in ("tensorflow", "keras", "tf_keras", "keras_applications")
            and ("applications" in full or full.count(".") == 1)
        )
        or root.startswith(("efficientnet", "keras_efficientnet"))
    )


def _transformer(reader: "Reading", node: ast.Call, last: str, arguments: Refs) -> Refs:
    """A scaler, encoder, imputer, vectoriser, ... : a step, and a thing that gets its columns when it is
    used."""
    kind, how = TRANSFORMERS[last]
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    how, detail = _variant(reader, last, how, options, node)
    columns: tuple[str, ...] = ()
    if last in ("get_dummies", "cut", "qcut", "factorize", "boxcox", "boxcox1p"):
        columns = columns_of(reader, options["columns"]) if "columns" in options else ()
        if not columns and node.args:
            columns = columns_of(reader, node.args[0])
    elif "cols" in options:
        columns = columns_of(reader, options["cols"])
    step = reader.note(kind, how, columns, detail, node.lineno)
    thing = Thing("transformer", last, line=node.lineno, step=step)
    return (reader.add(thing), *reader.kinds(arguments, "model", "network", "splitter"))[:8]


def _variant(
    reader: "Reading", last: str, how: str, options: dict[str, ast.expr], node: ast.Call
) -> tuple[str, str]:
    """(how, detail) with what the options say: an imputer's strategy, a number of components, n-grams."""

    def option(name: str) -> Any:
        return reader.constant(options.get(name))

    if last in ("SimpleImputer", "Imputer"):
        strategy = option("strategy") or "mean"
        if strategy == "constant":
            fill = option("fill_value")
            return "constant", "" if fill is None else str(fill)
        return {"most_frequent": "mode"}.get(str(strategy), str(strategy)), ""
    if last == "KNNImputer":
        return how, _text(option("n_neighbors"))
    if last == "MinMaxScaler" and options.get("feature_range") is not None:
        bounds = option("feature_range")
        return how, f"{bounds[0]} to {bounds[1]}" if isinstance(bounds, list) and len(bounds) == 2 else ""
    if last == "PowerTransformer" and option("method") == "box-cox":
        return "Box-Cox", ""
    if last in ("PCA", "TruncatedSVD", "NMF", "IncrementalPCA", "UMAP", "KernelPCA"):
        first = reader.constant(node.args[0]) if node.args else None
        components = option("n_components")
        return how, _text(components if components is not None else first)
    if last in ("SelectKBest", "RFE"):
        return how, _text(option("k") if last == "SelectKBest" else option("n_features_to_select"))
    if last in ("KMeans", "MiniBatchKMeans"):
        return how, _text(option("n_clusters"))
    if last == "PolynomialFeatures":
        first = reader.constant(node.args[0]) if node.args else None
        return how, _text(option("degree") or first or 2)
    if last in ("TfidfVectorizer", "CountVectorizer", "HashingVectorizer"):
        ngrams, most, analyzer = option("ngram_range"), option("max_features"), option("analyzer")
        parts = [f"{analyzer} " if analyzer in ("char", "char_wb") else ""]
        if isinstance(ngrams, list) and len(ngrams) == 2 and None not in ngrams:
            parts.append(
                f"{ngrams[0]}- to {ngrams[1]}-grams" if ngrams[0] != ngrams[1] else f"{ngrams[0]}-grams"
            )
        words = ["".join(parts).strip()]
        if isinstance(most, int):
            words.append(f"at most {most:,} terms")
        return how, ", ".join(word for word in words if word)
    if last in ("cut", "qcut"):
        bins = option("bins" if last == "cut" else "q")
        bins = bins if bins is not None or len(node.args) < 2 else reader.constant(node.args[1])
        if isinstance(bins, list):
            return how, str(len(bins) - 1)
        return how, _text(bins)
    if last == "pad_sequences":
        return how, _text(option("maxlen"))
    if last in ("SMOTE", "RandomUnderSampler", "RandomOverSampler"):
        return how, ""
    return how, ""


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value)
