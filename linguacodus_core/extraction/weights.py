"""How much a piece of code says about preprocessing, architecture and training, by the names in it."""

import re
from typing import Final

from linguacodus_core.extraction.modelcatalog import ENSEMBLES, MODELS, SEARCHES, WRAPPERS
from linguacodus_core.extraction.networkcatalog import HUB_CLASSES, LAYER_KINDS
from linguacodus_core.extraction.splits import CROSS_VALIDATORS, SPLITTERS
from linguacodus_core.extraction.stepcatalog import (
    AUGMENTERS,
    CALLBACKS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    TRANSFORMERS,
)
from linguacodus_core.extraction.vocabulary import word_set

_SAID: Final[dict[float, str]] = {
    3.0: "fit fit_generator fit_one_cycle train_test_split compile create_model from_pretrained "
    "backward train_on_batch "
    "lgb_params xgb_params cat_params fit_predict partial_fit Pipeline make_pipeline ColumnTransformer "
    "Trainer "
    "TrainingArguments suggest_float suggest_int suggest_categorical optimize num_boost_round",
    2.5: "predict predict_proba predict_generator fit_transform get_dummies param_grid params n_splits "
    "DMatrix "
    "early_stopping_rounds random_split LightningModule zero_grad apply_gradients clip_grad_norm_ forecast",
    2.0: "fillna SimpleImputer log1p expm1 boxcox1p cut qcut shift transform n_estimators learning_rate "
    "max_depth "
    "num_leaves epochs batch_size hidden_size dropout units activation kernel_size pad_sequences tokenizer "
    "DataLoader interpolate dropna resample stopwords lemmatize flow_from_directory ImageDataGenerator "
    "from_tensor_slices TFRecordDataset class_weight validation_data validation_split reg_alpha subsample "
    "best_params_ best_estimator_ score_cv factorize weight_decay augment",
    1.5: "drop map apply merge replace rolling ewm diff pct_change encode step criterion optimizer loss "
    "scheduler "
    "forward softmax sigmoid relu dt str normalize standardize pop stratify inverse_transform "
    "drop_duplicates clip "
    "groupby agg aggregate stack hstack vstack to_categorical resize scale encoding tokenise tokenize "
    "sub lower "
    "select_dtypes isin Input add timedelta dayofweek hour month year weekday week day",
    1.0: "astype concat append to_datetime assign rename set_index reset_index loc iloc where mean "
    "median mode log sqrt "
    "split sample sort_values pivot_table melt eval train valid y_train X_train X_test test_size "
    "random_state "
    "submission to_csv values float int zeros array reshape del as_matrix",
    0.5: "read_csv train test read_json read_parquet target label labels features feature",
    -0.7: "shape unique isnull isna nunique sum len columns index count any memory_usage keys listdir format",
    -1.5: "print display head tail info describe value_counts dtypes dtype corr crosstab display_html "
    "HTML Image "
    "set_option filterwarnings walk style summary plot_model feature_importances_ pivot coef_ skew kurt "
    "get_feature_names confusion_matrix classification_report __version__ check_output",
    -2.0: "plot show figure hist bar barh scatter pie boxplot imshow subplots subplot title suptitle "
    "xlabel ylabel "
    "xticks yticks legend set_title set_xlabel set_ylabel set_xticklabels tick_params annotate text "
    "axvline axhline "
    "savefig tight_layout heatmap distplot countplot barplot histplot kdeplot pairplot lineplot "
    "scatterplot jointplot "
    "boxplot violinplot factorplot catplot pointplot regplot lmplot stripplot FacetGrid despine "
    "set_style set_theme "
    "color_palette palette grid ax axes fig WordCloud wordcloud add_trace update_layout iplot "
    "layout Layout Scatter "
    "Bar Histogram Figure figsize fontsize colorbar cmap alpha_ autopct plot_importance plot_tree "
    "probplot plotting "
    "plot_confusion_matrix autocorrelation_plot plot_acf plot_pacf rcParams twinx set_xlim set_ylim "
    "matrix dendrogram",
    -3.0: "plt sns px go pyplot seaborn plotly msno missingno bokeh alt folium pylab ff pyo mpl",
}  # fmt: skip
WORDS: Final[dict[str, float]] = {
    **{word: weight for weight, said in _SAID.items() for word in said.split()},
    **dict.fromkeys((*AUGMENTERS, *SCHEDULES, *CALLBACKS), 2.0),
    **dict.fromkeys((*LOSSES, *OPTIMIZERS, *LAYER_KINDS), 2.0),
    **dict.fromkeys(TRANSFORMERS, 2.5),
    **dict.fromkeys(
        (*MODELS, *ENSEMBLES, *SEARCHES, *WRAPPERS, *SPLITTERS, *CROSS_VALIDATORS, *HUB_CLASSES), 3.0
    ),
}
"""Name -> what it is worth; negative for what only shows."""

_TRAINING: Final = word_set(
    "fit fit_generator fit_one_cycle train_test_split compile backward train_on_batch predict predict_proba "
    "predict_generator random_split zero_grad apply_gradients clip_grad_norm_ early_stopping_rounds "
    "n_splits epochs "
    "batch_size validation_data validation_split class_weight criterion optimizer scheduler optimize "
    "param_grid "
    "submission expm1 TrainingArguments Trainer suggest_float suggest_int suggest_categorical"
) | {*LOSSES, *OPTIMIZERS, *SCHEDULES, *CALLBACKS, *SPLITTERS, *CROSS_VALIDATORS, *SEARCHES}
_ARCHITECTURE: Final = word_set(
    "from_pretrained create_model Sequential Model n_estimators learning_rate max_depth num_leaves "
    "reg_alpha subsample "
    "hidden_size dropout units activation kernel_size forward LightningModule params lgb_params xgb_params"
) | {*MODELS, *ENSEMBLES, *WRAPPERS, *LAYER_KINDS, *HUB_CLASSES}

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_TEXT: Final = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_STORED: Final = re.compile(
    r"^\s*(@|def |class |return|for |if |while |with |del |[\w.\[\]'\", :()]*[^=!<>]=[^=])"
)
_IMPORT: Final = re.compile(r"^\s*(import|from)\s+\w")
_SHOWS: Final = re.compile(r"(?:plot|show|display|draw|visuali[sz]e|print|view|describe|inspect)_|plt_|viz_")
MOST: Final = 6.0
"""The sum of weights that counts as 1."""


def section(statement: str) -> str:
    """The section that a statement tells of: preprocessing, architecture or training, by what weighs most
    in it."""
    told = {"preprocessing": 0.0, "architecture": 0.0, "training": 0.0}
    for name in dict.fromkeys(_NAME.findall(_TEXT.sub("''", statement))):
        weight = WORDS.get(name, 0.0)
        if weight > 0:
            part = (
                "training"
                if name in _TRAINING
                else "architecture"
                if name in _ARCHITECTURE
                else "preprocessing"
            )
            told[part] += weight
    return max(told, key=lambda part: told[part])


def worth(statement: str) -> float:
    """What one statement tells: from -1 (it only shows) over 0 (nothing) to 1 (it builds or fits a model).

    Names in texts count for a column's name at most; a bare expression that stores nothing is a display.
    """
    if _IMPORT.match(statement):
        return 0.1
    if statement.lstrip().startswith("#"):
        return -1.0
    bare = _TEXT.sub("''", statement)
    names = dict.fromkeys(_NAME.findall(bare))
    good = sorted((WORDS[name] for name in names if WORDS.get(name, 0.0) > 0), reverse=True)
    bad = sorted(WORDS.get(name, -2.0) for name in names if WORDS.get(name, 0.0) < 0 or _SHOWS.match(name))
    total = sum(weight / (1 + 0.5 * place) for place, weight in enumerate(good))
    total += sum(weight / (1 + 0.3 * place) for place, weight in enumerate(bad))
    if _STORED.match(bare) or "inplace" in names:
        total += 0.5
    elif not good or good[0] < 2:
        total -= 1.5
    return max(-1.0, min(1.0, total / MOST))
