"""Where a text names model families, in a static instruction's words and in those of free prose."""

import re
from dataclasses import dataclass
from typing import Final

from linguacodus_core.extraction.claims import FAMILY_WORDS
from linguacodus_core.extraction.modelcatalog import MODELS
from linguacodus_core.extraction.networkcatalog import FASTAI, family_of_checkpoint

_FLAGS: Final = re.IGNORECASE

_MORE: Final = {
    "pretrained_cnn": r"\bpre-?trained (\w+ )?(cnns?\b|conv\w*( neural)? net(work)?s?|image (network|"
    r"backbone)s?)|\b(efficient_?net|res_?net|resnext|densenet|inception|xception|mobilenet|vgg|convnext|"
    r"nfnet|regnet)\w*",
    "vision_transformer": r"\b(pre-?trained )?vision transformers?|\bdinov?\d?\w*|\bswin\w*",
    "cnn": r"\bconv(olutional|olution|nets?)\b( neural)?( net(work)?s?)?|\b[123]-?d[- ](cnns?|conv\w*)",
    "rnn": r"\bconvolutional and [\w ]{0,30}(lstm|gru|recurrent)\b[\w ]{0,12}network|"
    r"\bcnn[-+ ]+(bi-?)?(lstm|gru)|\b(bidirectional )?(lstm|gru)s?\b|\brecurrent\b",
    "transformer": r"\b(pre-?trained|small|language|text) transformers?( encoders?| model)?|"
    r"\btransformer[- ](encoder|model|network|based|of)\b|\bsentence[- ]?transformers?\b|\besm-?\d\w*|"
    r"\b\w*bert(a)?(v\d)?\b",
    "segmentation": r"\bu-?net(\+\+|plusplus|\w*)|\bmask[\s_-]?r-?cnn\w*|segmentation (network|model|"
    r"head)s?|\b(fpn|linknet|pspnet|deeplab\w*|segformer\w*)\b",
    "detection": r"\b(object|keypoint)[- ]detect(ors?|ion)\b|\ba detector\b|\byolo\w*",
    "mlp": r"\bfully[-\s]connected( \w+)? net(work)?s?|\bdense (neural )?net(work)?s?|"
    r"\bmulti-?layer perceptrons?|\bfeed-?forward\b|\bn-?beats\b|\bfasttext\b|\bsequential (keras |"
    r"neural )?(model|network)\b",
    "tabular_network": r"\btab(net|pfn|m|icl|transformer)\w*\b|\brealmlp\w*",
    "gan": r"\b(cycle|dc|style|w|c|pix2pix)?-?gans?\b|generative adversarial( net(work)?s?)?",
    "autoencoder": r"\b(variational |denoising )?auto-?encoders?\b",
    "diffusion": r"\b(latent |stable )?diffusion( model| pipeline)?s?\b|\bddpm\b",
    "graph_network": r"\bgraph (neural |convolutional |attention )?net(work)?s?\b|\bg(nn|cn|at)s?\b",
    "llm": r"\b(large |causal |generative )language models?\b|\b(gpt|llama|gemma|qwen|mistral|phi)-?[\w.]*",
    "svm": r"\bkernel ridge( regression)?|\bsupport[-\s]vector( machine| classifier| regressor|"
    r" regression)?s?",
    "linear": r"\b(generali[sz]ed )?linear (regressors?|classifiers?|models?|regressions?)|"
    r"\bordinary least squares|\bpartial least squares( regression)?|\bquantile regression|\bperceptron\b|"
    r"\bsgd[-\s]?(classifier|regressor)|\b(logistic|ridge|lasso|bayesian ridge|"
    r"multinomial)( linear)? (regression|regressors?|classifiers?|models?)|\bglm\b|\bsoftmax regression",
    "knn": r"\bnearest[-\s]neighbou?rs?( search)?|\bk-?nn\b(?! ?imput)|\bk[-\s]nearest[-\s]neighbou?rs?",
    "decision_tree": r"\bdecision[-\s]trees?\b",
    "gradient_boosting": r"\bgradient[-\s]boost(ing|ed)( decision| regression)?( trees?| machines?|"
    r" models?| ensembles?| classifiers?| regressors?)?|\bgbm\b|\bgbdts?\b|\bboosted (decision )?trees?|"
    r"\bngboost\b|\bexplainable boosting\w*|\bgradientboosting\w+",
    "hist_gradient_boosting": r"\bhist(ogram)?[-\s]?(based )?gradient[-\s]?boosting\w*( trees?| models?|"
    r" classifiers?| regressors?)?",
    "gaussian_process": r"\bgaussian[-\s]process(es)?\b",
    "statistical_series": r"\b(auto_?|s)?arimax?\b|\bsarimax?\b|\bautoreg\b|\bneuralprophet\b|\bholt\b|"
    r"\bets\b|\b(vector )?autoregressi\w+ model",
    "automl": r"\bautogluon\w*|\bpycaret\b|\bflaml\b|\bh2o ?automl\b|\blazy ?(predict|classifiers?|"
    r"regressors?)\b|\bauto-?sklearn\b",
    "submission_blend": r"\b(predictions|outputs?|results) (of|from) (other|several|public|different|"
    r"existing) (\w+ )?submissions?|\b(blend|average|averaging|blending|ensembl\w+) (of |"
    r"over )?(the )?(\w+ )?submission( file)?s\b|\bother submissions\b",
    "rule_based": r"\bno model is (fitted|trained)|\brule[-\s]based\b|\bfollow from rules\b|\bheuristics?\b",
    "clustering": r"\bk-?means\b|\bclustering\b|\bdbscan\b|\bgaussian mixtures?\b",
}  # fmt: skip
_SOURCES: Final = (
    {name: pattern.pattern for name, pattern in FAMILY_WORDS.items()},
    _MORE,
    {
        "mlp": r"\b(artificial |deep |shallow |simple )?neural net(work)?s?\b|\bdeep learning( model)?\b|"
        r"\bann\b|\bdnn\b"
    },
    {
        "transformer": r"(?<!column )(?<!power )(?<!quantile )(?<!function )(?<!feature )(?<!custom )"
        r"\btransformers?\b"
    },
)
_PATTERNS: Final = tuple(
    (family, re.compile(pattern, _FLAGS)) for table in _SOURCES for family, pattern in table.items()
)
_CLASSES: Final = {**MODELS, **FASTAI}
_NAMES: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_./+][A-Za-z0-9+]+)*")
_NAME_LIKE: Final = re.compile(r"\d|[-_]|[a-z][A-Z]")
_NO_NAME: Final = re.compile(
    r"^(pre-?trained|fine-?tuned?|sentence-level|\w+_(loss|size|rate|id|col\w*))$", _FLAGS
)
_NO_MODEL: Final = re.compile(
    r"\A[-\s]*(imput\w+|interpolation|encod\w+|embeddings? (are|as)|features? (are|is)|loss\b|head\b|"
    r"layers? on|scal\w+|trend)", _FLAGS
)  # fmt: skip
_DENIED: Final = re.compile(
    r"\b(no|not|without|instead of|rather than|unlike|never|neither|nor|avoid\w*|outperform\w*|better than|"
    r"compared (with|to|against)|over a?)\b[^.,;:]{0,30}$", _FLAGS
)  # fmt: skip
_PLAIN: Final = frozenset({"cnn", "mlp", "transformer", "rnn"})
"""Network families whose words are also said of pretrained ones."""

_NAMED_AFTER: Final = re.compile(
    r"\A[\s(]*(?:, (?=implemented|trained|using|built|with|via|in ))?(?:[,:]? ?(?:specifically|namely|"
    r"called|named|such as|like|e\.g\.|i\.e\.),? ?)?(?:(?:model|network|backbone|encoder|architecture|"
    r"classifier|regressor|based|built|using|with|on|from|by|via|of|the|a|an|transfer|learning|"
    r"pre-?trained|fine-?tuned|weights|library|implementation|implemented|trained|framework|algorithm|"
    r"through|machine|trees?|in|that|is|uses|employing|as|pretraining|imagenet)[\s(:]+){0,8}\Z",
    _FLAGS,
)
_BRANDS: Final = frozenset({"lightgbm", "xgboost", "catboost", "hist_gradient_boosting"})


@dataclass(frozen=True)
class Mention:
    """One place of a text at which a family is named. words: as they stand there."""

    start: int
    end: int
    family: str
    words: str


def mentions_of(text: str) -> list[Mention]:
    """The families that a text names, in its order; where names overlap, the longest counts.

    A general word with its make behind it ("gradient boosting with LightGBM", "a CNN based on ResNet50") is
    one mention, of the make. What is denied or only compared with is none.
    """
    return _joined(text, _longest([*_by_words(text), *_by_name(text)]))


def _by_words(text: str) -> list[Mention]:
    return [
        Mention(hit.start(), hit.end(), family, hit.group())
        for family, pattern in _PATTERNS
        for hit in pattern.finditer(text)
        if hit.group() and _counts(text, hit.start(), hit.end())
    ]


def _by_name(text: str) -> list[Mention]:
    """Names of checkpoints and architectures ("tf_efficientnet_b0", "DeBERTa-v3")."""
    found = []
    for hit in _NAMES.finditer(text):
        name = hit.group()
        if not _NAME_LIKE.search(name) or _NO_NAME.search(name):
            continue
        family = _CLASSES.get(name) or family_of_checkpoint(name)
        if family and _counts(text, hit.start(), hit.end()):
            found.append(Mention(hit.start(), hit.end(), family, name))
    return found


def _counts(text: str, start: int, end: int) -> bool:
    return not _NO_MODEL.match(text[end : end + 30]) and not _DENIED.search(text[max(0, start - 60) : start])


def _longest(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda item: (item.start - item.end, item.start)):
        if all(mention.end <= other.start or mention.start >= other.end for other in kept):
            kept.append(mention)
    return sorted(kept, key=lambda item: item.start)


def _joined(text: str, found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in found:
        last = kept[-1] if kept else None
        if (
            last is not None
            and _narrows(last.family, mention.family)
            and _NAMED_AFTER.match(text[last.end : mention.start])
        ):
            kept[-1] = Mention(last.start, mention.end, mention.family, mention.words)
        else:
            kept.append(mention)
    return kept


def _narrows(general: str, special: str) -> bool:
    if general in ("gradient_boosting", "decision_tree"):
        return special in _BRANDS
    return general in _PLAIN and special in (
        "pretrained_cnn",
        "vision_transformer",
        "transformer",
        "segmentation",
        "cnn",
        "rnn",
        "tabular_network",
    )
