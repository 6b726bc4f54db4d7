"""The static extractor: fields and plain English from the code alone."""

from textwrap import dedent

import pytest

from linguacodus_core.extraction.fields import as_text
from linguacodus_core.extraction.grounding import ground
from linguacodus_core.extraction.static import static_fields
from linguacodus_core.extraction.syntax import evidence

TITANIC = """
import numpy as np
import pandas as pd
import seaborn as sns
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold
import lightgbm as lgb

train = pd.read_csv("../input/titanic/train.csv")
test = pd.read_csv("../input/titanic/test.csv")
sns.heatmap(train.corr())
for df in [train, test]:
    df["Age"] = df["Age"].fillna(df["Age"].median())
    df["Embarked"] = df["Embarked"].fillna("S")
    df["FamilySize"] = df["SibSp"] + df["Parch"] + 1
    df["Title"] = df["Name"].str.extract(r" ([A-Za-z]+)\\.", expand=False)
    df["Sex"] = df["Sex"].map({"male": 0, "female": 1})
train = pd.get_dummies(train, columns=["Embarked", "Title"])
test = pd.get_dummies(test, columns=["Embarked", "Title"])
y = train["Survived"]
X = train.drop(columns=["Survived", "Name", "Ticket"])
params = {"num_leaves": 31, "learning_rate": 0.05, "n_estimators": 2000, "random_state": 7, "n_jobs": -1}
rf = RandomForestClassifier().fit(X, y)
preds = np.zeros(len(test))
folds = StratifiedKFold(n_splits=5, shuffle=True)
for tr, va in folds.split(X, y):
    model = lgb.LGBMClassifier(**params)
    model.fit(X.iloc[tr], y.iloc[tr], eval_set=[(X.iloc[va], y.iloc[va])], callbacks=[lgb.early_stopping(100)])
    preds += model.predict_proba(test)[:, 1] / 5
sub = pd.DataFrame({"PassengerId": test.PassengerId, "Survived": (preds > 0.5).astype(int)})
sub.to_csv("submission.csv", index=False)
"""

CATS = """
import tensorflow as tf
from tensorflow.keras import layers
base = tf.keras.applications.EfficientNetB0(weights="imagenet", include_top=False)
model = tf.keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])
model.compile(optimizer=tf.keras.optimizers.Adam(1e-4), loss="categorical_crossentropy", metrics=["accuracy"])
def read(path):
    image = tf.image.decode_jpeg(tf.io.read_file(path))
    image = tf.image.resize(image, [224, 224]) / 255.0
    return tf.image.random_flip_left_right(image)
model.fit(data.map(read).batch(32), epochs=10, validation_data=valid)
"""


def test_a_table_is_summed_up_as_a_data_scientist_would() -> None:
    fields = static_fields(TITANIC)
    assert as_text(fields) == (
        'Data preprocessing: Missing values of Age are filled with the median, of Embarked with "S". New columns are '
        "made: FamilySize = SibSp + Parch + 1; Title is derived from Name. Sex is mapped to numbers; Embarked and Title "
        "are one-hot encoded. Name and Ticket are dropped.\n\n"
        "Model architecture: A LightGBM classifier with n_estimators 2000, learning_rate 0.05 and num_leaves 31. "
        "Compared with random forest classifier.\n\n"
        "Model training: Training stops early after 100 rounds without progress. Validation is 5-fold stratified "
        "cross-validation, and the folds' predictions are averaged. Predictions are cut at 0.5 into classes."
    )
    assert fields.families == ("lightgbm",)
    assert fields.validation == "stratified_kfold"
    assert fields.libraries == ("lightgbm", "sklearn", "numpy", "pandas")
    assert fields.hyperparameters == {
        "n_estimators": 2000,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "early_stopping_rounds": 100,
    }
    assert "FamilySize = SibSp + Parch + 1" in fields.features
    assert "Title from Name" in fields.features


def test_images_are_summed_up_too() -> None:
    fields = static_fields(CATS)
    assert as_text(fields) == (
        "Data preprocessing: Images are resized to 224x224; pixel values are divided by 255; augmentation by horizontal "
        "flips.\n\n"
        "Model architecture: A pretrained convolutional network EfficientNetB0 with one dense layer (2) on top.\n\n"
        "Model training: The network is trained by Adam at learning rate 0.0001 on cross-entropy loss for 10 epochs in "
        "batches of 32. Part of the rows is held back for validation. Quality is measured by accuracy."
    )
    assert (fields.families, fields.validation) == (("pretrained_cnn",), "holdout")
    assert fields.hyperparameters["image_size"] == "224x224"


@pytest.mark.parametrize("code", [TITANIC, CATS])
def test_what_it_writes_is_grounded(code: str) -> None:
    found = evidence(code)
    grounding = ground(static_fields(code, found), found)
    assert grounding.score == 1.0
    assert grounding.claims > 4
    assert grounding.unsupported == ()


def test_every_solution_has_three_paragraphs() -> None:
    for code in ("m = Ridge().fit(X, y)", "sub['y'] = 1\nsub.to_csv('submission.csv')"):
        text = as_text(static_fields(code))
        assert [part.split(":")[0] for part in text.split("\n\n")] == [
            "Data preprocessing",
            "Model architecture",
            "Model training",
        ]


def test_code_without_a_solution_claims_nothing() -> None:
    fields = static_fields("import pandas as pd\npd.read_csv('train.csv').describe()")
    assert as_text(fields) == ""
    assert (fields.families, fields.validation, fields.hyperparameters) == ((), "none", {})


def test_columns_keep_their_case_at_the_start_of_a_sentence() -> None:
    text = static_fields("df = df.drop(columns=['name'])\nm = Ridge().fit(df, y)").preprocessing
    assert text == "name is dropped."


def test_a_blend_names_its_parts_and_weights() -> None:
    text = static_fields(
        dedent(
            """
            a = XGBRegressor(max_depth=4).fit(X, y)
            b = Lasso(alpha=0.001).fit(X, y)
            sub["y"] = 0.8 * a.predict(t) + 0.2 * b.predict(t)
            sub.to_csv("submission.csv")
            """
        )
    ).architecture
    assert text == (
        "A blend of XGBoost regressor and lasso regression with weights 0.8, 0.2. "
        "The XGBoost regressor has max_depth 4. The lasso regression has alpha 0.001."
    )


def test_a_model_that_is_only_loaded_is_not_said_to_be_fitted() -> None:
    code = "from ultralytics import YOLO\nm = YOLO('yolov8n.pt')\nsub['p'] = m.predict(t)\nsub.to_csv('submission.csv')"
    assert static_fields(code).training == "It is applied as it was loaded; nothing is fitted here."


def test_code_that_does_not_parse_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        static_fields("print 'python 2'")
