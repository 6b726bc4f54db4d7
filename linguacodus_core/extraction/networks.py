"""Networks as they are put together: layers, containers, classes, backbones and checkpoints."""

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from linguacodus_core.extraction.names import library
from linguacodus_core.extraction.networkcatalog import LAYER_KINDS, classify, family_of_checkpoint
from linguacodus_core.extraction.scopes import Class, Refs, Thing, merged
from linguacodus_core.extraction.vocabulary import word_set

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_NAME_OPTIONS = (
    "pretrained_model_name_or_path", "model_name", "model", "model_name_or_path", "encoder_name", "backbone",
    "arch", "handle", "preset", "repo_or_dir",
)  # fmt: skip
_FRAMEWORKS = word_set("transformers pytorch tensorflow tensorflow2 keras tf2 default input working models")
_NO_MODEL = re.compile(
    r"loss|criterion|metric|transform(s|er_?)?$|augment|dataset|preprocess|normali[sz]|pooling$|^gem$|score|dice$|swish|mish|scheduler",
    re.IGNORECASE,
)

_OWN = word_set("mlp cnn rnn transformer gan autoencoder segmentation graph_network")


def size(reader: "Reading", node: ast.Call, last: str) -> None:
    """Keep the width of a layer where it shows, for the description of small networks."""
    if LAYER_KINDS[last] not in ("dense", "lstm", "gru", "conv2d", "conv1d"):
        return
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    width = options.get(
        "units", options.get("filters", options.get("hidden_size", options.get("out_features")))
    )
    position = 1 if last in ("Linear", "Conv2d", "Conv1d", "LSTM", "GRU") and _is_torch(reader, node) else 0
    if width is None and len(node.args) > position:
        width = node.args[position]
    known = reader.constant(width)
    if isinstance(known, int) and not isinstance(known, bool):
        reader.scope.layers.append(f"={LAYER_KINDS[last]}:{known}")


def _is_torch(reader: "Reading", node: ast.Call) -> bool:
    full = reader.names.dotted(node.func) or ""
    return full.startswith("torch")


def container(reader: "Reading", node: ast.Call, last: str, root: str, arguments: Refs, start: int) -> Refs:
    """Sequential([...]), Sequential(), Model(inputs, outputs) of Keras, Sequential(...) of PyTorch.

    The layers that stand in its arguments belong to it; a functional model takes all that its scope built.
    """
    layers = reader.scope.layers
    inside = reader.kinds(arguments, "network", "parameter")
    if root == "torch":
        if reader.inside_network() or reader.scope is not reader.module:
            return arguments
        own = layers[start:]
        del layers[start:]
    elif last == "Sequential":
        own = layers[start:]
        del layers[start:]
    else:
        own = list(layers)
        layers.clear()
    full = reader.names.dotted(node.func) or root
    given = reader.constant(next((k.value for k in node.keywords if k.arg == "name"), None))
    target = reader.assigning.id if isinstance(reader.assigning, ast.Name) else ""
    title = f"{given if isinstance(given, str) else ''} {reader.function_name} {target}"
    thing = Thing("network", last, library(full), "", node.lineno, title=title)
    count_layers(thing, own)
    thing.members = list(inside)
    for ref in inside:
        reader.things[ref].inner = True
    return (reader.add(thing), *inside)[:12]


def count_layers(thing: Thing, own: list[str]) -> None:
    """Add layers to a network: their kinds, and their widths as a setting."""
    counted = Counter(name for name in own if not name.startswith("="))
    for kind, count in counted.items():
        thing.layers[kind] = thing.layers.get(kind, 0) + count
    for name in own:
        if name.startswith("="):
            kind, width = name[1:].split(":")
            widths = thing.settings.setdefault(f"{kind} units", [])
            if len(widths) < 8:
                widths.append(int(width))


def add_layer(reader: "Reading", refs: Refs, start: int) -> None:
    """`model.add(layer)`: what the argument built goes to the receiver."""
    layers = reader.scope.layers
    networks = reader.kinds(refs, "network")
    if networks and len(layers) > start:
        count_layers(reader.things[networks[0]], layers[start:])
        del layers[start:]


def close_class(reader: "Reading", defined: Class, carried: Refs, parents: Refs) -> None:
    """A network class whose methods have been read: its layers, and the networks that it holds."""
    thing = reader.things[defined.network]
    count_layers(thing, defined.inner.layers)
    members = [ref for ref in merged(carried, parents) if ref != defined.network]
    members = [ref for ref in members if reader.things[ref].kind in ("network", "model")]
    for ref in members:
        if ref not in parents:
            reader.things[ref].inner = True
    thing.members = members
    for ref in parents:
        if ref < len(reader.things) and reader.things[ref].kind == "network":
            for kind, count in reader.things[ref].layers.items():
                thing.layers[kind] = thing.layers.get(kind, 0) + count
    defined.refs = (defined.network,)


def checkpoint(reader: "Reading", node: ast.Call, full: str, last: str, family: str, arguments: Refs) -> Refs:
    """A network that is loaded by the name of a checkpoint or an architecture."""
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    name: Any = None
    for option in _NAME_OPTIONS:
        if option in options:
            name = reader.constant(options[option])
            break
    for argument in node.args[:2]:
        if not isinstance(name, str):
            name = reader.constant(argument)
        elif "hub.load" in full and isinstance(known := reader.constant(argument), str):
            name = known
    label = (
        label_of(name)
        if isinstance(name, str) and name not in ("classification", "text-classification")
        else ""
    )
    by_name = family_of_checkpoint(str(name)) if isinstance(name, str) else None
    if family in ("segmentation", "detection") or last.endswith("ForCausalLM"):
        by_name = family if by_name not in ("segmentation", "detection") else by_name
    if by_name == "pretrained_cnn" and family == "transformer" and "bert" in str(name).lower():
        by_name = "transformer"
    settings: dict[str, Any] = {}
    if label:
        settings["checkpoint"] = label
    if full.startswith("segmentation_models") and "arch" not in options:
        settings = {"encoder": label} if label else {}
    pretrained = reader.constant(
        options.get("pretrained", options.get("weights", options.get("encoder_weights")))
    )
    own = library(full) if "." in full else "transformers"
    final = by_name or family
    also = ("segmentation",) if final == "detection" and re.search(r"-seg|mask", str(name)) else ()
    thing = Thing("network", last, own, final, node.lineno, also=also, settings=settings)
    if pretrained is False or (final == "pretrained_cnn" and own == "timm" and "pretrained" not in options):
        thing.settings["pretrained"] = False
    elif isinstance(pretrained, str):
        thing.settings["weights"] = pretrained[:40]
    inner = reader.kinds(arguments, "network")
    for ref in inner:
        reader.things[ref].inner = True
    return (reader.add(thing), *inner)[:12]


def label_of(name: str) -> str:
    """The readable end of a checkpoint's path: "deberta-v3-small" of "/kaggle/input/deberta-v3-small"."""
    parts = [part for part in re.split(r"[/\\]", name.strip().rstrip("/")) if part and part != "{}"]
    if "tfhub.dev" in name or ("kaggle" in name and "models" in name):
        parts = [part for part in parts if not re.fullmatch(r"\d+|https?:|tfhub\.dev|tfhub", part)]
    parts = [part for part in parts if part.lower() not in _FRAMEWORKS] or parts
    named = [part for part in parts if family_of_checkpoint(part)]
    label = named[-1] if named else (parts[-1] if parts else "")
    return label.removesuffix(".pt").removesuffix(".pth").removesuffix(".bin").removesuffix(".h5")[:60]


def backbone(reader: "Reading", node: ast.Call, last: str, root: str, arguments: Refs) -> Refs:
    """A backbone of keras.applications, torchvision.models and their like."""
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    family = family_of_checkpoint(last) or "pretrained_cnn"
    full = reader.names.dotted(node.func) or root
    thing = Thing("network", last, library(full), family, node.lineno, settings={"checkpoint": last})
    weights = options.get("weights")
    if weights is not None:
        known = reader.constant(weights)
        if isinstance(known, str):
            thing.settings["weights"] = known[-30:]
        elif isinstance(weights, ast.Constant) and weights.value is None:
            thing.settings["pretrained"] = False
    elif root == "torchvision":
        flag = reader.constant(options.get("pretrained", node.args[0] if node.args else None))
        thing.settings["pretrained"] = bool(flag)
    return (reader.add(thing), *reader.kinds(arguments, "network"))[:8]


def fastai(reader: "Reading", node: ast.Call, last: str, family: str, arguments: Refs) -> Refs:
    """A learner of fastai; the architecture is its second argument."""
    label = ""
    for argument in node.args[1:2]:
        label = argument.id if isinstance(argument, ast.Name) else getattr(argument, "attr", "")
        known = reader.constant(argument)
        if isinstance(known, str):
            label = known
    family = family_of_checkpoint(label) or family if family == "pretrained_cnn" else family
    settings = {"checkpoint": label} if label and family not in ("mlp",) else {}
    thing = Thing("network", last, "fastai", family, node.lineno, settings=settings)
    return (reader.add(thing), *reader.kinds(arguments, "network"))[:8]


def settle(reader: "Reading") -> None:
    """Give every network its family, from its layers, its members, and its name."""
    for thing in reader.things:
        if thing.kind == "network":
            _bind_parameters(reader, thing)
    for thing in reader.things:
        if thing.kind == "network" and not thing.family:
            empty = not thing.layers and not thing.members
            thing.helper |= bool(_NO_MODEL.search(thing.name)) or empty
            _settle(reader, thing)


def _bind_parameters(reader: "Reading", thing: Thing) -> None:
    """What was passed for a parameter that stands in a network is part of the network."""
    found: list[int] = []
    stack = list(reversed(thing.members))
    seen: set[int] = set()
    while stack:
        ref = stack.pop()
        other = reader.things[ref]
        if other.kind != "parameter":
            if other.kind == "network" and other is not thing:
                found.append(ref)
                other.inner = True
        elif ref not in seen:
            seen.add(ref)
            stack.extend(reversed(list(other.bindings)))
    thing.members = list(dict.fromkeys(found))


def _settle(reader: "Reading", thing: Thing) -> None:
    layers = dict(thing.layers)
    pretrained: list[Thing] = []
    for member in _within(reader, thing, 0):
        if (member.family and member.family not in _OWN) or member.settings.get("checkpoint"):
            pretrained.append(member)
        else:
            for kind, count in member.layers.items():
                layers[kind] = layers.get(kind, 0) + count
    family, also = classify(layers, f"{thing.name} {thing.title}")
    thing.layers = layers
    if pretrained:
        first = pretrained[0]
        more = tuple(
            name
            for name in dict.fromkeys((*(other.family for other in pretrained[1:]), *first.also))
            if name and name != first.family
        )
        if family in ("segmentation", "gan", "autoencoder"):
            thing.family, thing.also = family, (first.family,)
        else:
            recurrent = tuple(name for name in (family, *also) if name == "rnn")
            thing.family, thing.also = first.family, (*more, *recurrent)
        for name in ("checkpoint", "weights", "encoder", "pretrained"):
            if name in first.settings:
                thing.settings.setdefault(name, first.settings[name])
        return
    thing.family, thing.also = family, also


def _within(reader: "Reading", thing: Thing, depth: int) -> list[Thing]:
    found: list[Thing] = []
    if depth > 6:
        return found
    for number in thing.members:
        member = reader.things[number]
        if member is thing or member.kind not in ("network", "model"):
            continue
        if member not in found:
            found.append(member)
        for inner in _within(reader, member, depth + 1):
            if inner is not thing and inner not in found:
                found.append(inner)
    return found
