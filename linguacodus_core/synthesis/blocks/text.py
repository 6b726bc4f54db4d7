"""Verified blocks for text: cleaning, n-gram TF-IDF, LSA, statistics, and linear models for sparse matrices.

Feature blocks take (train, test, columns) and return one matrix for each. Model blocks take
(X, y, others, problem, width, seed) and return one array of len(other) x width for each of `others`:
class probabilities (y: int codes 0..width-1), label probabilities (y: n x width of 0 and 1) or values.
"""

import html
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<!\w)@\w+")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
SPACES = re.compile(r"\s+")
WORD = re.compile(r"\w+")
# Kana, CJK ideographs, Hangul, Thai and Lao, Burmese, Khmer: words are short or have no spaces between.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
CHARACTER_BUDGET = 30_000_000  # character n-grams look at this many characters in all: about a minute


def clean_text(texts: pd.Series, lower: bool = True) -> pd.Series:
    """Text without markup: missing -> "", no HTML tags, URLs -> "url", mentions -> "user", single spaces."""
    cleaned = []
    for text in texts.astype(object).where(texts.notna(), ""):
        text = TAG.sub(" ", html.unescape(str(text)))
        text = MENTION.sub("user", URL.sub(" url ", text)).replace("%20", " ")
        text = SPACES.sub(" ", text).strip()
        cleaned.append(text.lower() if lower else text)
    return pd.Series(cleaned, index=texts.index, dtype=object)


def join_text(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The cleaned columns of each row as one text, joined by " | "."""
    parts = [clean_text(frame[column]) for column in columns]
    return pd.Series([" | ".join(row) for row in zip(*parts, strict=True)], index=frame.index, dtype=object)


def smallest_count(rows: int) -> int:
    """In how many texts an n-gram must occur to be kept (min_df), by the number of texts."""
    return 1 if rows < 1_000 else 2 if rows < 20_000 else 3 if rows < 100_000 else 5


def ngram_tfidf(
    train_texts: pd.Series, test_texts: pd.Series, max_features: int, **options: Any
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Sublinear TF-IDF fitted on the train texts; one column of zeros when there is nothing to count."""
    vectorizer = TfidfVectorizer(
        sublinear_tf=True,
        min_df=smallest_count(len(train_texts)),
        max_features=max_features,
        dtype=np.float32,
        lowercase=False,
        **options,
    )
    try:
        train_matrix = vectorizer.fit_transform(train_texts)
    except ValueError:  # an empty vocabulary: all texts are empty, or nothing occurs often enough
        return (
            sparse.csr_matrix((len(train_texts), 1), dtype=np.float32),
            sparse.csr_matrix((len(test_texts), 1), dtype=np.float32),
        )
    return sparse.csr_matrix(train_matrix), sparse.csr_matrix(vectorizer.transform(test_texts))


def stack_columns(parts: list[tuple[Any, Any]]) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Pairs of (train, test) matrices side by side."""
    trains, tests = zip(*parts, strict=True)
    return sparse.csr_matrix(sparse.hstack(trains)), sparse.csr_matrix(sparse.hstack(tests))


def text_columns(
    train: pd.DataFrame, test: pd.DataFrame, columns: list[str], together: bool
) -> list[tuple[pd.Series, pd.Series]]:
    """The cleaned (train, test) texts to count: all columns joined, or each column by itself."""
    groups = [columns] if together else [[column] for column in columns]
    return [(join_text(train, group), join_text(test, group)) for group in groups]


def word_tfidf(
    train: pd.DataFrame,
    test: pd.DataFrame,
    columns: list[str],
    max_features: int = 200_000,
    together: bool = True,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """TF-IDF of words and pairs of words; together=False gives each column its own vocabulary."""
    return stack_columns(
        [
            ngram_tfidf(*texts, max_features, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")
            for texts in text_columns(train, test, columns, together)
        ]
    )


def char_tfidf(
    train: pd.DataFrame,
    test: pd.DataFrame,
    columns: list[str],
    max_features: int = 200_000,
    together: bool = True,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """TF-IDF of 3 to 5 characters within words; of 1 to 3 characters where words have no spaces between."""
    longest = max(200, CHARACTER_BUDGET // max(1, len(train) + len(test)))
    parts = []
    for whole_train, whole_test in text_columns(train, test, columns, together):
        train_texts, test_texts = whole_train.str.slice(0, longest), whole_test.str.slice(0, longest)
        sample = "".join(train_texts.head(2_000))
        options: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (3, 5)}
        if len(UNSPACED.findall(sample)) > 0.2 * max(1, len(sample)):
            options = {"analyzer": "char", "ngram_range": (1, 3)}
        parts.append(ngram_tfidf(train_texts, test_texts, max_features, **options))
    return stack_columns(parts)


def text_tfidf(
    train: pd.DataFrame,
    test: pd.DataFrame,
    columns: list[str],
    max_features: int = 200_000,
    together: bool = True,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Word and character TF-IDF side by side: the usual start for a linear model."""
    return stack_columns(
        [
            word_tfidf(train, test, columns, max_features, together),
            char_tfidf(train, test, columns, max_features, together),
        ]
    )


def text_svd(
    train: pd.DataFrame, test: pd.DataFrame, columns: list[str], components: int = 100, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Latent semantic analysis: TF-IDF in `components` dense float32 columns, to join with tables."""
    train_matrix, test_matrix = text_tfidf(train, test, columns, max_features=50_000)
    components = min(components, train_matrix.shape[1] - 1, train_matrix.shape[0] - 1)
    if components < 1:
        return train_matrix.toarray(), test_matrix.toarray()
    svd = TruncatedSVD(components, random_state=seed)
    train_dense = svd.fit_transform(train_matrix).astype(np.float32)
    return train_dense, svd.transform(test_matrix).astype(np.float32)


def statistics_of_text(text: str) -> list[float]:
    """Fifteen numbers about the look of one raw text."""
    words = WORD.findall(text)
    length = max(1, len(text))
    return [
        len(text),
        len(words),
        sum(map(len, words)) / max(1, len(words)),
        max(map(len, words), default=0),
        len({word.lower() for word in words}) / max(1, len(words)),
        sum(map(str.isupper, text)) / length,
        sum(word.isupper() and len(word) > 1 for word in words),
        sum(map(str.isdigit, text)) / length,
        sum(not (c.isalnum() or c.isspace()) for c in text) / length,
        text.count("!"),
        text.count("?"),
        text.count("#"),
        len(MENTION.findall(text)),
        len(URL.findall(text)),
        text.count("\n"),
    ]


def text_statistics(
    train: pd.DataFrame, test: pd.DataFrame, columns: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, capitals, digits, punctuation, hashtags, mentions, links: 15 float32 columns a text column."""
    matrices = []
    for frame in (train, test):
        texts = [frame[column].astype(object).where(frame[column].notna(), "") for column in columns]
        rows = [[statistics_of_text(str(text)) for text in column] for column in texts]
        parts = [np.array(column, dtype=np.float32).reshape(len(frame), 15) for column in rows]
        matrices.append(np.hstack(parts))
    return matrices[0], matrices[1]


def class_probabilities(
    estimator: Any, X: Any, y: np.ndarray, others: list[Any], width: int
) -> list[np.ndarray]:
    """Fit on (X, y) and give len(other) x width probabilities; classes that y does not have get 0."""
    seen = np.unique(y)
    predictions = []
    if len(seen) > 1:
        estimator.fit(X, y)
    for other in others:
        full = np.zeros((other.shape[0], width), dtype=np.float32)
        full[:, seen] = estimator.predict_proba(other) if len(seen) > 1 else 1.0
        predictions.append(full)
    return predictions


def probabilities_of(
    make: Callable[[np.ndarray], Any],
    X: Any,
    y: np.ndarray,
    others: list[Any],
    problem: str,
    width: int,
) -> list[np.ndarray]:
    """One classifier for all classes, or one for each label of a multi-label task; make(y) gives it."""
    if problem != "multilabel":
        return class_probabilities(make(y), X, y, others, width)
    by_label = [class_probabilities(make(label), X, label, others, 2) for label in np.asarray(y).T]
    return [np.column_stack([label[i][:, 1] for label in by_label]) for i in range(len(others))]


def logistic_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, C: float = 2.0
) -> list[np.ndarray]:
    """Logistic regression."""
    return probabilities_of(
        lambda _: LogisticRegression(C=C, max_iter=300, random_state=seed), X, y, others, problem, width
    )


def nb_ratio(X: Any, positive: np.ndarray, smoothing: float = 1.0) -> np.ndarray:
    """Naive Bayes log-count ratio of each feature, 1 x features float32 (Wang & Manning 2012)."""
    positive = np.asarray(positive).astype(bool)
    inside = np.asarray(X[positive].sum(axis=0)).ravel() + smoothing
    outside = np.asarray(X[~positive].sum(axis=0)).ravel() + smoothing
    ratio: np.ndarray = np.log((inside / inside.sum()) / (outside / outside.sum()))
    return ratio.astype(np.float32)[None, :]


def nb_logistic_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, C: float = 4.0
) -> list[np.ndarray]:
    """Logistic regression on features >= 0 times their log-count ratio, one class against the rest."""
    labels = np.asarray(y) if problem == "multilabel" else np.eye(width, dtype=int)[np.asarray(y)]
    one_is_enough = problem != "multilabel" and width == 2
    columns = []
    for label in labels.T[1:] if one_is_enough else labels.T:
        ratio = nb_ratio(X, label)
        weighted = [sparse.csr_matrix(sparse.csr_matrix(m).multiply(ratio)) for m in (X, *others)]
        model = LogisticRegression(C=C, max_iter=300, random_state=seed)
        columns.append([p[:, 1] for p in class_probabilities(model, weighted[0], label, weighted[1:], 2)])
    predictions = [np.column_stack(column) for column in zip(*columns, strict=True)]
    if one_is_enough:
        return [np.hstack([1 - p, p]) for p in predictions]
    if problem != "multilabel":
        predictions = [p / np.maximum(p.sum(axis=1, keepdims=True), 1e-9) for p in predictions]
    return predictions


def linear_svc_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, C: float = 0.15
) -> list[np.ndarray]:
    """Linear support vector machine; a sigmoid fitted on three folds makes probabilities of its decisions."""

    def make(codes: np.ndarray) -> Any:
        folds = min(3, int(np.unique(codes, return_counts=True)[1].min()))
        if folds < 2:  # a class with a single row leaves nothing to fit the sigmoid on
            return LogisticRegression(C=4 * C, max_iter=300, random_state=seed)
        return CalibratedClassifierCV(LinearSVC(C=C, random_state=seed), cv=folds, ensemble=False)

    return probabilities_of(make, X, y, others, problem, width)


def complement_nb_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, alpha: float = 0.5
) -> list[np.ndarray]:
    """Complement naive Bayes: the fastest, good with many uneven classes; negative features count as 0."""
    X, *others = (sparse.csr_matrix(m).maximum(0) for m in (X, *others))
    return probabilities_of(lambda _: ComplementNB(alpha=alpha), X, y, others, problem, width)


def sgd_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, alpha: float = 1e-5
) -> list[np.ndarray]:
    """Logistic regression by averaged stochastic gradient: for hundreds of thousands of texts."""
    return probabilities_of(
        lambda _: SGDClassifier(loss="log_loss", alpha=alpha, average=True, random_state=seed),
        X,
        y,
        others,
        problem,
        width,
    )


def ridge_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int, alpha: float = 2.0
) -> list[np.ndarray]:
    """Ridge regression; for classes it fits 0 and 1 and clips, so its probabilities are rough."""
    regression = problem in ("regression", "multiregression")
    one_hot = problem in ("binary", "multiclass", "ordinal")
    goal = np.eye(width)[np.asarray(y)] if one_hot else np.asarray(y, dtype=float).reshape(-1, width)
    model = Ridge(alpha=alpha, solver="auto", random_state=seed).fit(X, goal)
    predictions = [model.predict(other).reshape(-1, width).astype(np.float32) for other in others]
    if regression:
        return predictions
    predictions = [np.clip(p, 0.001, 0.999) for p in predictions]
    return [p / p.sum(axis=1, keepdims=True) for p in predictions] if one_hot else predictions


def text_blend_model(
    X: Any, y: np.ndarray, others: list[Any], problem: str, width: int, seed: int
) -> list[np.ndarray]:
    """The mean of three linear classifiers; ridge regression for values. X must be >= 0 (TF-IDF is)."""
    if problem in ("regression", "multiregression"):
        return ridge_model(X, y, others, problem, width, seed)
    models = (nb_logistic_model, logistic_model, linear_svc_model)
    members = [model(X, y, others, problem, width, seed) for model in models]
    return [np.mean(np.stack(arrays), axis=0) for arrays in zip(*members, strict=True)]
