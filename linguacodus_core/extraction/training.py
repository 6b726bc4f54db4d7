"""How models are fitted: optimizers, losses, rounds, early stopping, weights, metrics."""

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from linguacodus_core.extraction.evidence import Split
from linguacodus_core.extraction.names import library
from linguacodus_core.extraction.networkcatalog import NETWORK_LIBRARIES
from linguacodus_core.extraction.splits import in_fit, keep
from linguacodus_core.extraction.stepcatalog import (
    CALLBACKS,
    LOSS_NAMES,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    SCHEDULES,
)

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading

_NETWORKS: Final = NETWORK_LIBRARIES | {
    "transformers",
    "pytorch_lightning",
    "lightning",
    "timm",
    "torch_optimizer",
    "bitsandbytes",
    "segmentation_models_pytorch",
    "segmentation_models",
    "focal_loss",
    "torchmetrics",
}


def _options(node: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def called(
    reader: "Reading", node: ast.Call, full: str, last: str, root: str, arguments: tuple[int, ...]
) -> None:
    """Note what a library's function sets for training."""
    options = _options(node)
    networks = root in _NETWORKS or root == last
    if last in OPTIMIZERS and networks:
        rate = options.get(
            "lr",
            options.get(
                "learning_rate", node.args[0] if node.args and not root.startswith("torch") else None
            ),
        )
        known = reader.constant(rate)
        if rate is not None and isinstance(rate, ast.Call):
            known = _scheduled(reader, rate)
        reader.note("optimizer", last, (), _word(known) if _number(known) else "", node.lineno)
    elif last in LOSSES and networks:
        reader.note("loss", LOSSES[last], (), "", node.lineno)
    elif last in SCHEDULES and (networks or root == "timm"):
        reader.note("schedule", SCHEDULES[last], (), "", node.lineno)
    elif last in METRICS and root in ("sklearn", "scipy", "torchmetrics", "keras", last):
        reader.note("metric", METRICS[last], (), "", node.lineno)
    elif last in CALLBACKS:
        kind, how = CALLBACKS[last]
        detail = ""
        if kind == "stop":
            patience = options.get("patience", options.get("stopping_rounds", options.get("rounds")))
            if patience is None and node.args and last == "early_stopping":
                patience = node.args[0]
            detail = _word(reader.constant(patience))
        if last == "LoraConfig":
            rank = reader.constant(options.get("r"))
            detail = f"rank {rank}" if _number(rank) else ""
        reader.note(kind, how, (), detail, node.lineno)
    elif last == "DataLoader":
        _batch(reader, options.get("batch_size", node.args[1] if len(node.args) > 1 else None), node.lineno)
    elif last in ("TrainingArguments", "Seq2SeqTrainingArguments", "SFTConfig"):
        _arguments(reader, options, node.lineno)
    elif last.endswith("Trainer") and "eval_dataset" in options:
        keep(reader, Split(scheme="holdout", how="eval_dataset", line=node.lineno))
    elif last == "Trainer" and library(full) in ("pytorch_lightning", "lightning"):
        _epochs(reader, options.get("max_epochs"), node.lineno)
    elif last in ("TFRecordDataset",):
        reader.note("image", "TFRecords", (), "", node.lineno)
    elif last == "make_scorer":
        pass
    elif last == "GradientTape":
        reader.note("loop", "custom", (), "", node.lineno)


def _scheduled(reader: "Reading", node: ast.Call) -> Any:
    first = _options(node).get("initial_learning_rate", node.args[0] if node.args else None)
    return reader.constant(first)


def _batch(reader: "Reading", value: ast.expr | None, line: int) -> None:
    known = reader.constant(value)
    if isinstance(known, int) and not isinstance(known, bool) and known > 1:
        reader.note("batch", "", (), str(known), line)


def _epochs(reader: "Reading", value: ast.expr | None, line: int) -> None:
    known = reader.constant(value)
    if isinstance(known, int) and not isinstance(known, bool) and 0 < known < 100_000:
        reader.note("epochs", "", (), str(known), line)


def _arguments(reader: "Reading", options: dict[str, ast.expr], line: int) -> None:
    """transformers.TrainingArguments."""
    _epochs(reader, options.get("num_train_epochs"), line)
    _batch(reader, options.get("per_device_train_batch_size"), line)
    rate = reader.constant(options.get("learning_rate"))
    optimizer = reader.constant(options.get("optim"))
    if _number(rate):
        reader.note(
            "optimizer", "8-bit AdamW" if "8bit" in str(optimizer) else "AdamW", (), _word(rate), line
        )
    if reader.constant(options.get("fp16")) or reader.constant(options.get("bf16")):
        reader.note("precision", "mixed precision", (), "", line)
    kind = reader.constant(options.get("lr_scheduler_type"))
    if isinstance(kind, str):
        reader.note(
            "schedule",
            {"cosine": "cosine decay", "linear": "linear decay"}.get(kind, kind.replace("_", " ")),
            (),
            "",
            line,
        )


def compiled(reader: "Reading", node: ast.Call) -> None:
    """`model.compile(optimizer=..., loss=..., metrics=[...])`."""
    options = _options(node)
    optimizer = options.get("optimizer", node.args[0] if node.args else None)
    known = reader.constant(optimizer)
    if isinstance(known, str):
        name = next((o for o in sorted(OPTIMIZERS, reverse=True) if o.lower() == known.lower()), known)
        reader.note("optimizer", name, (), "", node.lineno)
    loss = options.get("loss", node.args[1] if len(node.args) > 1 else None)
    known = reader.constant(loss)
    if isinstance(known, str):
        reader.note("loss", LOSS_NAMES.get(known.lower(), known.replace("_", " ")), (), "", node.lineno)
    metrics = reader.constant(options.get("metrics"))
    if isinstance(metrics, list):
        for metric in metrics:
            if isinstance(metric, str):
                reader.note(
                    "metric",
                    {"acc": "accuracy", "mae": "mean absolute error", "auc": "ROC AUC"}.get(
                        metric.lower(), metric.replace("_", " ")
                    ),
                    (),
                    "",
                    node.lineno,
                )


def fit_options(reader: "Reading", node: ast.Call) -> None:
    """Options of fit: epochs, batch size, early stopping, weights."""
    options = _options(node)
    line = node.lineno
    _epochs(reader, options.get("epochs", options.get("max_epochs", options.get("nb_epoch"))), line)
    _batch(reader, options.get("batch_size"), line)
    boosting_options(reader, options, line)
    for name, words in (("class_weight", "class weights"), ("sample_weight", "sample weights")):
        given = options.get(name)
        if given is not None and not (isinstance(given, ast.Constant) and given.value is None):
            reader.note("weights", words, (), "", line)
    in_fit(reader, options, line)


def boosting_options(reader: "Reading", options: dict[str, ast.expr], line: int) -> None:
    """Early stopping of boosting."""
    for name in ("early_stopping_rounds", "early_stopping_round"):
        known = reader.constant(options.get(name))
        if _number(known) and known > 0:
            reader.note("stop", "", (), _word(known), line)


def epoch_loop(reader: "Reading", node: ast.For) -> None:
    """`for epoch in range(EPOCHS)`."""
    if not (isinstance(node.target, ast.Name) and re.match(r"epoch|ep$|_?e$|iter", node.target.id)):
        return
    iterated = node.iter
    if (
        isinstance(iterated, ast.Call)
        and iterated.args
        and getattr(iterated.func, "id", getattr(iterated.func, "attr", ""))
        in ("tqdm", "trange", "enumerate")
    ):
        iterated = iterated.args[0]
    if (
        isinstance(iterated, ast.Call)
        and getattr(iterated.func, "id", "") in ("range", "trange")
        and iterated.args
        and node.target.id.startswith("ep")
    ):
        last = iterated.args[1] if len(iterated.args) > 1 else iterated.args[0]
        if (
            isinstance(last, ast.BinOp)
            and isinstance(last.op, ast.Add)
            and isinstance(last.right, ast.Constant)
            and last.right.value == 1
        ):
            last = last.left
        _epochs(reader, last, node.lineno)
