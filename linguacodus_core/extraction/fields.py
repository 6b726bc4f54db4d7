"""The record of an instruction, which every extractor writes: prose, and fields of closed vocabularies."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from linguacodus_core.extraction.vocabulary import FAMILIES, VALIDATIONS, word_set

Value = bool | int | float | str
HEADINGS: Final = ("Data preprocessing", "Model architecture", "Model training")
MOST_WORDS: Final = 150
PROSE_LENGTH: Final = 700
MOST_LIBRARIES: Final = 10
MOST_FAMILIES: Final = 6
MOST_FEATURES: Final = 12
MOST_HYPERPARAMETERS: Final = 14


def _known(vocabulary: dict[str, str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in vocabulary:
            raise ValueError(f"{name!r} is none of {', '.join(vocabulary)}")
        return name

    return AfterValidator(check)


Family = Annotated[str, _known(FAMILIES)]
Validation = Annotated[str, _known(VALIDATIONS)]


class InstructionFields(BaseModel):
    """What a solution does: prose of three sections, and the same in fields.

    libraries: import names (sklearn, lightgbm, ...), the most telling first. families: of FAMILIES, the main
    predictive one first. validation: of VALIDATIONS. features: short steps from raw data to model input.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    preprocessing: str
    architecture: str
    training: str
    libraries: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    validation: Validation = "none"
    features: tuple[str, ...] = ()
    hyperparameters: dict[str, Value] = Field(default_factory=dict)


def instruction_schema() -> dict[str, Any]:
    """The JSON schema that a model fills, in the subset that OpenAI's strict mode takes.

    Every property is required and none may be added; hyper-parameters are a list of name and value, since a
    free mapping is not allowed there. Lengths are bounded, so that constrained decoding ends.
    """

    def texts(most: int, length: int, about: str) -> dict[str, Any]:
        items = {"type": "string", "maxLength": length}
        return {"type": "array", "items": items, "maxItems": most, "description": about}

    pair = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 40},
            "value": {"type": "string", "maxLength": 40},
        },
        "required": ["name", "value"],
        "additionalProperties": False,
    }
    prose = {"type": "string", "maxLength": PROSE_LENGTH}
    properties: dict[str, Any] = {
        "preprocessing": prose | {"description": "what becomes of the data, with the names of the columns"},
        "architecture": prose | {"description": "the model or models, with the values of hyper-parameters"},
        "training": prose | {"description": "fitting, validation, ensembling, and how predictions are made"},
        "libraries": texts(MOST_LIBRARIES, 30, "import names of the libraries that do the work"),
        "families": {
            "type": "array",
            "items": {"type": "string", "enum": list(FAMILIES)},
            "maxItems": MOST_FAMILIES,
            "description": "kinds of model that are fitted or applied, the main one first",
        },
        "validation": {"type": "string", "enum": list(VALIDATIONS), "description": "how it is validated"},
        "features": texts(MOST_FEATURES, 80, "steps from raw data to model input, a few words each"),
        "hyperparameters": {
            "type": "array",
            "items": pair,
            "maxItems": MOST_HYPERPARAMETERS,
            "description": "of the main model, as the code sets them",
        },
    }
    return {
        "type": "object",
        "title": "InstructionFields",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _number(text: str) -> Value:
    """The value that a text spells: true, 5, 0.05, 1e-3, or the text itself."""
    bare = text.strip()
    if bare.lower() in ("true", "false"):
        return bare.lower() == "true"
    if re.fullmatch(r"[-+]?\d{1,15}", bare):
        return int(bare)
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", bare):
        return float(bare)
    return bare


def _strings(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value).strip() for value in values if str(value).strip()))


def from_reply(reply: dict[str, Any]) -> InstructionFields:
    """The record that a reply under `instruction_schema` means; doubles are dropped, numbers read.

    Raises pydantic.ValidationError where a reply is outside the vocabularies, KeyError for a missing field.
    """
    pairs = [
        (str(pair["name"]).strip(), _number(str(pair["value"]).strip(" ,;:=\t\n")))
        for pair in reply["hyperparameters"]
        if str(pair["name"]).strip() and str(pair["value"]).strip()
    ]
    return InstructionFields(
        preprocessing=_prose(reply["preprocessing"], HEADINGS[0]),
        architecture=_prose(reply["architecture"], HEADINGS[1]),
        training=_prose(reply["training"], HEADINGS[2]),
        libraries=_strings(_import_name(str(name)) for name in reply["libraries"]),
        families=_strings(reply["families"]),
        validation=reply["validation"],
        features=_strings(reply["features"]),
        hyperparameters=dict(pairs),
    )


def _prose(text: str, heading: str) -> str:
    """The text of one section without the heading that a model likes to repeat."""
    return re.sub(rf"\A\W*{heading}\W*:\s*", "", " ".join(str(text).split()), flags=re.IGNORECASE)


_SPELLINGS: Final = {
    "scikit-learn": "sklearn",
    "scikit_learn": "sklearn",
    "scikitlearn": "sklearn",
    "pytorch": "torch",
    "opencv": "cv2",
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pil": "PIL",
    "pytorch-lightning": "pytorch_lightning",
    "pytorch lightning": "pytorch_lightning",
    "lightning": "pytorch_lightning",
    "imbalanced-learn": "imblearn",
    "category-encoders": "category_encoders",
    "sentence-transformers": "sentence_transformers",
    "huggingface transformers": "transformers",
    "hugging face transformers": "transformers",
    "segmentation-models-pytorch": "segmentation_models_pytorch",
    "tf": "tensorflow",
    "beautifulsoup": "bs4",
    "beautifulsoup4": "bs4",
    "biopython": "Bio",
    "autogluon.tabular": "autogluon",
}


def _import_name(name: str) -> str:
    """sklearn for scikit-learn, torch for PyTorch, tensorflow for tensorflow.keras, ..."""
    bare = name.strip()
    found = _SPELLINGS.get(bare.lower())
    if found:
        return found
    top = bare.split(".")[0].strip()
    return top.lower() if top.lower() in _LOWER else top


_LOWER: Final = word_set(
    "lightgbm xgboost catboost tensorflow keras torch numpy pandas sklearn transformers optuna"
)


def as_text(fields: InstructionFields) -> str:
    """Three short paragraphs that begin "Data preprocessing:", "Model architecture:", "Model training:".

    At most about MOST_WORDS words: the longest section gives up sentences from its end, then clauses.
    """
    sections = [_sentences(text) for text in (fields.preprocessing, fields.architecture, fields.training)]
    while sum(_words(section) for section in sections) > MOST_WORDS:
        longest = max((section for section in sections if len(section) > 1), key=_words, default=None)
        if longest is not None:
            longest.pop()
            continue
        longest = max(sections, key=_words)
        clauses = longest[0].rsplit("; ", 1)
        if len(clauses) < 2:
            break
        longest[0] = clauses[0] + "."
    named = zip(HEADINGS, sections, strict=True)
    return "\n\n".join(f"{heading}: {' '.join(sentences)}" for heading, sentences in named if sentences)


def _words(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])", " ".join(text.split())) if part]
