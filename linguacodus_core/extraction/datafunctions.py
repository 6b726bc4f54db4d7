"""What functions of libraries do to data: logarithms, resizing, cleaning of texts, joins, files."""

import ast
import re
from typing import TYPE_CHECKING, Any, Final

from linguacodus_core.extraction.columns import columns_of, name_in
from linguacodus_core.extraction.columnsteps import is_target, options_of
from linguacodus_core.extraction.framemethods import confirm_aggregates
from linguacodus_core.extraction.scopes import Refs
from linguacodus_core.extraction.stepcatalog import GENERATOR_OPTIONS

if TYPE_CHECKING:
    from linguacodus_core.extraction.reading import Reading


def called(reader: "Reading", node: ast.Call, full: str, last: str, arguments: Refs) -> None:
    """Note what a library's function does to data."""
    act = _FUNCTIONS.get(last)
    if act is not None:
        act(reader, node, full, arguments)


def _log(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if not full.startswith(("numpy", "tensorflow", "torch", "scipy", "jax")) or not node.args:
        return
    if reader.kinds(arguments, "model", "network"):
        return
    last = full.rsplit(".", 1)[-1]
    argument = node.args[0]
    columns = columns_of(reader, argument)
    name = name_in(argument) or ""
    if any(is_target(text) for text in (name, *columns)) or set(columns) & reader.targets:
        reader.note("target", last, columns or (name,), "", node.lineno)
    elif columns and reader.assigning is not None and full.startswith("numpy"):
        target = reader.assigning
        if isinstance(target, ast.Name) and is_target(target.id):
            reader.note("target", last, columns, "", node.lineno)
        elif isinstance(target, ast.Subscript):
            stored = columns_of(reader, target)
            if stored == columns:
                reader.note("transform", last, columns, "", node.lineno)


def _back(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if full.startswith("numpy") and any(reader.things[ref].applied for ref in arguments):
        reader.note("back", full.rsplit(".", 1)[-1], (), "", node.lineno)


def _bounded(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    """Predictions that are clipped or rounded."""
    if any(reader.things[ref].applied for ref in reader.kinds(arguments, "model", "network")):
        how = "clipped" if full.rsplit(".", 1)[-1] in ("clip", "maximum") else "rounded"
        reader.note("postprocess", how, line=node.lineno)


def _resized(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    root = full.split(".", 1)[0]
    if root not in ("cv2", "tensorflow", "torchvision", "albumentations", "skimage", "keras", "torch"):
        return
    options = options_of(node)
    size: Any = None
    for option in ("size", "dsize", "height", "output_shape", "target_size"):
        if option in options:
            size = reader.constant(options[option])
            break
    if size is None:
        position = 0 if root in ("torchvision", "albumentations") else 1
        if len(node.args) > position:
            size = reader.constant(node.args[position])
            if isinstance(size, int) and len(node.args) > position + 1:
                other = reader.constant(node.args[position + 1])
                size = [size, other] if isinstance(other, int) else size
    reader.note("image", "resized", (), image_size(size), node.lineno)


def image_size(size: Any) -> str:
    """224x224 of (224, 224), of [224, 224, 3] and of 224."""
    if isinstance(size, int) and not isinstance(size, bool) and size > 7:
        return f"{size}x{size}"
    if (
        isinstance(size, list)
        and len(size) >= 2
        and all(isinstance(item, int) for item in size[:2])
        and size[0] > 7
    ):
        return f"{size[0]}x{size[1]}"
    return ""


def _normalised(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if full.startswith(("torchvision", "albumentations")):
        reader.note("scale", "image normalisation", (), "", node.lineno)


def _generator(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    options = options_of(node)
    for name, words in GENERATOR_OPTIONS.items():
        if name in options and reader.constant(options[name]) not in (False, 0, 0.0):
            reader.note("augment", words, (), "", node.lineno)
    if "rescale" in options:
        reader.note("scale", "divided by 255", (), "", node.lineno)


def _stopwords(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if "stopwords" in full:
        reader.note("clean", "stop words removed", (), "", node.lineno)


def _regular(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if full.startswith(("re.", "regex.")):
        known = reader.constant(node.args[0]) if node.args else None
        pattern = known if isinstance(known, str) else ""
        how = "regular expressions"
        if "http" in pattern or "www" in pattern:
            how = "URLs removed"
        elif "<" in pattern and ">" in pattern:
            how = "HTML removed"
        elif re.search(r"\[\^a-z|\[\^A-Z|\[\^\\w|\\W|punct", pattern, re.IGNORECASE):
            how = "punctuation removed"
        reader.note("clean", how, (), "", node.lineno)


def _merge_function(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if full.startswith(("pandas", "polars", "cudf")):
        on = columns_of(reader, options_of(node).get("on"))
        confirm_aggregates(reader)
        reader.note("merge", "", on, "", node.lineno)


SUBMISSION_FILE: Final = re.compile(
    r"[\w{}./ -]*submi[\w{}. -]*\.(csv|tsv|parquet)$|[\w{}./ -]*/submi[^/]*$", re.IGNORECASE
)


def _read(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    known = reader.constant(node.args[0]) if node.args else None
    if isinstance(known, str) and is_other_submission(known):
        reader.note("other submission", "", (), folder_of(known), node.lineno)


def is_other_submission(path: str) -> bool:
    """Whether a path is that of a submission made elsewhere: no sample, and not the file just written."""
    lowered = path.lower()
    if (
        "sample" in lowered
        or "gender_submission" in lowered
        or len(path) > 200
        or not SUBMISSION_FILE.match(path)
    ):
        return False
    return "input" in lowered or lowered.rsplit("/", 1)[-1] not in (
        "submission.csv",
        "submission.tsv",
        "submission.parquet",
    )


def folder_of(path: str) -> str:
    """The folder that a file lies in, where a path names one."""
    parts = path.split("/")
    return (parts[-2] if len(parts) > 1 else parts[-1])[:40]


def _keras_tokenizer(reader: "Reading", node: ast.Call, full: str, arguments: Refs) -> None:
    if full.startswith(("tensorflow", "keras", "tf_keras")):
        words = reader.constant(options_of(node).get("num_words"))
        reader.note("tokenise", "Keras tokenizer", (), str(words or ""), node.lineno)


def tokenizer(reader: "Reading", node: ast.Call, owner: str) -> None:
    """AutoTokenizer.from_pretrained(...) and its like."""
    if "Tokenizer" in owner:
        reader.note("tokenise", "the model's tokenizer", (), "", node.lineno)


_FUNCTIONS: Final[dict[str, Any]] = {
    "log1p": _log,
    "log": _log,
    "expm1": _back,
    "exp": _back,
    "clip": _bounded,
    "round": _bounded,
    "rint": _bounded,
    "resize": _resized,
    "Resize": _resized,
    "Resizing": _resized,
    "load_img": _resized,
    "Normalize": _normalised,
    "ImageDataGenerator": _generator,
    "words": _stopwords,
    "sub": _regular,
    "merge": _merge_function,
    "read_csv": _read,
    "Tokenizer": _keras_tokenizer,
}
