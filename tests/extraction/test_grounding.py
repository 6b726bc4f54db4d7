"""Claims of an instruction against the evidence of the code."""

from typing import Any

import pytest

from linguacodus_core.extraction.claims import claims_in
from linguacodus_core.extraction.fields import InstructionFields
from linguacodus_core.extraction.grounding import Grounding, ground
from linguacodus_core.extraction.syntax import evidence

CODE = """
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression
import lightgbm as lgb
import optuna
X = StandardScaler().fit_transform(X)
for tr, va in StratifiedKFold(n_splits=5).split(X, y):
    model = lgb.LGBMClassifier(num_leaves=31, learning_rate=0.05)
    model.fit(X[tr], y[tr])
"""


def grounded(code: str = CODE, **fields: Any) -> Grounding:
    prose = {"preprocessing": "", "architecture": "", "training": ""}
    return ground(InstructionFields(**(prose | fields)), evidence(code))


def test_true_claims_score_one() -> None:
    result = grounded(
        preprocessing="The features are scaled by StandardScaler.",
        architecture="A LightGBM classifier, a form of gradient boosting, with num_leaves 31.",
        training="It is validated by stratified 5-fold cross-validation.",
        families=("lightgbm",),
        validation="stratified_kfold",
        libraries=("lightgbm", "sklearn", "numpy"),
        hyperparameters={"num_leaves": 31},
    )
    assert (result.score, result.unsupported) == (1.0, ())


def test_false_claims_are_named_so_that_a_model_can_mend_them() -> None:
    result = grounded(
        architecture="An XGBoost classifier stands beside a random forest.",
        families=("xgboost",),
        libraries=("xgboost",),
    )
    assert result.score == 0.0
    assert "the code does not use XGBoost; it uses lightgbm" in result.unsupported
    assert "the code does not use random forests; it uses lightgbm" in result.unsupported
    assert "the code does not use the library xgboost" in result.unsupported


def test_a_claim_made_twice_counts_once() -> None:
    told = grounded(
        "m = LGBMRegressor().fit(X, y)",
        architecture="LightGBM, LightGBM, LGBMRegressor.",
        families=("lightgbm",),
    )
    assert told.claims == 1


@pytest.mark.parametrize(
    ("validation", "score"),
    [
        ("stratified_kfold", 1.0),
        ("kfold", 0.5),
        ("group_kfold", 0.5),
        ("repeated_kfold", 0.5),
        ("holdout", 0.0),
        ("time_split", 0.0),
    ],
)
def test_validation_may_be_partly_right(validation: str, score: float) -> None:
    assert grounded(validation=validation).score == score


def test_none_is_a_false_claim_where_the_code_validates_and_no_claim_where_it_does_not() -> None:
    assert (
        "the code does hold rows back: stratified_kfold with 5 folds"
        in grounded(families=("lightgbm",)).unsupported
    )
    bare = grounded("m = Ridge().fit(X, y)", families=("linear",))
    assert (bare.score, bare.claims) == (1.0, 1)


def test_the_number_of_folds_is_checked() -> None:
    wrong = grounded(training="10-fold stratified cross-validation.", validation="stratified_kfold")
    assert "the code has 5 folds, not 10" in wrong.unsupported
    assert (
        grounded(training="five-fold stratified cross-validation.", validation="stratified_kfold").score
        == 1.0
    )


def test_the_values_of_hyper_parameters_are_checked_where_the_code_shows_them() -> None:
    result = grounded(
        families=("lightgbm",),
        validation="stratified_kfold",
        hyperparameters={"num_leaves": 64, "max_bin": 255, "eta": 0.05},
    )
    assert result.unsupported == ("num_leaves is 31 in the code, not 64",)
    assert result.claims == 4


def test_a_library_that_is_imported_but_not_used_is_half_right() -> None:
    result = grounded(libraries=("optuna",), validation="stratified_kfold")
    assert result.score == 0.75
    assert result.unsupported == ("the code imports but does not use the library optuna",)


def test_a_family_that_is_near_is_half_right_and_another_booster_is_wrong() -> None:
    assert grounded("m = ElasticNet().fit(X, y)", families=("linear",)).score == 0.5
    assert grounded("m = LGBMRegressor().fit(X, y)", families=("gradient_boosting",)).score == 0.0


def test_an_instruction_that_claims_nothing_of_a_model_that_is_there_scores_zero() -> None:
    assert grounded("m = Ridge().fit(X, y)", architecture="A good model with sensible settings.").score == 0.0
    assert grounded("x = 1", architecture="Nothing special.").score == 1.0


def test_what_is_denied_is_no_claim() -> None:
    result = grounded(
        "m = Ridge().fit(X, y)",
        architecture="Ridge regression instead of XGBoost.",
        training="It is fitted without cross-validation; no hold-out is used.",
        families=("linear",),
    )
    assert (result.score, result.claims) == (1.0, 1)


def test_architectures_by_name_are_looked_for() -> None:
    code = "import timm\nm = timm.create_model('resnet34', pretrained=True)\nm(x)"
    right = grounded(code, architecture="A pretrained ResNet.", families=("pretrained_cnn",))
    wrong = grounded(code, architecture="A pretrained EfficientNet.", families=("pretrained_cnn",))
    assert right.score == 1.0
    assert wrong.unsupported == ("the code does not name efficientnet",)


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("An XGBRegressor and LGBMClassifier are blended.", ("lightgbm", "xgboost")),
        (
            "Random forests, extra trees and a decision tree.",
            ("random_forest", "extra_trees", "decision_tree"),
        ),
        ("Gradient boosted decision trees of LightGBM.", ("lightgbm",)),
        ("Logistic regression on TF-IDF.", ("linear",)),
        ("An SVM with an RBF kernel; k-nearest neighbours.", ("svm", "knn")),
        ("A bidirectional LSTM over GloVe vectors.", ("rnn",)),
        ("DistilBERT is fine-tuned.", ("transformer",)),
        ("A U-Net segments the wells.", ("segmentation",)),
        ("Prophet forecasts each shop.", ("statistical_series",)),
        ("A CNN with three convolutions.", ("cnn",)),
        ("The data is split and the model is trained.", ()),
    ],
)
def test_families_in_words(text: str, families: tuple[str, ...]) -> None:
    assert claims_in(text).families == families


@pytest.mark.parametrize(
    ("text", "schemes", "folds"),
    [
        ("5-fold cross-validation", ("kfold",), (5,)),
        ("stratified ten-fold cross-validation", ("stratified_kfold",), (10,)),
        ("10-fold stratified cross-validation", ("stratified_kfold",), (10,)),
        ("GroupKFold by patient with 4 folds", ("group_kfold",), (4,)),
        ("a TimeSeriesSplit", ("time_split",), ()),
        ("20 % of the rows are held back", ("holdout",), ()),
        ("train_test_split with a 20 % hold-out", ("holdout",), ()),
        ("leave-one-out", ("leave_one_out",), ()),
        ("no cross-validation", (), ()),
        ("the best model wins", (), ()),
    ],
)
def test_validation_in_words(text: str, schemes: tuple[str, ...], folds: tuple[int, ...]) -> None:
    claims = claims_in(text)
    assert (claims.schemes, claims.folds) == (schemes, folds)
