"""Finding the metric in a description: the right one, with evidence, or none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linguacodus_core.metrics.detect import detect
from linguacodus_core.metrics.table import METRICS


def first(description):
    found = detect(description)
    return found[0].metric.name if found else None


@pytest.mark.parametrize(
    ("description", "name"),
    [
        (
            "Submissions are evaluated on area under the ROC curve between the predicted probability and the target.",
            "auc",
        ),
        ("### Evaluation\n\nGini score.\n\n### Submission File\n", "gini"),
        (
            "Your score is the percentage of passengers you correctly predict. This is known as accuracy.",
            "categorization accuracy",
        ),
        (
            "Evaluation\n\nRoot Mean Squared Error (RMSE)\n\nSubmissions are scored on the root mean squared error.",
            "rmse",
        ),
        ("Submissions are evaluated on the Root Mean Squared Logarithmic Error (RMSLE).", "rmsle"),
        (
            "Submissions are scored on MCRMSE (mean columnwise root mean squared error): \\textrm{MCRMSE} = ...",
            "mcrmse",
        ),
        ("Submissions are evaluated based on MPA@3.", "map@3"),
        ("Submissions are evaluated on SMAPE between forecasts and actual values.", "smape"),
        ("Submissions will be evaluated based on their macro F1 score.", "f1 macro"),
        ("Evaluation metric: $F_1$-score", "f1"),
        ("Submissions are evaluated on the F2 score.", "f2"),
        ("RMSE is the metric for this challenge; models that beat 80% accuracy get a prize.", "rmse"),
        ("We use the Root Mean Squared Error to score submissions.", "rmse"),
        ("Performance is evaluated with Matthews Correlation Coefficient (MCC).", "mcc"),
        ("Metric: R2", "r2"),
        (
            "The metric in this competition is the [word-level Jaccard score](https://en.wikipedia.org/wiki/Jaccard_index).",
            "jaccard",
        ),
    ],
)
def test_the_metric_is_found_where_scoring_is_spoken_of(description, name):
    assert first(description) == name


@pytest.mark.parametrize(
    ("description", "name"),
    [
        (
            "Submissions are evaluated on the root mean squared error between the logarithm of the predicted price and the logarithm of the observed price.",
            "rmse of log",
        ),
        (
            "evaluated on Root-Mean-Squared-Error (RMSE) between the logarithm of the predicted value and the price",
            "rmse of log",
        ),
        (
            "Submissions are evaluated using area under the ROC curve. To calculate the final score, AUC is calculated for each of the 7 defect categories and then averaged.",
            "mean column auc",
        ),
        (
            "evaluated on area under the ROC curve for each target, and the final score is the average of the individual AUCs of each predicted column",
            "mean column auc",
        ),
        (
            "Evaluation\nlog loss = -\\frac{1}{N}\\sum_{i=1}^N\\sum_{j=1}^My_{ij}\\log(p_{ij})",
            "multiclass log loss",
        ),
        ("Submissions are scored on the log loss of one probability.", "log loss"),
        (
            "Submissions are scored on the quadratic weighted kappa. ... the quadratic weighted kappa is $\\kappa = 1 -$",
            "quadratic weighted kappa",
        ),
        (
            "Evaluated by mean absolute error. Each observation will be weighted as indicated by the weight column.",
            "wmae",
        ),
        ("evaluated on their mean F1 score. The mean is calculated in a sample-wise fashion", "f1 samples"),
        (
            "evaluated on the mean average precision at different intersection over union (IoU) thresholds",
            "map over iou thresholds",
        ),
        (
            "Submissions are evaluated on the mean of the 50th and 95th percentile distance errors",
            "percentile distance error",
        ),
        ("Submissions are evaluated by the weighted AUC.", "weighted auc"),
    ],
)
def test_the_special_metric_wins_over_the_general_one(description, name):
    assert first(description) == name


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("Les soumissions sont évaluées selon l'aire sous la courbe ROC (AUC).", "auc"),
        ("La métrique est l'exactitude des prédictions.", "categorization accuracy"),
        (
            "La précision globale est la métrique : la métrique est la précision globale.",
            "categorization accuracy",
        ),
        ("Die Einsendungen werden nach dem RMSE bewertet.", "rmse"),
        ("Bewertung\n\nDie Metrik ist die Genauigkeit.", "categorization accuracy"),
        ("La métrica de evaluación es el error absoluto medio.", "mae"),
        ("As submissões são avaliadas pela área sob a curva ROC.", "auc"),
        ("Метрика качества — точность.", "categorization accuracy"),
        ("Решения оцениваются по метрике ROC AUC.", "auc"),
        ("提交结果的评估指标是准确率。", "categorization accuracy"),
        ("评价指标为RMSE。", "rmse"),
        ("評価指標は正解率です。", "categorization accuracy"),
        ("평가 지표는 정확도입니다.", "categorization accuracy"),
        ("Prédisez le prix des maisons. Votre modèle: RMSE.", "rmse"),
    ],
)
def test_the_metric_is_found_in_other_languages(description, name):
    assert first(description) == name


@pytest.mark.parametrize(
    "description",
    [
        "",
        "Predict which customers leave.",
        "Improve the accuracy of house price prediction using GPS accuracy data.",
        "Scored by the Frobnication Index.",
        "We evaluate with a modified version of the Sørensen-Dice coefficient.",
        "evaluated on a custom weighted combination of RMSE and MAE",
        "Submissions are evaluated on the average of RMSE and R2.",
        "This competition uses a newly developed metric that combines several submetrics: Overall AUC, bias AUC.",
        "Others report RMSE, some MAE, some accuracy of 0.8, some AUC.",
        "See https://example.org/evaluation/rmse for details.",
    ],
)
def test_without_a_clear_metric_there_is_no_answer(description):
    assert detect(description) == []


def test_a_comparison_is_no_evidence():
    assert first("Unlike RMSE, the metric used for evaluation is MAE.") == "mae"
    assert (
        first(
            "## Root Mean Squared Error\n\nscored on the root mean squared error. Compared to the MAE it punishes outliers."
        )
        == "rmse"
    )


def test_talk_about_the_submission_file_does_not_change_the_metric():
    file = "\n\nSubmission File\n\nFor each row in the test set predict the class. Each image has one."
    assert first("Evaluation\n\nSubmissions are evaluated on F1." + file) == "f1"
    assert first("Evaluation\n\nSubmissions are evaluated on log loss." + file) == "log loss"
    assert first("Evaluation\n\nSubmissions are evaluated on RMSE." + file) == "rmse"


def test_html_tags_are_white_space_and_blocks_part_sentences():
    page = "<h2>Evaluation</h2><p>Scored by <b>mean absolute</b> error (<a href='/wiki/RMSE'>MAE</a>).</p>"
    found = detect(page)
    assert found[0].metric.name == "mae"
    assert "<" not in found[0].evidence


def test_the_evidence_holds_the_words_and_weights_fall():
    text = (
        "About birds. " * 40
        + "Submissions are evaluated on log loss. Accuracy is shown as a further metric: AUC."
        + " More." * 40
    )
    found = detect(text)
    assert "evaluated on log loss" in found[0].evidence
    assert len(found[0].evidence) < 200
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)


def test_the_evaluation_section_outweighs_the_rest_of_a_long_description():
    chat = "Our baseline had an accuracy of 0.9 and an RMSE of 3. We like MAE.\n\n" * 300
    text = (
        chat
        + "### Evaluation\n\nSubmissions are evaluated on log loss.\n\n### Submission File\n\nid,p\n"
        + chat
    )
    assert first(text) == "log loss"


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "\n \n",
        " ",
        "evaluated ",
        "evaluated on rmse ",
        "percentage of a ",
        "<a ",
        "-",
        "- evaluation\n",
        "x",
        "评",
        "@ 5 ",
        "modified version of the a ",
        "https://",
        "(",
        "](",
        "auc is calculated for each of ",
        "rmse" + " " * 9000,
        "average of rmse and mae ",
    ],
)
def test_a_hundred_thousand_characters_of_anything_come_to_an_end(unit, no_hang):
    text = (unit * (100_000 // len(unit) + 1))[:100_000]
    assert isinstance(detect(text), list)


@settings(max_examples=60)
@given(st.sampled_from([metric for metric in METRICS.values() if not metric.parameter_kind]))
def test_every_name_of_the_table_is_detected_in_a_plain_sentence(metric):
    found = detect(f"Predict y. Submissions are evaluated on the {metric.name}.")
    assert found
    assert found[0].metric.base == metric.base


@settings(max_examples=60)
@given(st.text(max_size=500))
def test_no_text_breaks_it(text):
    for each in detect(text + " evaluated on rmse " + text):
        assert each.metric.base in METRICS
