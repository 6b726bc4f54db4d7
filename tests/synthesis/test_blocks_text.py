import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from linguacodus_core.synthesis.blocks import text

ANIMALS = ["the cat purrs at home", "a cat and a kitten", "my cat sleeps", "kitten plays with cat"]
CARS = ["the engine of the car", "car wheels and engine", "a fast car drives", "engine oil for cars"]
PLANTS = ["a green leaf", "roots and leaf of a tree", "the tree grows", "tree bark and leaf"]
CLASSIFIERS = [
    text.logistic_model,
    text.nb_logistic_model,
    text.linear_svc_model,
    text.complement_nb_model,
    text.sgd_model,
    text.ridge_model,
    text.text_blend_model,
]


def frame(texts, **more):
    return pd.DataFrame({"text": texts, **more})


def small_task(*groups):
    texts = [t for group in groups for t in group] * 3
    y = np.array([i for i, group in enumerate(groups) for _ in group] * 3)
    test = frame([group[0] for group in groups])
    X, X_test = text.text_tfidf(frame(texts), test, ["text"])
    return X, y, X_test


def test_clean_text_drops_markup_and_names_links_and_mentions():
    raw = pd.Series(
        ["<b>Look</b> &amp; see  https://t.co/x @Bob", "3 < 4 and 5 > 2", "mail a@b.org", None, np.nan]
    )
    assert text.clean_text(raw).tolist() == ["look & see url user", "3 < 4 and 5 > 2", "mail a@b.org", "", ""]
    assert text.clean_text(raw, lower=False)[0].startswith("Look")


def test_clean_text_accepts_numbers_and_strange_objects():
    assert text.clean_text(pd.Series([1, 2.5, True, "x"], dtype=object)).tolist() == ["1", "2.5", "true", "x"]


@pytest.mark.parametrize("make", [text.word_tfidf, text.char_tfidf, text.text_tfidf])
def test_tfidf_gives_float32_csr_with_the_same_columns_for_train_and_test(make):
    train, test = frame(ANIMALS, title=["a", None, "c", "d"]), frame(CARS[:2], title=[None, "b"])
    for together in (True, False):
        a, b = make(train, test, ["text", "title"], together=together)
        assert sparse.issparse(a)
        assert a.format == b.format == "csr"
        assert a.dtype == np.float32
        assert (a.shape[0], b.shape[0]) == (4, 2)
        assert a.shape[1] == b.shape[1] > 1


def test_together_counts_columns_as_one_text_and_otherwise_apart():
    both = pd.DataFrame({"a": ["cat", "dog"], "b": ["cat", "dog"]})
    joined, _ = text.word_tfidf(both, both, ["a", "b"])
    apart, _ = text.word_tfidf(both, both, ["a", "b"], together=False)
    assert joined.shape[1] == 4  # cat, dog, "cat cat", "dog dog"
    assert apart.shape[1] == 4  # cat and dog, twice
    assert (apart.getnnz(axis=1) == 2).all()


def test_texts_that_are_all_missing_give_one_column_of_zeros():
    empty = frame([None, np.nan, ""])
    a, b = text.text_tfidf(empty, empty, ["text"])
    assert a.shape[0] == 3
    assert a.shape == b.shape
    assert a.nnz == b.nnz == 0


def test_chinese_and_thai_get_character_ngrams_that_tell_classes_apart():
    good = ["这部电影非常好看", "我很喜欢这个故事", "演员非常好", "好看的故事我喜欢"]
    bad = ["太糟糕了浪费时间", "剧情糟糕无聊", "无聊的电影浪费钱", "糟糕透了很无聊"]
    X, y, X_test = small_task(good, bad)
    a, _ = text.char_tfidf(frame(good), frame(bad), ["text"])
    assert a.shape[1] > 20
    assert text.logistic_model(X, y, [X_test], "binary", 2, 0)[0].argmax(axis=1).tolist() == [0, 1]
    thai, _ = text.char_tfidf(frame(["สวัสดีครับ", "ขอบคุณมาก"]), frame(["สวัสดี"]), ["text"])
    assert thai.getnnz(axis=1).min() > 5


def test_an_ngram_must_occur_more_often_in_more_texts():
    assert [text.smallest_count(n) for n in (10, 5_000, 50_000, 500_000)] == [1, 2, 3, 5]


def test_long_texts_do_not_pass_the_character_budget(monkeypatch):
    monkeypatch.setattr(text, "CHARACTER_BUDGET", 400)
    long = frame(["begin " * 40 + "omega " * 40] * 2)
    a, b = text.char_tfidf(long, frame(["omega"]), ["text"])
    assert a.nnz > 0
    assert b.nnz == 0


@pytest.mark.parametrize("texts", [ANIMALS + CARS, ["", "", ""], ["one", "one"], ["single text only"]])
def test_svd_gives_dense_float32_whatever_the_size(texts):
    a, b = text.text_svd(frame(texts), frame(["cat"]), ["text"], components=5)
    assert a.dtype == b.dtype == np.float32
    assert a.shape == (len(texts), b.shape[1])
    assert 1 <= a.shape[1] <= 5 or len(texts) == 1
    assert np.isfinite(a).all()


def test_svd_is_the_same_for_the_same_seed():
    one, two = (
        text.text_svd(frame(ANIMALS + CARS), frame(["cat"]), ["text"], 4, seed=3)[0] for _ in range(2)
    )
    assert np.array_equal(one, two)


def test_text_statistics_count_what_the_raw_text_shows():
    a, b = text.text_statistics(frame(["HELLO World 42!! #a @bob http://x.y ?"]), frame([None]), ["text"])
    assert a.shape == b.shape == (1, 15)
    assert a[0, 9:14].tolist() == [2, 1, 1, 1, 1]
    assert a[0, 6] == 1
    assert (b == 0).all()


def test_text_statistics_of_a_table_without_rows_keep_their_columns():
    a, b = text.text_statistics(frame(ANIMALS), frame([]), ["text"])
    assert a.shape == (4, 15)
    assert b.shape == (0, 15)


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: m.__name__)
def test_each_classifier_learns_two_and_three_classes(model):
    for groups, problem in (((ANIMALS, CARS), "binary"), ((ANIMALS, CARS, PLANTS), "multiclass")):
        X, y, X_test = small_task(*groups)
        on_train, on_test = model(X, y, [X, X_test], problem, len(groups), 0)
        assert on_train.shape == (len(y), len(groups))
        assert on_test.argmax(axis=1).tolist() == list(range(len(groups)))
        assert np.allclose(on_train.sum(axis=1), 1, atol=1e-4)
        assert ((on_train >= 0) & (on_train <= 1)).all()


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: m.__name__)
def test_each_classifier_predicts_labels_that_hold_together_and_constant_ones(model):
    X, y, X_test = small_task(ANIMALS, CARS)
    labels = np.column_stack([y, 1 - y, np.zeros_like(y)])
    (predicted,) = model(X, labels, [X_test], "multilabel", 3, 0)
    assert predicted.shape == (2, 3)
    assert predicted[0, 0] < predicted[1, 0]
    assert predicted[0, 1] > predicted[1, 1]
    assert (predicted[:, 2] < 0.2).all()


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: m.__name__)
def test_classes_missing_from_a_fold_keep_their_column(model):
    X, y, X_test = small_task(ANIMALS, CARS)
    (predicted,) = model(X, y * 2, [X_test], "multiclass", 4, 0)  # classes 1 and 3 do not occur
    assert predicted.shape == (2, 4)
    assert predicted.argmax(axis=1).tolist() == [0, 2]
    (constant,) = model(X, np.ones_like(y), [X_test], "binary", 2, 0)
    assert constant.argmax(axis=1).tolist() == [1, 1]


def test_the_support_vector_machine_copes_with_a_class_of_one_row():
    X, y, X_test = small_task(ANIMALS, CARS)
    y = np.zeros_like(y)
    y[5] = 1
    assert text.linear_svc_model(X, y, [X_test], "binary", 2, 0)[0].shape == (2, 2)


@pytest.mark.parametrize("targets", [1, 2])
def test_ridge_and_blend_predict_values(targets):
    X, y, X_test = small_task(ANIMALS, CARS)
    values = np.column_stack([100.0 + 50 * y] * targets) if targets > 1 else 100.0 + 50 * y
    problem = "multiregression" if targets > 1 else "regression"
    for model in (text.ridge_model, text.text_blend_model):
        (predicted,) = model(X, values, [X_test], problem, targets, 0)
        assert predicted.shape == (2, targets)
        assert predicted[1, 0] - predicted[0, 0] > 15


def test_nb_ratio_is_positive_for_features_of_the_positive_class():
    X = sparse.csr_matrix(np.array([[3, 0, 1], [2, 0, 1], [0, 4, 1]], dtype=np.float32))
    ratio = text.nb_ratio(X, np.array([1, 1, 0]))
    assert ratio.shape == (1, 3)
    assert ratio[0, 0] > 0 > ratio[0, 1]


def test_complement_nb_takes_negative_features_as_zero():
    X, y, X_test = small_task(ANIMALS, CARS)
    shifted = sparse.csr_matrix(sparse.hstack([X, -np.ones((X.shape[0], 1))]))
    shifted_test = sparse.csr_matrix(sparse.hstack([X_test, -np.ones((2, 1))]))
    assert text.complement_nb_model(shifted, y, [shifted_test], "binary", 2, 0)[0].argmax(1).tolist() == [
        0,
        1,
    ]
