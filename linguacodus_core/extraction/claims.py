"""What a text claims of a solution: families, tools, libraries, validation, in the words that people use."""

import re
from dataclasses import dataclass
from typing import Final

_FLAGS: Final = re.IGNORECASE


def _compiled(table: dict[str, str], flags: int = _FLAGS) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern, flags) for name, pattern in table.items()}


FAMILY_WORDS: Final = _compiled(
    {
        "lightgbm": r"\blight ?gbm\w*|\blgbm\w*|\blgb\b",
        "xgboost": r"\bxgboost\w*|\bxgb(classifier|regressor|ranker)?\b|extreme gradient boosting",
        "catboost": r"\bcatboost\w*",
        "hist_gradient_boosting": r"\bhist(ogram)?[-\s]?(based )?gradient[-\s]?boosting\w*",
        "gradient_boosting": r"\bgradientboosting(classifier|regressor)|sklearn gradient boosting|"
        r"scikit-learn('s)? gradient boosting",
        "random_forest": r"\brandom[-\s]?forests?\w*",
        "extra_trees": r"\bextra[-\s]?trees?\b|\bextratrees\w+|extremely randomi[sz]ed trees?",
        "decision_tree": r"(?<!boosted )(?<!boosting )\bdecision[-\s]?tree(?!s)\w*|single tree",
        "adaboost": r"\bada[-\s]?boost\w*",
        "elastic_net": r"\belastic[-\s]?net\w*",
        "linear": r"\b(linear|logistic|ridge|lasso|huber|poisson) regression\b|\blogisticregression\w*|"
        r"\blinearregression\b|"
        r"\bridge(cv|classifier)?\b(?! regression)|\blasso(cv)?\b(?! regression)|\blinear (model|"
        r"classifier)s?\b",
        "svm": r"\bsvms?\b|\bsvc\b|\bsvr\b|\blinearsv[cr]\b|support[-\s]vector",
        "knn": r"\bk-?nn\b|\bk[-\s]nearest|nearest[-\s]neighbou?rs? (classifier|regressor|model)|"
        r"\bkneighbors\w*",
        "naive_bayes": r"\bna[iï]ve[-\s]bayes|\b(gaussian|multinomial|bernoulli|complement)nb\b",
        "discriminant_analysis": r"discriminant analysis",
        "gaussian_process": r"\bgaussian[-\s]?process",
        "mlp": r"\bmlps?(classifier|regressor)?\b|multi-?layer perceptrons?|"
        r"fully[-\s]connected (neural )?network|feed-?forward (neural )?network",
        "tabular_network": r"\btabnet\w*|\btabpfn\w*|\bft-?transformer|\btabm\b",
        "cnn": r"\bcnns?\b|convolutional (neural )?net",
        "vision_transformer": r"\bvits?\b|vision transformer|\bswin\b|\bdino(v2|v3)?\b|\bclip model|\bsiglip",
        "segmentation": r"\bu-?net\b|\bdeeplab\w*|\bsegformer|segmentation (model|network)",
        "detection": r"\byolo\w*|faster[-\s]?r-?cnn|\bretinanet|\bdetr\b|object detector",
        "rnn": r"\brnns?\b|recurrent (neural )?network|\b(bi)?-?lstms?\b|\bgrus?\b(?! layer of)",
        "transformer": r"\b\w*bert\w*\b|\belectra\b|\bxlnet\b|\blongformer\b|\bt5\b|\besm-?2\b|"
        r"pretrained transformer",
        "llm": r"\bllama\b|\bllama[-\s]?\d|\bgemma\b|\bqwen\w*|\bmistral\b|\bgpt[-\s]?\w*|\bllms?\b|"
        r"large language model",
        "gan": r"\b(cycle)?gans?\b|generative adversarial",
        "autoencoder": r"\bauto-?encoders?\b|\bvae\b",
        "graph_network": r"\bgnns?\b|graph (neural|convolutional) network",
        "diffusion": r"diffusion model|stable diffusion",
        "statistical_series": r"\bs?arimax?\b|\bprophet\b|exponential smoothing|holt-?winters",
        "clustering": r"\bk-?means\b|\bdbscan\b|gaussian mixture",
        "automl": r"\bautogluon\b|\bh2o\b|\bpycaret\b|\bauto-?ml\b|\blightautoml\b|\btpot\b",
        "recommender": r"matrix factori[sz]ation|factori[sz]ation machine|\blightfm\b",
    }
)  # fmt: skip
"""Family -> how texts name it."""

GENERIC_WORDS: Final = _compiled(
    {
        "boosting": r"\bgradient[-\s]boost(ing|ed)|boosted trees",
        "network": r"\bneural net(work)?s?\b|deep learning",
        "transformers": r"\btransformers?\b",
    }
)
"""Words that name a group of families."""

TOOL_WORDS: Final = _compiled(
    {
        "StandardScaler": r"\bstandard ?scaler\b|\bstandardi[sz](ed|ation|ing|es)\b",
        "MinMaxScaler": r"\bmin-?max ?scal\w+",
        "RobustScaler": r"\brobust ?scaler\b",
        "SimpleImputer": r"\bsimpleimputer\b",
        "KNNImputer": r"\bknn ?imput\w+",
        "IterativeImputer": r"\biterative ?imput\w+",
        "LabelEncoder": r"\blabel ?encoder\b|\blabel[-\s]encod\w+",
        "OneHotEncoder": r"\bone-?hot[-\s]?encod\w+",
        "OrdinalEncoder": r"\bordinal ?encoder\b|\bordinal(ly)?[-\s]encod\w+",
        "TargetEncoder": r"\btarget[-\s]?encod\w+",
        "TfidfVectorizer": r"\btf-?idf\w*",
        "CountVectorizer": r"\bcount ?vectori[sz]er\b|bag[-\s]of[-\s]words",
        "PCA": r"\bpca\b|principal component",
        "SMOTE": r"\bsmote\b",
        "PolynomialFeatures": r"\bpolynomial ?features\b",
        "GridSearchCV": r"\bgrid ?search\w*",
        "RandomizedSearchCV": r"\brandomi[sz]ed ?search\w*|\brandom search\b",
        "EarlyStopping": r"\bearly[-\s]stopping\b|stops early",
        "Word2Vec": r"\bword2vec\b",
        "stacking": r"\bstacking\b|\bstacked\b|\ba stack of",
        "voting": r"\bvoting\b",
    }
)
"""Tool -> how texts name it."""

LIBRARY_WORDS: Final = _compiled(
    {
        "tensorflow": r"\btensorflow\b",
        "keras": r"\bkeras\b",
        "torch": r"\bpytorch\b",
        "optuna": r"\boptuna\b",
        "hyperopt": r"\bhyperopt\b",
        "nltk": r"\bnltk\b",
        "spacy": r"\bspacy\b",
        "timm": r"\btimm\b",
        "albumentations": r"\balbumentations\b",
        "fastai": r"\bfast\.?ai\b",
        "statsmodels": r"\bstatsmodels\b",
        "sklearn": r"\bscikit-learn\b|\bsklearn\b",
        "imblearn": r"\bimblearn\b|imbalanced-learn",
        "polars": r"\bpolars\b",
    }
)
"""Library, by its import name -> how texts name it."""

ARCHITECTURES: Final = re.compile(
    r"\b(efficientnet|resnext|resnet|densenet|inception|xception|mobilenet|vgg|convnext|nfnet|roberta|deberta|"
    r"distilbert|bert|electra|xlnet|swin|vit|dino|siglip|clip|llama|gemma|qwen|mistral|yolo|lstm|gru)(?![a-z])",
    re.IGNORECASE,
)
"""Architectures whose very name can be looked for in the code."""

_SCHEMES: Final = (
    ("nested", re.compile(r"\bnested (k-?fold |stratified )?cross[-\s]validation|nested cv", _FLAGS)),
    ("stratified_group_kfold", re.compile(r"stratified ?group ?k-?fold|StratifiedGroupKFold", _FLAGS)),
    ("repeated_kfold", re.compile(r"\brepeated (stratified )?(\w+-fold|k-?fold|cross)|"
    r"Repeated(Stratified)?KFold", _FLAGS)),
    ("stratified_kfold", re.compile(r"stratified[-\s]?(\w+-fold|k-?fold|cross)|\w+-fold stratified|"
    r"StratifiedKFold", _FLAGS)),
    ("group_kfold", re.compile(r"group(ed)?[-\s]?k-?fold|GroupKFold|groups kept together|"
    r"grouped cross", _FLAGS)),
    ("leave_one_out", re.compile(r"leave[-\s]one[-\s](group[-\s])?out", _FLAGS)),
    ("time_split", re.compile(r"time[-\s]?series[-\s]?split|time-based (split|validation|hold)|"
    r"walk-?forward|successive periods|latest rows|chronological", _FLAGS)),
    ("kfold", re.compile(r"\b(k|\d+|three|four|five|seven|ten)[-\s]?folds?\b|"
    r"cross[-\s]?validat\w+(?! penalty)|\bkfold\b", _FLAGS)),
    ("holdout", re.compile(r"\bhold-?outs?\b|train[_\s-]?test[_\s-]?split|train[-/\s]+(test|validation|"
    r"val) split|held (back|out)|validation (set|split) of|\d+ ?% (of the (data|rows) )?(for|"
    r"as) validation", _FLAGS)),
)  # fmt: skip
_FOLDS: Final = re.compile(
    r"\b(\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twenty)[-\s]folds?\b", _FLAGS
)
_CONSUMED: Final = re.compile(
    r"cross[-\s]?validat\w+|with groups kept together|\bk-?fold\b|held (back|out)", _FLAGS
)
_NUMBERS: Final = dict(
    zip(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], range(2, 11), strict=True)
) | {"twenty": 20}
_DENIED: Final = re.compile(
    r"\b(no|not|without|instead of|rather than|never|neither|nor|unlike|nothing is|lacks?|"
    r"avoid\w*)\b[^.;:]{0,40}$",
    _FLAGS,
)


@dataclass(frozen=True)
class Claims:
    """What a text claims. families and tools by our names; groups: boosting, network, transformers.

    architectures: lower case, as named. schemes: of VALIDATIONS. folds: numbers of folds.
    """

    families: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    folds: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.families or self.groups or self.architectures or self.tools or self.schemes)


def claims_in(text: str) -> Claims:
    """The checkable claims of a text; what it denies ("no cross-validation", "instead of XGBoost") is
    none."""
    schemes: list[str] = []
    rest = text
    for scheme, pattern in _SCHEMES:
        if _said(pattern, rest):
            schemes.append(scheme)
            rest = pattern.sub(" ", rest)
            if scheme != "holdout":
                rest = _FOLDS.sub(" ", rest)
                rest = _CONSUMED.sub(" ", rest)
    folds = [
        _NUMBERS.get(found.group(1).lower()) or int(found.group(1))
        for found in _FOLDS.finditer(text)
        if not _DENIED.search(text[: found.start()])
    ]
    named = [
        found.group(1).lower()
        for found in ARCHITECTURES.finditer(text)
        if not _DENIED.search(text[: found.start()])
    ]
    return Claims(
        families=_names(FAMILY_WORDS, text),
        groups=_names(GENERIC_WORDS, text),
        architectures=tuple(dict.fromkeys(named)),
        tools=_names(TOOL_WORDS, text),
        libraries=_names(LIBRARY_WORDS, text),
        schemes=tuple(schemes),
        folds=tuple(dict.fromkeys(folds)),
    )


def _names(table: dict[str, re.Pattern[str]], text: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in table.items() if _said(pattern, text))


def _said(pattern: re.Pattern[str], text: str) -> bool:
    return any(
        not _DENIED.search(text[max(0, found.start() - 80) : found.start()])
        for found in pattern.finditer(text)
    )
