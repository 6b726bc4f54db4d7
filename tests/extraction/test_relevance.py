"""Code cut by what it tells: models, fitting and features stay, plots and prints go."""

import ast

import pytest

from linguacodus_core.extraction.relevance import MARK, cut_code, relevance
from linguacodus_core.extraction.stripping import stripped
from linguacodus_core.instructions.context import tokens

NOTEBOOK = '''
# A notebook about houses
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.linear_model import Ridge

train = pd.read_csv("train.csv")
train.head()
train.describe()
plt.figure(figsize=(12, 8))
plt.hist(train["SalePrice"], bins=50)
plt.title("How prices are distributed over the years of the sale")
plt.show()
print("There are", len(train), "rows and", train.shape[1], "columns in the training data")

def plot_missing(df):
    """Draw the missing values."""
    counts = df.isnull().sum()
    plt.bar(counts.index, counts.values)
    plt.xticks(rotation=90)
    plt.show()

plot_missing(train)
train["LotFrontage"] = train["LotFrontage"].fillna(train["LotFrontage"].median())

def features(df):
    df["TotalSF"] = df["1stFlrSF"] + df["2ndFlrSF"]
    print("made the features of", len(df), "houses, which took a while, as it always does here")
    df = pd.get_dummies(df, columns=["Street", "Alley"])
    return df

train = features(train)
model = Ridge(alpha=10.0)
model.fit(train, np.log1p(y))
predictions = np.expm1(model.predict(test))
'''


def test_code_that_fits_is_only_stripped() -> None:
    text, left_out = cut_code(NOTEBOOK, 5000)
    assert left_out == 0
    assert "# A notebook" not in text
    assert "Draw the missing values" not in text
    assert "plt.show()" in text
    ast.parse(text)


@pytest.mark.parametrize("limit", [60, 120, 200])
def test_it_keeps_to_the_limit_and_says_what_it_left_out(limit: int) -> None:
    text, left_out = cut_code(NOTEBOOK, limit)
    assert tokens(text) <= limit
    assert left_out > 0
    assert MARK in text


def test_models_fitting_and_features_stay_plots_and_prints_go() -> None:
    text, _ = cut_code(NOTEBOOK, 190)
    for kept in (
        "Ridge(alpha=10.0)",
        "model.fit",
        "fillna",
        "get_dummies",
        "def features(df):",
        "TotalSF",
        "np.expm1",
    ):
        assert kept in text
    for gone in ("plt.hist", "describe", "print(", "plot_missing"):
        assert gone not in text


def test_lines_stay_in_their_order_under_their_heads() -> None:
    text, _ = cut_code(NOTEBOOK, 190)
    order = [
        text.index(part)
        for part in ("fillna", "def features", "TotalSF", "get_dummies", "Ridge(alpha", "model.fit")
    ]
    assert order == sorted(order)
    lines = text.split("\n")
    head = lines.index("def features(df):")
    assert lines[head + 1].startswith("    ")


def test_each_section_has_its_share() -> None:
    fits = "\n".join(f"model_{n} = XGBRegressor(max_depth={n}).fit(X, y)" for n in range(60))
    text, _ = cut_code(fits + "\ndf['a'] = df['a'].fillna(0)\ndf['b'] = pd.cut(df['b'], 5)", 300)
    assert "fillna" in text
    assert "pd.cut" in text


def test_code_that_does_not_parse_is_cut_by_lines() -> None:
    broken = NOTEBOOK + "\nprint 'python 2'\nthis is ( not\n"
    text, left_out = cut_code(broken, 150)
    assert tokens(text) <= 150
    assert left_out > 0
    assert "model.fit" in text
    assert "plt.title" not in text


@pytest.mark.parametrize(
    "code",
    ["", "\n\n", "# only a comment", "x = '" + "a" * 50_000 + "'", "x = [" + "1, " * 20_000 + "]", "(" * 300, "a\x00b", "\ufeffx = 1",
     "x = 1; y = 2; z = 3", "if a:\n    b\nelif c:\n    d\nelse:\n    e\n" * 200, "é = 'ü'\n" * 400, "f(\n" * 50, "\tx = 1\n" * 200],
)  # fmt: skip
def test_it_never_fails(code: str, no_hang: None) -> None:
    text, left_out = cut_code(code, 100)
    assert tokens(text) <= 101
    assert left_out >= 0


def test_long_literals_are_cut_to_their_beginning() -> None:
    names = ", ".join(f"'flower {n}'" for n in range(104))
    text, _ = cut_code(f"CLASSES = [{names}]\nmodel = SVC()\nmodel.fit(X, y)", 100)
    assert "'flower 0'" in text
    assert "'flower 90'" not in text
    ast.parse(text)


def test_texts_with_a_hash_are_not_taken_for_comments() -> None:
    assert stripped("colour = '#ff0000'  # red\n") == "colour = '#ff0000'"


def test_a_function_of_only_a_docstring_still_parses() -> None:
    ast.parse(stripped('def f():\n    """Nothing yet."""\n\nclass A:\n    """Empty."""\n'))


def test_another_counter_of_tokens_may_be_passed() -> None:
    text, left_out = cut_code(NOTEBOOK, 40, count=lambda text: len(text.split()))
    assert len(text.split()) <= 40
    assert left_out > 0


@pytest.mark.parametrize(
    ("telling", "showing"),
    [
        ("model = XGBClassifier(n_estimators=500)\nmodel.fit(X, y)", "df.head()"),
        ("df['a'] = df['a'].fillna(df['a'].median())", "df['a'].isnull().sum()"),
        ("X = pd.get_dummies(X)", "sns.countplot(x='Sex', data=df)\nplt.show()"),
        ("X_tr, X_te, y_tr, y_te = train_test_split(X, y)", "print(df.shape)"),
        ("df.drop(['Id'], axis=1, inplace=True)", "df.describe(include='all')"),
        ("model.add(Dense(64, activation='relu'))", "train.SalePrice.value_counts()"),
    ],
)
def test_what_tells_is_worth_more_than_what_shows(telling: str, showing: str) -> None:
    assert relevance(telling) > 0.2 > 0 > relevance(showing)
