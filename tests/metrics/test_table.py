"""The metric table: every spelling leads to one metric, and nothing is guessed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.scoring import FUNCTIONS
from linguacodus_core.metrics.table import CATEGORIES, DROPPED_CATEGORIES, METRICS, find, get, spellings


def test_there_are_twenty_categories_of_which_three_are_dropped():
    assert len(CATEGORIES) == 20
    assert {"points", "significance", "custom loss"} == DROPPED_CATEGORIES
    assert set(CATEGORIES.values()) == {"min", "max"}


def test_every_category_has_a_metric_and_every_metric_a_category():
    assert {metric.category for metric in METRICS.values()} == set(CATEGORIES)


def test_a_metric_has_the_direction_of_its_category():
    for metric in METRICS.values():
        if not metric.dropped:
            assert metric.direction == CATEGORIES[metric.category], metric.name


def test_no_spelling_names_two_metrics():
    assert len(spellings()) > 500


def test_every_weak_spelling_is_a_spelling_of_its_metric():
    for metric in METRICS.values():
        for spelling in metric.weak:
            assert find(spelling) is metric, spelling


def test_metrics_without_a_function_name_one_that_has_it():
    for metric in METRICS.values():
        assert (metric.name in FUNCTIONS) == metric.scored, metric.name
        if metric.stand_in:
            assert METRICS[metric.stand_in].scored
            assert METRICS[metric.stand_in].prediction == metric.prediction, metric.name
        if metric.refines:
            assert metric.refines in METRICS


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_is_found_under_its_name_and_all_its_aliases(name):
    metric = METRICS[name]
    for spelling in (metric.name, *metric.aliases, metric.name.upper(), metric.name.replace(" ", "-")):
        assert find(spelling) is metric, spelling


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Area Under Receiver Operating Characteristic Curve", "auc"),
        ("Roc Auc Score", "auc"),
        ("roc", "auc"),
        ("ROC_AUC", "auc"),
        ("AUC-ROC", "auc"),
        ("Mean Columnwise Area Under Receiver Operating Characteristic Curve", "mean column auc"),
        ("mean column-wise ROC AUC", "mean column auc"),
        ("Categorization Accuracy", "categorization accuracy"),
        ("Accuracy Score", "categorization accuracy"),
        ("F-Score (Macro)", "f1 macro"),
        ("Macro-averaged F1", "f1 macro"),
        ("F_{1}", "f1"),
        ("F1-Score (micro averaged)", "f1 micro"),
        ("Multiclass Loss", "multiclass log loss"),
        ("Multi-Class Logarithmic Loss", "multiclass log loss"),
        ("LogLoss", "log loss"),
        ("Mean Absolute Error (MAE)", "mae"),
        ("RMSE (lower is better)", "rmse"),
        ("root-mean-square error", "rmse"),
        ("Root Mean Squared Logarithmic Error", "rmsle"),
        ("Mean Columnwise Root Mean Squared Logarithmic Error", "mean columnwise rmsle"),
        ("mean columnwise rmse", "mcrmse"),
        ("Mean Squared Log Error", "msle"),
        ("QuadraticWeightedKappa", "quadratic weighted kappa"),
        ("Cohen's kappa", "cohen kappa"),
        ("Normalized Gini Index", "gini"),
        ("R^2 score (coefficient of determination)", "r2"),
        ("R²", "r2"),
        ("Mean Columnwise Spearman's r (rank correlation  coefficient)", "mean columnwise spearman"),
        ("PearsonCorrelationCoefficient", "pearson"),
        ("Root Mean Square Percentage Error", "rmspe"),
        ("Levenshtein Mean", "levenshtein"),
        ("mean cosine similarity", "cosine similarity"),
        ("точность", "categorization accuracy"),
        ("\uff32\uff2d\uff33\uff25", "rmse"),
    ],
)
def test_spellings_seen_on_kaggle_are_found(raw, name):
    found = find(raw)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("raw", "name", "parameter"),
    [
        ("MAP@{K}", "map@k", None),
        ("MAP@12", "map@12", 12.0),
        ("Mean Average Precision @ 5 (MAP@5)", "map@5", 5.0),
        ("mean average precision at 3", "map@3", 3.0),
        ("NDCG@{5}", "ndcg@5", 5.0),
        ("top-5 accuracy", "accuracy@5", 5.0),
        ("F2 score", "f2", 2.0),
        ("F0.5", "f0.5", 0.5),
        ("F-beta (beta=2)", "f2", 2.0),
        ("pinball loss 0.9", "quantile loss 0.9", 0.9),
    ],
)
def test_cut_offs_betas_and_quantiles_are_read_and_kept_in_the_name(raw, name, parameter):
    found = get(raw)
    assert (found.name, found.parameter) == (name, parameter)
    assert get(found.name) == found


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "frobnication index",
        "MAE (RMSE)",
        "accuracy (something else)",
        "my loss (RMSE)",
        "rmse and mae",
        "weighted mean columnwise log loss",
        "rmse@5",
        "MAE (k=5)",
        "error",
        "loss",
        "score",
        "()",
        "((((",
    ],
)
def test_what_the_table_does_not_hold_is_none_and_no_guess(raw):
    assert find(raw) is None


def test_an_unknown_name_is_an_error_that_offers_close_ones():
    with pytest.raises(LinguacodusError) as caught:
        get("rmlse")
    assert "'rmsle'" in caught.value.remedy
    assert "task.toml" in caught.value.remedy


def test_an_unknown_name_close_to_nothing_says_so():
    with pytest.raises(LinguacodusError, match="No known metric is close"):
        get("zzzzqqqq")


@given(
    st.sampled_from(sorted(METRICS)),
    st.sampled_from(["upper", "title", "lower"]),
    st.sampled_from([" ", "-", "_", "  "]),
)
def test_case_and_separators_never_matter(name, case, separator):
    assert find(getattr(name.replace(" ", separator), case)()) is METRICS[name]


@given(st.text(max_size=400))
def test_any_text_is_found_or_none(raw):
    found = find(raw)
    assert found is None or found.base in METRICS


@given(st.text(alphabet=string.ascii_lowercase, min_size=14, max_size=40))
def test_random_words_are_no_metric(raw):
    assert find("qx" + raw) is None
