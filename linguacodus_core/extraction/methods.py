"""What methods of values mean: fit, predict, split, to_csv; blends and averages of predictions."""

import ast
import re
from typing import TYPE_CHECKING, Final

from linguacodus_core.extraction import (
    datafunctions,
    framemethods,
    manualsplits,
    models,
    networks,
    splits,
    training,
)
from linguacodus_core.extraction.columns import columns_of
from linguacodus_core.extraction.constants import key_of
from linguacodus_core.extraction.modelcatalog import MODELS
from linguacodus_core.extraction.scopes import Function, Refs, merged
from linguacodus_core.extraction.vocabulary import word_set

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

FITS: Final = word_set(
    "fit partial_fit fit_generator fit_one_cycle fine_tune fit_predict train_on_batch finetune tune "
    "train_model "
    "search fit_tune train fit_transform_ learn"
)
PREDICTS: Final = word_set(
    "predict predict_proba decision_function predict_log_proba predict_generator forecast get_forecast "
    "generate "
    "predict_on_batch get_preds forward predict_classes kneighbors inference predict_df predict_batch "
    "encode score "
    "evaluate test predict_multi transform_"
)
SINKS: Final = word_set("to_csv to_parquet write_csv write_parquet to_feather to_json sink_csv")
_GATHERS: Final = word_set("append extend add update insert assign_ setdefault")
_WRITTEN: Final = re.compile(r"sub(mission|m|s)?|predict|answer|result|output|final", re.IGNORECASE)


def method(reader: "Reading", node: ast.Call, func: ast.Attribute) -> Refs:
    """A call of a method; what its value carries."""
    name = func.attr
    start = len(reader.scope.layers)
    owner = func.value
    own = reader.defined(f"self.{name}") if isinstance(owner, ast.Name) and owner.id == "self" else None
    receiver = reader.see(owner)
    if isinstance(own, Function):
        positional = [reader.see(argument) for argument in node.args]
        named = {keyword.arg: reader.see(keyword.value) for keyword in node.keywords}
        reader.enter(own, node.args, {k.arg: k.value for k in node.keywords if k.arg})
        if name in PREDICTS or name in FITS:
            reader.touch(receiver, fitted=name in FITS, applied=name in PREDICTS)
        return reader.passed(own, positional, named)
    mine = _own_method(reader, receiver, name)
    if mine is not None:
        positional = [reader.see(argument) for argument in node.args]
        named = {keyword.arg: reader.see(keyword.value) for keyword in node.keywords}
        returned = reader.passed(mine, positional, named)
        if name in FITS or name in PREDICTS:
            reader.touch(receiver, fitted=name in FITS, applied=name in PREDICTS)
        return merged(returned, receiver if name in FITS or name in PREDICTS or not returned else ())
    arguments = reader.arguments(node)
    hand_over(reader, node, arguments)
    carried = merged(receiver, arguments)
    framemethods.method(reader, node, func)
    if name in FITS:
        return _fit(reader, node, name, receiver, arguments)
    if name in PREDICTS:
        if receiver:
            reader.touch(receiver, applied=True)
            return carried
        return arguments
    if name in SINKS:
        _sink(reader, node, owner, receiver)
        return ()
    if name == "split":
        found = reader.kinds(receiver, "splitter")
        if found:
            splits.split_method(reader, node, found)
        return merged(receiver, arguments)
    if name in ("clip", "round") and receiver:
        datafunctions.called(reader, node, name, name, receiver)
    if name == "train_test_split":
        splits.called(reader, node, name, name, arguments)
        return carried
    if name == "get_n_splits":
        return ()
    if name in ("fit_transform", "transform", "fit_resample", "inverse_transform"):
        _transformed(reader, node, receiver)
        return merged(reader.kinds(receiver, "model", "network", "parameter"), arguments)
    if name == "compile":
        training.compiled(reader, node)
        return receiver
    if name == "add" and reader.kinds(receiver, "network"):
        networks.add_layer(reader, receiver, start)
        for ref in reader.kinds(arguments, "network"):
            if ref not in receiver:
                reader.things[receiver[0]].members.append(ref)
                reader.things[ref].inner = True
        return receiver
    if name in _GATHERS:
        _gather(reader, node, owner, arguments)
        return carried
    if name == "backward":
        reader.touch(reader.kinds(receiver, "network", "model", "parameter"), fitted=True)
        reader.note("loop", "backward", (), "", node.lineno)
    elif name == "apply_gradients":
        reader.note("loop", "custom", (), "", node.lineno)
        reader.touch(reader.kinds(carried, "network", "model", "parameter"), fitted=True)
    elif name == "optimize":
        reader.touch(reader.kinds(arguments, "model", "network"), fitted=True)
    elif name == "batch":
        training._batch(reader, node.args[0] if node.args else None, node.lineno)
    elif name == "serve" or name == "run_local_gateway":
        reader.sinks.append(("inference server", carried, node.lineno))
    elif name in ("set_params", "load_state_dict", "load_weights", "load_model"):
        if name == "set_params":
            values, tuned = models.settings_of(reader, node)
            for ref in reader.kinds(receiver, "model"):
                reader.things[ref].settings.update(values)
                reader.things[ref].tuned.extend(tuned)
        return receiver if name != "load_model" else carried
    elif name in (
        "suggest_int",
        "suggest_float",
        "suggest_categorical",
        "suggest_uniform",
        "suggest_loguniform",
    ):
        return ()
    elif name == "get_clone" or name == "clone":
        return receiver
    elif name == "words":
        datafunctions.called(reader, node, ast.unparse(func), "words", arguments)
    return carried


def hand_over(reader: "Reading", node: ast.Call, arguments: Refs) -> None:
    """What stands beside a function of the code is passed to it.

    `pool.map(function, models)`, `Thread(target=function, args=(model,))`.
    """
    if not arguments:
        return
    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
        if isinstance(argument, ast.Name):
            defined = reader.defined(argument.id)
            if isinstance(defined, Function):
                for number in defined.parameters.values():
                    given = dict.fromkeys(ref for ref in arguments if ref != number)
                    reader.things[number].bindings.update(given)


def _own_method(reader: "Reading", receiver: Refs, name: str) -> Function | None:
    """The method of that name of a class of the code, where the receiver is an instance of it."""
    for ref in receiver:
        defined = reader.instances.get(ref)
        if defined is not None and name in defined.methods:
            return defined.methods[name]
    return None


def _fit(reader: "Reading", node: ast.Call, name: str, receiver: Refs, arguments: Refs) -> Refs:
    modelled = reader.kinds(receiver, "model", "network", "parameter", "search")
    if modelled:
        reader.touch(receiver, fitted=True)
        if reader.folds and reader.kinds(receiver, "search"):
            _nested(reader)
        training.fit_options(reader, node)
        if name == "fit" and len(node.args) == 2:
            splits.note_target(reader, node.args[1])
        return receiver
    inside = reader.kinds(arguments, "network", "model")
    if inside and name in ("fit", "train", "search"):
        reader.touch(inside, fitted=True)
        return merged(receiver, arguments)
    if reader.kinds(receiver, "transformer"):
        _transformed(reader, node, receiver)
    elif name in ("fit", "fit_generator") and any(
        k.arg in ("epochs", "steps_per_epoch") for k in node.keywords
    ):
        training.fit_options(reader, node)
    return merged(receiver, arguments) if inside else receiver


def _nested(reader: "Reading") -> None:
    for position, split in enumerate(reader.splits):
        if split.purpose == "evaluation" and split.scheme.endswith("kfold"):
            reader.splits[position] = split.model_copy(update={"scheme": "nested"})


def _transformed(reader: "Reading", node: ast.Call, receiver: Refs) -> None:
    """`scaler.fit_transform(train[columns])`: the transformer's step gets its columns."""
    for ref in reader.kinds(receiver, "transformer"):
        thing = reader.things[ref]
        if thing.step < 0:
            continue
        reader.noted += 1
        step = reader.steps[thing.step]
        step.dead = step.dead and reader.dead
        if node.args and len(step.columns) < 40:
            columns = columns_of(reader, node.args[0])
            if columns == () and reader.assigning is not None and isinstance(reader.assigning, ast.Subscript):
                columns = columns_of(reader, reader.assigning)
            step.columns.update(dict.fromkeys(columns))


def applied(reader: "Reading", node: ast.Call, carried: Refs, arguments: Refs) -> Refs:
    """`model(x)`: a network applied to a batch, a tokenizer to texts, a lambda to anything."""
    reader.touch(reader.kinds(carried, "network", "model", "parameter"), applied=True)
    return merged(carried, arguments)


def _sink(reader: "Reading", node: ast.Call, owner: ast.expr, receiver: Refs) -> None:
    """`submission.to_csv("submission.csv")`."""
    path = None
    options = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    for argument in (*node.args[:1], options.get("path_or_buf"), options.get("path"), options.get("file")):
        if argument is not None and path is None:
            path = reader.constant(argument)
    name = path.rsplit("/", 1)[-1] if isinstance(path, str) else ""
    key = key_of(owner) or ""
    told = f"{name} {key}"
    if _WRITTEN.search(told) or reader.kinds(receiver, "model", "network", "parameter"):
        reader.sinks.append((name or key, receiver, node.lineno))


def _gather(reader: "Reading", node: ast.Call, owner: ast.expr, arguments: Refs) -> None:
    """`models.append(model)`: the list carries what was put into it."""
    key = key_of(owner)
    base = owner
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    if key is not None and getattr(node.func, "attr", "") == "update":
        _updated(reader, key, owner, node)
    if not arguments:
        return
    for name in filter(None, dict.fromkeys((key, base.id if isinstance(base, ast.Name) else None))):
        if name != "self":
            reader.scope_of(owner).refs[name] = merged(reader.refs_of(name), arguments)
    if node.args:
        gathered(reader, owner, node.args[0], arguments)


def _updated(reader: "Reading", key: str, owner: ast.expr, node: ast.Call) -> None:
    """`params.update({"x": 1})`, `params.update(x=1)`: the mapping knows the new items."""
    before = reader.lookup(key)
    if not isinstance(before, ast.Dict) or len(before.keys) > 60:
        return
    more: list[tuple[ast.expr | None, ast.expr]] = [
        (ast.Constant(keyword.arg), keyword.value) for keyword in node.keywords if keyword.arg
    ]
    if node.args and isinstance(node.args[0], ast.Dict | ast.Name) and getattr(node.args[0], "id", "") != key:
        more.append((None, node.args[0]))
    keys = [*before.keys, *(name for name, _ in more)]
    reader.scope_of(owner).nodes[key] = ast.Dict(keys, [*before.values, *(value for _, value in more)])


def gathered(reader: "Reading", target: ast.expr, value: ast.expr, refs: Refs) -> None:
    """Predictions of a fold are added to a sum or a list."""
    key = key_of(target) or ""
    predicted = [ref for ref in refs if reader.things[ref].applied]
    if (
        reader.folds
        and predicted
        and not re.search(r"oof|val|score|importance|model|train|acc|loss", key, re.IGNORECASE)
    ):
        if isinstance(value, ast.Call) and _is_constructor(value):
            return
        models.note_ensemble(reader, "fold average", (), target.lineno)


def _is_constructor(node: ast.Call) -> bool:
    return getattr(node.func, "id", getattr(node.func, "attr", "")) in MODELS


def blended(reader: "Reading", carried: list[tuple[ast.expr, Refs]], line: int) -> None:
    """`0.6 * lgb_pred + 0.4 * xgb_pred`: predictions of several models in one sum."""
    parts: list[tuple[float | None, Refs]] = []
    for term, refs in carried:
        own = tuple(ref for ref in reader.kinds(refs, "model", "network") if reader.things[ref].applied)
        if not own:
            continue
        weight: float | None = None
        if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult | ast.Div):
            for side in (term.left, term.right):
                known = reader.constant(side)
                if isinstance(known, int | float) and not isinstance(known, bool):
                    weight = known if isinstance(term.op, ast.Mult) else 1 / known if known else None
        parts.append((weight, own))
    if len(parts) < 2 or len({own for _, own in parts}) < 2:
        return
    members = tuple(own[0] for _, own in parts)
    if len(set(members)) < 2 and all(weight is None for weight, _ in parts):
        return
    weights = [f"{weight:.6g}" for weight, _ in parts if weight is not None]
    detail = ", ".join(weights) if len(weights) == len(parts) else ""
    models.note_ensemble(reader, "blend", members, line, detail)


def is_fold_loop(reader: "Reading", node: ast.For, refs: Refs) -> bool:
    """Whether a loop runs over folds: over what a splitter yields, or counted by a name like fold."""
    training.epoch_loop(reader, node)
    splitters = reader.kinds(refs, "splitter")
    if splitters:
        if not reader.things[splitters[0]].fitted:
            splits.used(reader, splitters, "evaluation", node.lineno)
        return True
    return manualsplits.counts_folds(reader, node)
