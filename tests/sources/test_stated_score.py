"""A score counts only where a notebook says that its own submission had it on the leaderboard."""

import pytest

from linguacodus_core.sources.stated_score import stated_score


def markdown(text: str) -> float | None:
    return stated_score("A notebook", [("markdown", text)])


@pytest.mark.parametrize(
    ("title", "score"),
    [
        ("Simple baseline | LB 0.54", 0.54),
        ("[LB:0.59] Training and inference", 0.59),
        ("A model LB[0.584]", 0.584),
        ("Blend of 2 (lb: .25)", 0.25),
        ("LightGBM with lags [LB -6.87]", -6.87),
        ("LB-0.63 ensemble", 0.63),
        ("Experiment7: 0.43LB", 0.43),
        ("DistilBERT fine-tuning | 0.84 LB", 0.84),
        ("Stacking, 0.92721 on Public LB", 0.92721),
        ("[Top 3%] Titanic, score: 0.8134", 0.8134),
        ("EDA + XGBoost / Public Score 0.92542", 0.92542),
        ("MLP 17.366 score", 17.366),
        ("Random forest and XGBoost [0.84688]", 0.84688),
        ("Top 10 (0.10943): stacking", 0.10943),
        ("CV 0.812, LB 0.801", 0.801),
    ],
)
def test_titles_that_state_a_score(title: str, score: float) -> None:
    assert stated_score(title, []) == score


@pytest.mark.parametrize(
    "title",
    [
        "Titanic - Top 3%",
        "Top 5 solution of 2019",
        "XGBoost CV 0.92552",
        "CNN with 0.99510 validation accuracy",
        "CNN with PyTorch (0.995 accuracy)",
        "Blend v1.2 for the leaderboard",
        "TensorFlow 2.12.1 starter",
        "Spaceship 81.1% Leaderboard",
        "From 0.80123 to 0.81234",
        "LB 0.78 or LB 0.79?",
        "python-start-book-ch02_01",
        "How to get a better LB score",
    ],
)
def test_titles_that_state_none(title: str) -> None:
    assert stated_score(title, []) is None


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("My submission scored 0.52281", 0.52281),
        ("This solution got me a score of 0.98929 on the leaderboard.", 0.98929),
        ("This submission has score **0.39261** on LB and 2nd place.", 0.39261),
        ("It achieves a *leaderboard score* of `0.11553` with an elastic net.", 0.11553),
        ("To my surprise, this does well on LB ( 0.11420 and top 4% in 2017 )", 0.1142),
        ("RMSE 0.118 (LB)", 0.118),
        ("A public score of 12.3 is not bad.", 12.3),
        ("| public LB | 0.941 |", 0.941),
        ("- Public Score (RMSLE): **0.59435**", 0.59435),
        ("When I submitted this, I got a score of 0.765, which is fine.", 0.765),
        ("The predictions submitted to Kaggle achieved a MAE score of 11,847.22 (12th place)", 11847.22),
        ("Our LB score 0.968 matches our CV score 0.967.", 0.968),
        ("LB = 0.92_698", 0.92698),
        ("Deep trees overfit.<br>LB: 0.71", 0.71),
        ("LB=0.5 here.\n\nAgain: LB 0.50", 0.5),
    ],
)
def test_texts_that_state_a_score(text: str, score: float) -> None:
    assert markdown(text) == score


@pytest.mark.parametrize(
    "text",
    [
        "My cross-validation score is 0.8123.",
        "The validation accuracy was 0.91.",
        "It takes you to the top 4% of the leaderboard.",
        "It places this within the top 25 on the leaderboard.",
        "83.8% on the public leaderboard",
        "It gives around +0.01 LB",
        "Most scores between 0.117 and 0.118 on the leaderboard are luck.",
        "Models of 0.80-0.85 public score are alike.",
        "The target is LB 0.9.",
        "The benchmark has a public score of 0.5109",
        "Another notebook has LB 0.83, see [here](https://www.kaggle.com/code/me/mine)",
        "Based on [this one (LB 0.61)](https://www.kaggle.com/code/me/mine)",
        "It should score roughly 0.65 on the leaderboard.",
        "The private score is 0.71",
        "The CV/LB 0.927 0.926",
        "Uses LB 1.2.3 of the library",
        "The leaderboard opened in 2021.",
        "Forest scored 0.794, boosting scored 0.785, both of 0.84 in training, on the leaderboard 0.785",
        "LB 0.78 at first.\n\nThen LB 0.80!",
        "score: 0.81",
    ],
)
def test_texts_that_state_none(text: str) -> None:
    assert markdown(text) is None


@pytest.mark.parametrize(
    ("code", "score"),
    [
        ("# It gets a public leaderboard score of 0.76077.\nfit()", 0.76077),
        ("epochs = 2  # LB 0.82470", 0.8247),
        ("epochs = 1  # LB 0.82592\nepochs = 2  # LB 0.82470", None),
        ("leaderboard = 0.5\nlb = 0.6", None),
        ("print('LB 0.7')", None),
        ('# print(f"LB 0.7")', None),
        ("ax.set_title('score')  # 0.5", None),
    ],
)
def test_of_code_only_comments_count(code: str, score: float | None) -> None:
    assert stated_score("A notebook", [("code", code)]) == score


def test_the_title_wins_over_the_text() -> None:
    assert stated_score("LB 0.81", [("markdown", "LB 0.79"), ("code", "# LB 0.80")]) == 0.81


def test_embedded_images_cost_no_time(no_hang: None) -> None:
    image = "![lb](data:image/png;base64," + "0.5lb/score1.2" * 100_000 + ")"
    assert markdown(image) is None
    assert markdown("submission scored " * 20_000) is None
    assert markdown(("submission " * 300 + "scored 1.\n") * 20) is None
