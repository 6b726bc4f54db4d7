"""What kind of data a competition has: from its metadata, else its description, else its kernels' code.

The kinds are those of the paper's figure 2 (tabular, text, image, audio, video, time series); several may be.
"""

import re
from collections import Counter
from collections.abc import Iterable

_SPELLED = {
    "tabular": r"tabular|table|structured|csv|categorical data|numeric",
    "text": r"text|nlp|natural language|languages?|linguistics",
    "image": r"images?|computer vision|imaging|photos?|pictures?|segmentation|object detection",
    "audio": r"audio|sound|speech|music",
    "video": r"videos?",
    "time series": r"time[- ]?series|forecasting|signal",
}
_NAMED = {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in _SPELLED.items()}

_DESCRIBED = {
    "image": re.compile(
        r"\b(?:images?|photos?|photographs?|pictures?|pixels?|x-?rays?|mri|ct scans?|satellite|microscop\w+|"
        r"\.(?:png|jpe?g|tiff?|dcm))\b",
        re.IGNORECASE,
    ),
    "audio": re.compile(
        r"\b(?:audio|sound|recordings?|spectrograms?|\.(?:wav|mp3|flac|ogg))\b", re.IGNORECASE
    ),
    "video": re.compile(r"\b(?:videos?|frames? of|\.mp4|deepfakes?)\b", re.IGNORECASE),
    "text": re.compile(
        r"\b(?:texts?|tweets?|comments?|reviews?|sentences?|essays?|documents?|questions?|natural language|"
        r"nlp|toxic|sentiment|translation|prompts?)\b",
        re.IGNORECASE,
    ),
    "time series": re.compile(
        r"\b(?:time[- ]?series|forecast\w*|future (?:sales|values|demand)|(?:hourly|daily|weekly|monthly) "
        r"(?:data|sales|demand|prices?|values))\b",
        re.IGNORECASE,
    ),
    "tabular": re.compile(
        r"\b(?:columns?|features?|variables?|attributes?|customers?|passengers?|data fields|anonymi[sz]ed)\b",
        re.IGNORECASE,
    ),
}
_ENOUGH = 3
"""How often a description must speak of a kind; fewer words are an aside."""

_CODED = {
    "image": re.compile(
        r"\b(?:cv2|PIL|torchvision|albumentations|timm|skimage|segmentation_models\w*|ImageDataGenerator|Conv2D|"
        r"conv2d|pydicom|imread|decode_jpeg)\b"
    ),
    "audio": re.compile(r"\b(?:librosa|torchaudio|soundfile|melspectrogram|MelSpectrogram)\b"),
    "video": re.compile(r"\b(?:VideoCapture|decord|moviepy)\b"),
    "text": re.compile(
        r"\b(?:TfidfVectorizer|CountVectorizer|nltk|spacy|gensim|AutoTokenizer|BertTokenizer\w*|BertModel|"
        r"pad_sequences|texts_to_sequences|sentence_transformers)\b"
    ),
    "time series": re.compile(
        r"\b(?:prophet|Prophet|ARIMA|SARIMAX|TimeSeriesSplit|statsmodels\.tsa|darts)\b"
    ),
    "tabular": re.compile(
        r"\b(?:xgboost|lightgbm|catboost|RandomForest\w+|LogisticRegression|LabelEncoder|OneHotEncoder|get_dummies|"
        r"LinearRegression|Ridge|Lasso|StandardScaler)\b"
    ),
}
_SHARE = 0.3
"""The share of its kernels that must speak of a kind."""


def from_names(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds that metadata name: a data-type field, tags."""
    text = " | ".join(name for name in names if name)
    return tuple(kind for kind, pattern in _NAMED.items() if pattern.search(text))


def from_description(description: str) -> tuple[str, ...]:
    """The kinds that a description speaks of repeatedly, media before the table that lists them."""
    counts = {kind: len(pattern.findall(description[:50_000])) for kind, pattern in _DESCRIBED.items()}
    media = [kind for kind in ("image", "audio", "video", "text") if counts[kind] >= _ENOUGH]
    if media:
        best = max(counts[kind] for kind in media)
        return tuple(kind for kind in media if counts[kind] * 2 >= best)
    return tuple(kind for kind, least in (("time series", 2), ("tabular", _ENOUGH)) if counts[kind] >= least)


def from_code(sources: Iterable[str]) -> tuple[str, ...]:
    """The kinds that at least three in ten of the kernels work with, most frequent first."""
    counts: Counter[str] = Counter()
    total = 0
    for code in sources:
        total += 1
        counts.update(kind for kind, pattern in _CODED.items() if pattern.search(code))
    frequent = [kind for kind, count in counts.most_common() if count >= _SHARE * max(total, 1)]
    if {"image", "audio", "video"} & set(frequent):
        frequent = [kind for kind in frequent if kind != "tabular"]
    return tuple(frequent)
