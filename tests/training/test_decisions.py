"""Static instructions and free prose, as language models write it, read back into decisions."""

import json
from pathlib import Path

import pytest

from linguacodus_core.curation.cells import join
from linguacodus_core.extraction.evidence import Evidence, Model, Split, Step
from linguacodus_core.extraction.fields import InstructionFields, as_text
from linguacodus_core.extraction.static import is_solution, static_fields
from linguacodus_core.extraction.syntax import evidence
from linguacodus_core.extraction.vocabulary import FAMILIES, VALIDATIONS
from linguacodus_core.sources.sample import FOLDER
from linguacodus_core.training.decisions import family_of, validation_of
from linguacodus_core.training.sections import flaws_of, sections_of

PROSE = [
    (
        """**Data Preprocessing**: Missing values in `Age` are imputed with the median, `Cabin` is dropped and `Sex` is one-hot encoded.

**Model Architecture**: We use XGBoost with 500 trees, a learning rate of 0.05 and a maximum depth of 6.

**Model Training**: The model is trained with 5-fold cross-validation and early stopping after 50 rounds.""",
        "xgboost",
        "kfold",
    ),
    (
        """## Data preprocessing
- Fill missing values with the mean
- Standardize all numeric columns

## Model architecture
- A LightGBM classifier (num_leaves=31, learning_rate=0.05)
- class_weight="balanced"

## Model training
- StratifiedKFold with 5 splits
- Metric: ROC AUC""",
        "lightgbm",
        "stratified_kfold",
    ),
    (
        """1. Data preprocessing: The images are resized to 224x224 and normalized.
2. Model architecture: An EfficientNet-B0 backbone pretrained on ImageNet, followed by a dense layer with 5 outputs.
3. Model training: Adam optimizer, learning rate 1e-4, 20 epochs; 20% of the images are used for validation.""",
        "pretrained_cnn",
        "holdout",
    ),
    (
        "Data preprocessing: The text is lower-cased and tokenized. Model architecture: A BERT base model with a classification head. Model training: AdamW for 3 epochs, with an 80/20 train/validation split.",
        "transformer",
        "holdout",
    ),
    (
        """Data preprocessing: The `date` column is turned into year, month and day. Lags of 7 and 28 days are added.

Model architecture: Gradient boosted decision trees, implemented with CatBoost, depth 8.

Model training: The last 28 days are held out for validation. Quality is measured by RMSLE.""",
        "catboost",
        "time_split",
    ),
    (
        """Data preprocessing: None needed.

Model architecture: A simple neural network with two hidden layers of 128 and 64 units, ReLU and dropout.

Model training: Trained for 50 epochs with Adam on the whole training data, no validation.""",
        "mlp",
        "none",
    ),
    (
        """Data preprocessing: pixel values are divided by 255.

Model architecture: We build a convolutional neural network with three Conv2D layers, max pooling and two dense layers.

Model training: The network is trained with a validation_split of 0.1 for 30 epochs.""",
        "cnn",
        "holdout",
    ),
    (
        """Data preprocessing: Drop the id.

Model architecture: We tried logistic regression, random forest and SVM as baselines, and finally chose a LightGBM model because it scored best.

Model training: 10-fold cross validation.""",
        "lightgbm",
        "kfold",
    ),
    (
        """Data preprocessing: scale with StandardScaler.

Model architecture: A weighted average of LightGBM (0.6), XGBoost (0.3) and CatBoost (0.1).

Model training: Out-of-fold predictions over 5 folds grouped by patient: GroupKFold on patient_id.""",
        "lightgbm",
        "group_kfold",
    ),
    (
        """Data preprocessing: tokens are padded to 128.

Model architecture: A bidirectional LSTM with 64 units on top of an embedding layer of size 100.

Model training: binary cross-entropy, batch size 64; the validation loss is monitored for early stopping.""",
        "rnn",
        "holdout",
    ),
    (
        """### Data Preprocessing
The columns are joined.

### Model Architecture
The main model is a Random Forest Regressor with 300 trees. A KNN imputer fills gaps before it.

### Model Training
Repeated 5-fold cross-validation, 3 repeats.""",
        "random_forest",
        "repeated_kfold",
    ),
    (
        """Data preprocessing: tiles of 512x512.

Model architecture: U-Net with a ResNet34 encoder pretrained on ImageNet.

Model training: Dice loss; 5 folds, stratified by coverage.""",
        "segmentation",
        "stratified_kfold",
    ),
    (
        "Data preprocessing: prices in logs.\n\nModel architecture: Ridge regression with alpha 10.\n\nModel training: Hyperparameters are tuned by grid search with 5-fold cross-validation; 20 % of the rows are held back for the final evaluation.",
        "linear",
        "holdout",
    ),
    (
        "Data preprocessing: logs.\n\nModel architecture: An ElasticNet with l1_ratio 0.5.\n\nModel training: alpha is selected by GridSearchCV with 5 folds.",
        "elastic_net",
        "kfold",
    ),
    (
        "Data preprocessing: Prompts are built from both answers.\n\nModel architecture: Gemma-2-9b-it fine-tuned with LoRA (r=16).\n\nModel training: One epoch on all data; nothing is held back.",
        "llm",
        "none",
    ),
    (
        "Data preprocessing: images 256x256.\n\nModel architecture: CycleGAN with two generators and two discriminators.\n\nModel training: Adam, 30 epochs.",
        "gan",
        "none",
    ),
    (
        "Data preprocessing: sales per store and day.\n\nModel architecture: A Prophet model for each store, with yearly seasonality.\n\nModel training: walk-forward validation over three windows.",
        "statistical_series",
        "time_split",
    ),
    (
        "Data preprocessing: features scaled.\n\nModel architecture: Support vector machine with an RBF kernel, C=10.\n\nModel training: leave-one-out cross-validation because the data are few.",
        "svm",
        "leave_one_out",
    ),
    (
        "Data preprocessing: a TF-IDF of the text.\n\nModel architecture: Multinomial Naive Bayes rather than a transformer, since it is fast.\n\nModel training: 25 % of the data is set aside as a validation set.",
        "naive_bayes",
        "holdout",
    ),
    (
        "Data preprocessing: TF-IDF.\n\nModel architecture: HistGradientBoostingClassifier with max_iter=400.\n\nModel training: time-based split, training on 2013-2015 and validating on 2016.",
        "hist_gradient_boosting",
        "time_split",
    ),
    (
        "Data preprocessing: spectrograms.\n\nModel architecture: A pretrained Vision Transformer (ViT-B/16).\n\nModel training: StratifiedGroupKFold with five folds by speaker.",
        "vision_transformer",
        "stratified_group_kfold",
    ),
    (
        "Data preprocessing: boxes in YOLO format.\n\nModel architecture: YOLOv8m, image size 640.\n\nModel training: one of five folds is held out.",
        "detection",
        "kfold",
    ),
    (
        "Data preprocessing: categorical columns are label-encoded.\n\nModel architecture: K-Nearest Neighbors with k=5 and Euclidean distance.\n\nModel training: train_test_split with test_size=0.3.",
        "knn",
        "holdout",
    ),
    (
        "Data preprocessing: A ColumnTransformer imputes and encodes.\n\nModel architecture: A stacking ensemble of CatBoost, LightGBM and XGBoost with a logistic regression as the meta-learner.\n\nModel training: 5-fold.",
        "linear",
        "kfold",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: scikit-learn's GradientBoostingRegressor with 3000 estimators and huber loss.\n\nModel training: 10-fold CV.",
        "gradient_boosting",
        "kfold",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: The model is a gradient boosting machine (LightGBM) with 1000 trees.\n\nModel training: cross-validation with 4 folds; seeds are averaged.",
        "lightgbm",
        "kfold",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: A CNN based on transfer learning with ResNet50.\n\nModel training: 90/10 split into training and validation images.",
        "pretrained_cnn",
        "holdout",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: A logistic regression model with L2 penalty.\n\nModel training: The model is fitted on the full training data without validation.",
        "linear",
        "none",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: Decision tree of depth 4.\n\nModel training: Not validated.",
        "decision_tree",
        "none",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: Extra Trees with 500 estimators, compared with a random forest.\n\nModel training: Nested cross-validation, 5 outer and 3 inner folds.",
        "extra_trees",
        "nested",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: AutoGluon's TabularPredictor, best_quality preset.\n\nModel training: 8-fold bagging.",
        "automl",
        "kfold",
    ),
    (
        "Data preprocessing: mean imputation.\n\nModel architecture: A TabNet with 8 decision steps.\n\nModel training: a stratified 5-fold scheme.",
        "tabular_network",
        "stratified_kfold",
    ),
    (
        "Data preprocessing: molecules become graphs.\n\nModel architecture: A graph neural network of four GAT layers.\n\nModel training: a random hold-out of 10 percent.",
        "graph_network",
        "holdout",
    ),
    (
        "Data preprocessing: ratings matrix.\n\nModel architecture: Matrix factorization with 50 factors.\n\nModel training: the most recent 10 % of the rows are kept for validation.",
        "recommender",
        "time_split",
    ),
    (
        "The solution uses a random forest with 200 trees. Missing values are filled and the data is split into training and validation sets.",
        "random_forest",
        "holdout",
    ),
    (
        "The goal is to predict the price of a house. The data is cleaned and then the model is evaluated.",
        None,
        "none",
    ),
    (
        "Data preprocessing: k-means clusters are added as features.\n\nModel architecture: First k-means clustering of the rows, then an XGBoost classifier with depth 5.\n\nModel training: no cross-validation, a simple hold-out of 20 %.",
        "xgboost",
        "holdout",
    ),
    (
        "Data preprocessing: Public predictions are read.\n\nModel architecture: A blend of public submission files with weights 0.7 and 0.3.\n\nModel training: Nothing is trained.",
        "submission_blend",
        "none",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: Unlike XGBoost, a multi-layer perceptron handles this well; it has three layers.\n\nModel training: KFold(n_splits=5).",
        "mlp",
        "kfold",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: DeBERTa-v3-large with mean pooling.\n\nModel training: MultilabelStratifiedKFold, 4 folds.",
        "transformer",
        "stratified_kfold",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: A 1D CNN followed by GRU layers.\n\nModel training: purged time series split.",
        "cnn",
        "time_split",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: AdaBoost over decision trees, 100 rounds.\n\nModel training: sliding-window backtesting.",
        "adaboost",
        "time_split",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: A variational autoencoder whose error flags anomalies.\n\nModel training: trained on normal rows alone.",
        "autoencoder",
        "none",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: Linear Discriminant Analysis.\n\nModel training: cross-validated with 5 folds, in which rows of the same user never appear on both sides.",
        "discriminant_analysis",
        "group_kfold",
    ),
    (
        "Data preprocessing: x.\n\nModel architecture: A transformer encoder with 4 heads, trained from scratch.\n\nModel training: evaluation on the given validation files.",
        "transformer",
        "holdout",
    ),
]


@pytest.mark.parametrize(("text", "family", "validation"), PROSE, ids=range(len(PROSE)))
def test_prose_of_language_models_is_read(text: str, family: str | None, validation: str) -> None:
    assert (family_of(text), validation_of(text)) == (family, validation)


def test_what_is_read_is_in_the_vocabularies() -> None:
    assert {family_of(text) for text, _, _ in PROSE} - {None} <= set(FAMILIES)
    assert {validation_of(text) for text, _, _ in PROSE} <= set(VALIDATIONS)
    assert len({family for _, family, _ in PROSE}) > 25
    assert {validation for _, _, validation in PROSE} == set(VALIDATIONS)


def _static(architecture: str, training: str) -> str:
    return as_text(
        InstructionFields(
            preprocessing="Numeric columns are scaled.", architecture=architecture, training=training
        )
    )


STATIC = [
    ("A convolutional network of 3 convolutions (32-64-128) and 2 dense layers.", "cnn"),
    ("A convolutional and bidirectional LSTM network of 2 1-D convolutions (64-128) and 2 LSTM layers.", "rnn"),
    ("A convolutional network resnet18.", "pretrained_cnn"),
    ("A pretrained vision transformer dinov2 with 2 convolutions (256-1) on top.", "vision_transformer"),
    ("A transformer of 4 attention layers, 16 dense layers (128), normalisation and dropout.", "transformer"),
    ("A blend of several generative adversarial networks. The generative adversarial network has 3 convolutions.", "gan"),
    ("A Unet with the encoder efficientnet-b4.", "segmentation"),
    ("A detector yolo11s-seg.", "detection"),
    ("A large language model gemma-2-9b-it-4bit.", "llm"),
    ("A kernel ridge regression with alpha 0.2. Also used: lasso regression.", "svm"),
    ("A tabular_learner. Compared with Prophet model.", "mlp"),
    ("A nearest-neighbour search with n_neighbors 25.", "knn"),
    ("A stacking ensemble of LightGBM regressor and XGBoost regressor with a ridge regression above them.", "linear"),
    ("A stacking ensemble of linear regression and random forest regressor with a lasso regression with a "
     "cross-validated penalty above them.", "linear"),
    ("A soft-voting ensemble of LightGBM classifier and CatBoost classifier. The CatBoost classifier has depth 6.",
     "catboost"),
    ("A decision tree regressor. Also used: random forest regressor; XGBoost regressor.", "decision_tree"),
    ("An XGBoost regressor. Features come from a pretrained convolutional network resnet50.", "xgboost"),
    ("A blend of k-means clustering and GRU network.", "rnn"),
    ("Predictions of other submissions are read from files and blended.", "submission_blend"),
    ("No model is fitted; predictions follow from rules in the code.", "rule_based"),
    ("Saved models are loaded and applied.", None),
    ("A network is trained whose layers the code does not show.", None),
]  # fmt: skip


@pytest.mark.parametrize(("architecture", "family"), STATIC)
def test_the_static_extractors_models_are_read(architecture: str, family: str | None) -> None:
    assert family_of(_static(architecture, "Nothing is trained.")) == family


STATIC_VALIDATION = [
    ("It is fitted on all training rows; nothing is held back for validation.", "none"),
    ("It is applied as it was loaded; nothing is fitted here.", "none"),
    ("25 % of the rows are held back for validation, stratified by class.", "holdout"),
    ("Part of the rows is held back for validation.", "holdout"),
    ("The given validation files are the hold-out.", "holdout"),
    ("The last 20 % of the rows are held back for validation, without shuffling.", "time_split"),
    ("The latest rows by week are held back for validation.", "time_split"),
    ("Validation on 4 successive periods (TimeSeriesSplit).", "time_split"),
    ("Validation is 5-fold cross-validation, beside a hold-out.", "kfold"),
    ("Its penalty is chosen by 5-fold cross-validation.", "kfold"),
    ("Hyper-parameters (alpha) are tuned by grid search with 5-fold cross-validation. 20 % of the rows are held back "
     "for validation.", "holdout"),
    ("Hyper-parameters are tuned by grid search with 5-fold cross-validation. Validation is 5-fold stratified "
     "cross-validation.", "stratified_kfold"),
    ("Validation is 3-fold stratified cross-validation with groups kept together.", "stratified_group_kfold"),
    ("Validation is 5-fold cross-validation with groups kept together (groups: patient).", "group_kfold"),
    ("Validation is 5-fold repeated cross-validation, 3 times.", "repeated_kfold"),
    ("Validation is leave-one-out cross-validation.", "leave_one_out"),
    ("Validation is 4-fold nested cross-validation.", "nested"),
]  # fmt: skip


@pytest.mark.parametrize(("training", "validation"), STATIC_VALIDATION)
def test_the_static_extractors_validations_are_read(training: str, validation: str) -> None:
    assert validation_of(_static("An XGBoost regressor.", training)) == validation


def _codes() -> list[str]:
    """The code of each kernel of the corpus that ships, as far as it is Python."""
    codes = []
    for path in sorted(FOLDER.glob("*/*/*")):
        if path.suffix == ".py":
            codes.append(path.read_text("utf-8"))
        elif path.suffix == ".ipynb":
            cells = json.loads(path.read_text("utf-8"))["cells"]
            codes.append(join(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]))
    return codes


def test_instructions_of_the_corpus_that_ships_are_read_as_their_fields_say() -> None:
    read = agreed = 0
    wrong = []
    for code in _codes():
        try:
            found = evidence(code)
        except SyntaxError:
            continue
        if not is_solution(found):
            continue
        fields = static_fields(code, found)
        text = as_text(fields)
        wanted = (fields.families[0] if fields.families else None, fields.validation)
        got = (family_of(text), validation_of(text))
        read += 1
        agreed += wanted == got
        if wanted != got:
            wrong.append((wanted, got, text))
    assert read > 40
    assert agreed / read >= 0.95, wrong


def test_every_network_family_is_read_from_what_the_extractor_writes_of_it() -> None:
    layers = {
        "cnn": (("conv2d", 3),),
        "rnn": (("lstm", 1),),
        "transformer": (("attention", 2),),
        "mlp": (("dense", 3),),
    }
    for family, kinds in layers.items():
        model = Model(family=family, name="Net", library="torch", role="submitted", layers=kinds)
        split = Split(scheme="kfold", folds=5, fits=True)
        fields = static_fields(
            "", Evidence(models=(model,), splits=(split,), steps=(Step(kind="epochs", detail="3"),))
        )
        assert family_of(as_text(fields)) == family
        assert validation_of(as_text(fields)) == "kfold"


SECTIONED = [
    "Data preprocessing: A is filled.\n\nModel architecture: B is built.\n\nModel training: C is done.",
    "**Data Preprocessing**: A is filled.\n**Model Architecture**: B is built.\n**Model Training**: C is done.",
    "### 1. Data Preprocessing\nA is filled.\n### 2. Model Architecture\nB is built.\n### 3. Model Training\nC is done.",
    "1) Preprocessing - A is filled.\n2) Architecture - B is built.\n3) Training - C is done.",
    "Data preprocessing: A is filled. Model architecture: B is built. Model training: C is done.",
    "- **Data preprocessing:** A is filled.\n- **Model architecture:** B is built.\n- **Model training:** C is done.",
    "Step 1: Data preprocessing\n\nA is filled.\n\nStep 2: Model architecture\n\nB is built.\n\nStep 3: Model training"
    "\n\nC is done.",
]


@pytest.mark.parametrize("text", SECTIONED)
def test_sections_are_found_whatever_marks_their_headings(text: str) -> None:
    assert sections_of(text).texts == ("A is filled.", "B is built.", "C is done.")
    assert flaws_of(text) == ()
    assert flaws_of(text, cut=True) == ("cut before its end",)


def test_what_stands_before_the_first_heading_is_kept_apart() -> None:
    found = sections_of("Sure! Here it is.\n\n" + SECTIONED[0])
    assert found.before == "Sure! Here it is."
    assert found.preprocessing == "A is filled."


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("", ("no section Data preprocessing", "no section Model architecture", "no section Model training")),
        (
            "Data preprocessing: A is filled.\n\nModel architecture: B is built.",
            ("no section Model training",),
        ),
        (
            "Data preprocessing: A is filled.\n\nModel architecture:\n\nModel training: C is done.",
            ("next to nothing under Model architecture",),
        ),
        (
            "The model training of the data preprocessing is the model architecture of the task.",
            ("no section Data preprocessing", "no section Model architecture", "no section Model training"),
        ),
    ],
)
def test_flaws_of_form_are_named(text: str, flaws: tuple[str, ...]) -> None:
    assert flaws_of(text) == flaws


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize(
    "piece", ["a ", "1-", "cross-", "the model of the ", "fold ", "(", "**", "-\n", "stratified "]
)
def test_hostile_texts_are_read_in_time(piece: str) -> None:
    text = piece * 4000
    family_of(text)
    validation_of(text)
    flaws_of(text)


def test_the_shipped_corpus_is_where_the_test_looks_for_it() -> None:
    assert isinstance(FOLDER, Path)
    assert len(_codes()) > 60
