"""Scores agree with their definitions, reward better predictions, and fail with a plain word."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.scoring import FUNCTIONS, better, score
from linguacodus_core.metrics.table import METRICS, get


def frame(**columns):
    return pd.DataFrame(columns)


def one(metric, truth, predicted, classes=()):
    return score(get(metric), frame(y=truth), frame(y=predicted), classes)


# --- values against their definitions ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "truth", "predicted", "wanted"),
    [
        ("rmse", [1.0, 2.0], [1.0, 4.0], math.sqrt(2)),
        ("mse", [1.0, 2.0], [1.0, 4.0], 2.0),
        ("mae", [1.0, 2.0], [1.0, 4.0], 1.0),
        ("medae", [1.0, 2.0, 9.0], [1.0, 4.0, 1.0], 2.0),
        ("max error", [1.0, 2.0], [1.0, 4.0], 2.0),
        ("rmsle", [0.0, math.e - 1], [0.0, 0.0], math.sqrt(0.5)),
        ("msle", [0.0, math.e - 1], [0.0, 0.0], 0.5),
        ("rmse of log", [1.0, math.e], [1.0, 1.0], math.sqrt(0.5)),
        ("mape", [2.0, 4.0], [1.0, 4.0], 0.25),
        ("smape", [0.0, 1.0], [0.0, 3.0], 50.0),
        ("wape", [1.0, 3.0], [2.0, 2.0], 0.5),
        ("rmspe", [0.0, 2.0], [5.0, 1.0], 0.5),
        ("r2", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 0.0),
        ("pearson", [1.0, 2.0, 3.0], [10.0, 20.0, 30.0], 1.0),
        ("spearman", [1.0, 2.0, 3.0], [1.0, 100.0, 101.0], 1.0),
        ("kendall tau", [1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0),
        ("auc", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ("gini", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5),
        ("log loss", [0, 1], [0.5, 0.5], math.log(2)),
        ("log loss", [0, 1], [1.0, 1.0], -math.log(1 - (1 - 1e-15)) / 2),
        ("brier", [0, 1], [0.5, 1.0], 0.125),
        ("categorization accuracy", ["a", "b"], ["a", "a"], 0.5),
        ("error rate", ["a", "b"], ["a", "a"], 0.5),
        ("balanced accuracy", ["a", "a", "a", "b"], ["a", "a", "a", "a"], 0.5),
        ("f1", [0, 1, 1], [1, 1, 0], 0.5),
        ("f2", [0, 1, 1, 1], [0, 1, 0, 0], 5 / 13),
        ("f1 macro", ["a", "b", "c"], ["a", "b", "b"], (1 + 2 / 3) / 3),
        ("f1 micro", ["a", "b", "c"], ["a", "b", "b"], 2 / 3),
        ("mcc", [0, 0, 1, 1], [0, 0, 1, 0], 1 / math.sqrt(3)),
        ("map@3", ["a", "b", "c"], ["a b c", "x b", ""], 0.5),
        ("map@2", ["a b c"], ["a x"], 0.5),
        ("map@k", ["a b"], ["a a b"], 1.0),
        ("ndcg@5", ["FR"], ["US FR"], 1 / math.log2(3)),
        ("recall@2", ["a b"], ["a x b"], 0.5),
        ("precision@2", ["a b"], ["a x b"], 0.5),
        ("mrr", ["b"], ["a b"], 0.5),
        ("accuracy@2", [3, 4], ["1 3", "1 2 4"], 0.5),
        ("error@2", [3, 4], ["1 3", "1 2 4"], 0.5),
        ("levenshtein", ["kitten", "a"], ["sitting", "a"], 1.5),
        ("normalized levenshtein", ["kitten"], ["sitting"], 3 / 7),
        ("word error rate", ["the cat sat", "x"], ["the cat", "x"], 0.25),
        ("character error rate", ["abcd"], ["abxd"], 0.25),
        ("jaccard", ["My son", "a"], ["my dog", "a"], (1 / 3 + 1) / 2),
        ("dice", ["1 3 10 5", ""], ["2 2 10 5", ""], (2 * 7 / 15 + 1) / 2),
        ("iou", ["1 3", "5 5"], ["2 3", ""], 0.25),
        ("f1 samples", ["1 2", "3"], ["1", "4"], (2 / 3) / 2),
        ("exact match", ["one two", "b"], ["one two", "c"], 0.5),
        ("quantile loss 0.9", [10.0], [8.0], 1.8),
    ],
)
def test_a_score_is_what_its_definition_says(metric, truth, predicted, wanted):
    assert one(metric, truth, predicted) == pytest.approx(wanted)


def test_several_targets_are_averaged_as_each_metric_wants():
    truth, predicted = frame(a=[0.0, 0.0], b=[0.0, 0.0]), frame(b=[3.0, 3.0], a=[1.0, 1.0])
    assert score(get("mcrmse"), truth, predicted) == pytest.approx(2.0)
    assert score(get("rmse"), truth, predicted) == pytest.approx(math.sqrt(5))
    assert score(get("mae"), truth, predicted) == pytest.approx(2.0)
    assert score(get("mean columnwise rmsle"), truth, predicted) == pytest.approx(
        (math.log(2) + math.log(4)) / 2
    )


def test_mean_column_auc_leaves_out_a_column_with_one_label_only():
    truth = frame(a=[0, 1, 0], b=[0, 0, 0])
    predicted = frame(a=[0.1, 0.9, 0.2], b=[0.5, 0.4, 0.3])
    assert score(get("mean column auc"), truth, predicted) == 1.0


def test_multi_label_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 2, (40, 3)), rng.integers(0, 2, (40, 3))
    frames = pd.DataFrame(truth, columns=list("abc")), pd.DataFrame(predicted, columns=list("abc"))
    for average in ("macro", "micro", "weighted", "samples"):
        wanted = sk.f1_score(truth, predicted, average=average, zero_division=0)
        assert score(get(f"f1 {average}"), *frames) == pytest.approx(wanted)
    assert score(get("hamming loss"), *frames) == pytest.approx(sk.hamming_loss(truth, predicted))
    assert score(get("exact match"), *frames) == pytest.approx(sk.accuracy_score(truth, predicted))
    scores = pd.DataFrame(rng.random((40, 3)), columns=list("abc"))
    some = truth.sum(axis=1) > 0
    wanted = sk.label_ranking_average_precision_score(
        truth[some], scores.to_numpy()[some], sample_weight=truth[some].sum(axis=1)
    )
    assert score(get("lwlrap"), frames[0], scores) == pytest.approx(wanted)


def test_micro_f1_reads_lists_of_numbered_labels():
    assert one("f1 micro", ["0 1 2", "3"], ["0 1", "3 4"]) == pytest.approx(0.75)


def test_micro_f1_does_not_split_class_names_of_two_words():
    assert one("f1 micro", ["Normal Weight", "Obese"], ["Normal Weight", "Normal Weight"]) == 0.5


# --- one column a class -----------------------------------------------------------------------------

CLASSES = ("cat", "dog", "owl")


def test_log_loss_rows_are_normalised_and_clipped_as_kaggle_does():
    truth = frame(y=["cat", "owl"])
    predicted = frame(dog=[1.0, 2.0], owl=[1.0, 0.0], cat=[2.0, 2.0])
    wanted = (-math.log(0.5) - math.log(1e-15)) / 2
    assert score(get("multiclass log loss"), truth, predicted, CLASSES) == pytest.approx(wanted)


def test_class_columns_are_ranked_or_their_likeliest_is_taken_where_labels_are_compared():
    truth = frame(y=["cat", "owl"])
    predicted = frame(cat=[0.6, 0.1], dog=[0.3, 0.5], owl=[0.1, 0.4])
    assert score(get("accuracy"), truth, predicted, CLASSES) == 0.5
    assert score(get("map@2"), truth, predicted, CLASSES) == 0.75
    assert score(get("accuracy@2"), truth, predicted, CLASSES) == 1.0


def test_class_columns_may_end_in_the_class_and_be_numbers():
    predicted = frame(Status_C=[0.9, 0.1], Status_CL=[0.05, 0.1], Status_D=[0.05, 0.8])
    assert score(get("accuracy"), frame(y=["C", "D"]), predicted, ("C", "CL", "D")) == 1.0
    assert (
        score(get("accuracy"), frame(y=[0, 2]), frame(**{"0": [0.9, 0.1], "1": [0.0, 0.1], "2": [0.1, 0.8]}))
        == 1.0
    )


def test_two_class_columns_are_scored_by_the_positive_one():
    predicted = pd.DataFrame({"0": [0.9, 0.2], "1": [0.1, 0.8]})
    for truth in ([0, 1], [False, True], ["0", "1"]):
        assert score(get("auc"), frame(y=truth), predicted) == 1.0
        assert score(get("gini"), frame(y=truth), predicted) == pytest.approx(1.0)


def test_a_class_without_a_column_is_named():
    with pytest.raises(LinguacodusError, match="no column for the class 'emu'"):
        score(get("multiclass log loss"), frame(y=["emu"]), frame(cat=[0.5], dog=[0.5]))


def test_one_hot_truth_is_scored_as_one_class_a_row():
    truth, predicted = (
        frame(a=[1, 0], b=[0, 1], tie=[0, 0]),
        frame(a=[2.0, 1.0], b=[1.0, 2.0], tie=[1.0, 1.0]),
    )
    for name in ("multiclass log loss", "log loss"):
        assert score(get(name), truth, predicted) == pytest.approx(math.log(2))
    assert score(get("kl divergence"), truth, predicted) == pytest.approx(math.log(2))


def test_balanced_log_loss_weighs_classes_alike():
    predicted = [0.5, 0.5, 0.5, 0.25]
    assert one("balanced log loss", [0, 0, 0, 1], predicted) == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_crps_and_quantiles_read_the_number_in_a_columns_name():
    predicted = pd.DataFrame({"Yards-1": [0.0], "Yards0": [1.0], "Yards1": [0.5]})
    assert score(get("crps"), frame(y=[0]), predicted) == pytest.approx(0.25 / 3)
    quantiles = pd.DataFrame({"0.1": [1.0], "q0.9": [1.0]})
    assert score(get("quantile loss"), frame(y=[2.0]), quantiles) == pytest.approx((0.1 + 0.9) / 2)


def test_cosine_similarity_compares_rows():
    assert (
        score(get("cosine similarity"), frame(a=[1.0, 0.0], b=[0.0, 1.0]), frame(a=[2.0, 1.0], b=[0.0, 0.0]))
        == 0.5
    )


# --- labels of any type -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "predicted", [[1, 0], [1.0, 0.0], ["1", "0"], ["1.0", "0.0"], [True, False], ["True", "False"]]
)
@pytest.mark.parametrize("truth", [[1, 0], [1.0, 0.0], ["1", "0"], [True, False], ["True", "False"]])
def test_labels_match_whatever_type_they_were_read_as(truth, predicted):
    for name in ("accuracy", "f1", "mcc", "f1 macro", "balanced accuracy"):
        assert one(name, truth, predicted) == 1.0


def test_text_labels_have_a_positive_one():
    assert one("auc", ["died", "lived"], [0.2, 0.7]) == 1.0
    assert one("auc", ["lived", "died"], [0.2, 0.7], ("lived", "died")) == 1.0
    assert one("log loss", ["No", "Yes"], [0.0, 1.0]) == pytest.approx(0, abs=1e-9)


# --- kappa ------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(3, 8), st.integers(3, 8)), min_size=2, max_size=40))
def test_kappas_agree_with_scikit_learn_on_the_full_scale(pairs):
    a, b = zip(*pairs, strict=True)
    scale = list(range(3, 9))
    for name, weights in (
        ("cohen kappa", None),
        ("linear weighted kappa", "linear"),
        ("quadratic weighted kappa", "quadratic"),
    ):
        ours = one(name, a, b)
        if len(set(a)) == 1 and set(a) == set(b):
            assert ours == 1.0
        else:
            assert ours == pytest.approx(sk.cohen_kappa_score(a, b, labels=scale, weights=weights))


def test_quadratic_kappa_weighs_by_the_grades_and_not_by_their_places():
    truth, predicted = [3, 3, 5, 8], [3, 5, 5, 5]
    by_place = sk.cohen_kappa_score(truth, predicted, weights="quadratic")
    assert one("qwk", truth, predicted) != pytest.approx(by_place)


def test_constant_predictions_have_no_kappa_above_zero():
    assert one("qwk", [3, 4, 5], [4, 4, 4]) == 0.0
    assert one("cohen kappa", ["a", "b"], ["a", "a"]) == 0.0
    assert one("qwk", [4, 4], [5, 5]) == 0.0


def test_grades_in_words_need_their_order():
    assert one("qwk", ["low", "high", "mid"], ["low", "high", "mid"], ("low", "mid", "high")) == 1.0
    with pytest.raises(LinguacodusError, match="no place in an order"):
        one("qwk", ["low", "high"], ["low", "high"])


def test_grades_that_are_not_rounded_are_refused():
    with pytest.raises(LinguacodusError, match="fractions"):
        one("qwk", [3, 4], [3.2, 4.0])


# --- properties -------------------------------------------------------------------------------------

VALUES = st.lists(st.floats(0.5, 1e4), min_size=4, max_size=30, unique=True)
BEST = {"max": 1.0, "min": 0.0}
ONE_COLUMN_VALUES = [
    m.name
    for m in METRICS.values()
    if m.scored and m.prediction == "value" and m.base not in {"cosine similarity", "quantile loss"}
]
LABELS = [m.name for m in METRICS.values() if m.scored and m.prediction == "label" and not m.parameter_kind]


@settings(max_examples=25)
@given(VALUES)
@pytest.mark.parametrize("name", ONE_COLUMN_VALUES)
def test_perfect_values_score_best_and_worse_ones_score_worse(name, values):
    metric = get(name)
    truth = np.array(values)
    perfect = one(name, truth, truth)
    assert perfect == pytest.approx(BEST[metric.direction], abs=1e-6)
    shuffled = one(name, truth, truth[::-1] * 3 + 1)
    assert better(perfect, shuffled, metric.direction)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1), min_size=2, max_size=30).filter(lambda y: len(set(y)) == 2))
@pytest.mark.parametrize("name", LABELS)
def test_perfect_labels_score_best_and_wrong_ones_worst(name, labels):
    metric = get(name)
    perfect = one(name, labels, labels)
    assert perfect == pytest.approx(BEST[metric.direction])
    assert better(perfect, one(name, labels, [1 - label for label in labels]), metric.direction)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1), min_size=3, max_size=30).filter(lambda y: len(set(y)) == 2))
@pytest.mark.parametrize(
    "name",
    [
        "auc",
        "mean column auc",
        "gini",
        "average precision",
        "log loss",
        "brier",
        "multiclass log loss",
        "balanced log loss",
        "kl divergence",
    ],
)
def test_perfect_probabilities_score_best_and_turned_ones_worse(name, labels):
    metric = get(name)
    labels = np.array(labels)
    perfect = one(name, labels, labels.astype(float))
    assert perfect == pytest.approx(BEST[metric.direction], abs=1e-9)
    assert better(perfect, one(name, labels, 1.0 - labels), metric.direction)
    unsure = one(name, labels, np.full(len(labels), 0.5))
    assert better(perfect, unsure, metric.direction)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=3, max_size=40).filter(
        lambda rows: len({y for y, _ in rows}) == 2
    )
)
def test_gini_is_two_auc_minus_one_even_with_ties(rows):
    truth, scores = zip(*rows, strict=True)
    assert one("gini", truth, scores) == pytest.approx(2 * one("auc", truth, scores) - 1, abs=1e-9)


@settings(max_examples=40)
@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(values, random):
    pairs = [(value, value * 1.1 + index) for index, value in enumerate(values)]
    shuffled = random.sample(pairs, len(pairs))
    for name in ("rmse", "mae", "rmsle", "spearman", "gini", "smape"):
        before, after = (one(name, *zip(*rows, strict=True)) for rows in (pairs, shuffled))
        assert before == pytest.approx(after)


def test_every_scored_metric_is_tried_somewhere_here_or_has_a_function():
    assert set(FUNCTIONS) == {metric.base for metric in METRICS.values() if metric.scored}


# --- what cannot be scored --------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "x", None])
@pytest.mark.parametrize("name", ["auc", "rmse", "log loss", "gini", "spearman"])
def test_missing_and_infinite_predictions_are_named_with_their_row(name, bad):
    with pytest.raises(LinguacodusError, match="row 2"):
        one(name, [0, 1, 1], pd.Series([0.5, bad, 0.5], dtype=object))


def test_missing_labels_are_named_with_their_row():
    with pytest.raises(LinguacodusError, match=r"predictions.*row 2"):
        one("accuracy", ["a", "b"], ["a", None])
    with pytest.raises(LinguacodusError, match="truth"):
        one("accuracy", ["a", None], ["a", "b"])


@pytest.mark.parametrize(
    ("name", "truth", "predicted", "says"),
    [
        ("auc", [1, 1], [0.1, 0.2], "same label"),
        ("average precision", [0, 0], [0.1, 0.2], "same label"),
        ("auc", [0, 1, 2], [0.1, 0.2, 0.3], "3 labels"),
        ("f1", ["a", "b", "c"], ["a", "b", "c"], "3 labels"),
        ("r2", [2.0, 2.0], [1.0, 2.0], "all the same"),
        ("gini", [1, 1], [1.0, 2.0], "all the same"),
        ("gini", [-1.0, 1.0, 2.0], [1.0, 2.0, 3.0], "0 and more"),
        ("rmsle", [1.0], [-1.5], "-1 or less"),
        ("rmse of log", [1.0], [0.0], "0 or less"),
        ("rmse of log", [0.0], [1.0], "truth"),
        ("wape", [0.0], [1.0], "every true value is 0"),
        ("rmspe", [0.0], [1.0], "every true value is 0"),
        ("accuracy", [0, 1], [0.3, 0.7], "fractions"),
        ("accuracy", [True, False], [0.3, 0.7], "fractions"),
        ("f-beta", [0, 1], [0, 1], "needs its beta"),
        ("quantile loss", [1.0], [1.0], "needs its quantile"),
        ("crps", [1.0], [1.0], "one predicted column a threshold"),
        ("cosine similarity", [1.0], [1.0], "several columns"),
        ("lwlrap", [1, 0], [0.1, 0.2], "several labels"),
        ("map@3", ["", ""], ["a", "b"], "no row has a true label"),
        ("word error rate", [""], ["a"], "every true text is empty"),
        ("dice", ["1 2 3"], [""], "pairs"),
        ("dice", ["1 5"], ["1 5 3 4"], "overlapping"),
        ("iou", ["1 5"], ["1 x"], "whole number"),
        ("iou", ["1 5"], ["1 -5"], "length below 1"),
        ("rmse", [1e308], [-1e308], "came out as"),
    ],
)
def test_an_undefined_score_says_why(name, truth, predicted, says):
    with pytest.raises(LinguacodusError, match=says):
        one(name, truth, predicted)


def test_rows_and_columns_have_to_fit():
    rmse = get("rmse")
    with pytest.raises(LinguacodusError, match="1 predictions for 2 rows"):
        score(rmse, frame(y=[1, 2]), frame(y=[1]))
    with pytest.raises(LinguacodusError, match="no row"):
        score(rmse, frame(y=[]), frame(y=[]))
    with pytest.raises(LinguacodusError, match="wanted: a, b"):
        score(rmse, frame(a=[1], b=[1]), frame(a=[1], c=[1]))
    with pytest.raises(LinguacodusError, match="one predicted column a target"):
        score(rmse, frame(y=[1]), frame(a=[1], b=[1]))
    with pytest.raises(LinguacodusError, match="no column"):
        score(rmse, pd.DataFrame(index=[0]), frame(y=[1]))


def test_a_row_of_zero_probabilities_is_refused():
    with pytest.raises(LinguacodusError, match="row 2"):
        score(get("multiclass log loss"), frame(y=["a", "b"]), frame(a=[1.0, 0.0], b=[0.0, 0.0]))


def test_a_metric_without_a_function_names_the_nearest_that_has_one():
    with pytest.raises(LinguacodusError) as caught:
        one("wmae", [1.0], [1.0])
    assert 'metric = "mae"' in caught.value.remedy


def test_constant_predictions_have_no_correlation():
    assert one("pearson", [1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == 0.0
    assert one("spearman", [1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == 0.0


def test_inputs_are_left_as_they_were():
    truth, predicted = frame(b=[True, False], a=["x", "y"]), frame(a=["x", "x"], b=["True", "True"])
    copies = truth.copy(), predicted.copy()
    score(get("accuracy"), truth, predicted)
    pd.testing.assert_frame_equal(truth, copies[0])
    pd.testing.assert_frame_equal(predicted, copies[1])


# --- comparing --------------------------------------------------------------------------------------


@given(st.floats(allow_infinity=False, allow_nan=False), st.sampled_from(["min", "max"]))
def test_every_score_is_better_than_nan(value, direction):
    assert better(value, math.nan, direction)
    assert not better(math.nan, value, direction)
    assert not better(value, value, direction)


def test_better_follows_the_direction():
    assert better(2.0, 1.0, "max")
    assert better(1.0, 2.0, "min")
    assert not better(math.nan, math.nan, "min")
