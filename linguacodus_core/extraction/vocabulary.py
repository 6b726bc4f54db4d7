"""The closed words in which instructions speak of models and of validation."""

from typing import Final


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


FAMILIES: Final[dict[str, str]] = {
    "lightgbm": "gradient boosting by LightGBM",
    "xgboost": "gradient boosting by XGBoost",
    "catboost": "gradient boosting by CatBoost",
    "hist_gradient_boosting": "scikit-learn's histogram gradient boosting",
    "gradient_boosting": "classic gradient boosted trees (scikit-learn, TensorFlow Decision Forests, Spark)",
    "random_forest": "random forests",
    "extra_trees": "extremely randomised trees",
    "decision_tree": "a single decision tree",
    "adaboost": "AdaBoost",
    "linear": "linear and logistic regression, ridge, lasso, other linear models trained directly",
    "elastic_net": "linear models with both an L1 and an L2 penalty",
    "svm": "support vector machines",
    "knn": "nearest neighbours",
    "naive_bayes": "naive Bayes",
    "discriminant_analysis": "linear and quadratic discriminant analysis",
    "gaussian_process": "Gaussian processes, Bayesian models fitted by sampling",
    "mlp": "fully connected networks",
    "tabular_network": "networks and foundation models made for tables (TabNet, FT-Transformer, TabPFN)",
    "cnn": "convolutional networks trained from scratch, over images, sequences or series",
    "pretrained_cnn": "convolutional networks with pretrained weights (EfficientNet, ResNet, ConvNeXt, ...)",
    "vision_transformer": "vision transformers and image-text models (ViT, Swin, DINO, CLIP, SigLIP)",
    "segmentation": "networks that label pixels (U-Net, DeepLab, SegFormer, SAM)",
    "detection": "object and keypoint detectors (YOLO, Faster R-CNN, DETR)",
    "rnn": "recurrent networks (LSTM, GRU)",
    "transformer": "transformers: encoders such as BERT and ESM, and attention trained from scratch",
    "llm": "large generative language models, prompted or fine-tuned",
    "graph_network": "graph neural networks",
    "gan": "generative adversarial networks",
    "autoencoder": "autoencoders, variational ones too",
    "diffusion": "diffusion models",
    "recommender": "matrix factorisation, factorisation machines, recommenders",
    "statistical_series": "statistical models of series (ARIMA, exponential smoothing, Prophet)",
    "clustering": "clusters and mixtures (k-means, DBSCAN, Gaussian mixtures)",
    "automl": "automatic search over many models (AutoGluon, H2O, PyCaret, LightAutoML)",
    "submission_blend": "a blend of submissions read from files",
    "rule_based": "rules, look-ups and classical signal or image processing without a fitted model",
}
"""Model families, each with what belongs to it. The names of `synthesis.plan.Family` are among them."""

VALIDATIONS: Final[dict[str, str]] = {
    "none": "nothing is held back",
    "holdout": "one part of the rows is held back",
    "kfold": "k folds, or cross-validation of which no more is known",
    "stratified_kfold": "k folds with the classes' shares kept",
    "group_kfold": "k folds that keep groups together",
    "stratified_group_kfold": "k folds that keep groups together and the classes' shares",
    "repeated_kfold": "k folds, repeated with other splits",
    "leave_one_out": "each row, or each group, is held back once",
    "time_split": "later rows are held back, once or in several steps",
    "nested": "a search with its own folds inside the folds of the evaluation",
}
"""Validation schemes, each with what it means."""

PLOTTING: Final = word_set(
    "matplotlib seaborn plotly bokeh altair pylab mpl_toolkits missingno wordcloud folium cufflinks "
    "chart_studio "
    "plotnine hvplot holoviews graphviz pydot pydotplus dtreeviz colorama ptable prettytable tabulate "
    "squarify joypy venn matplotlib_venn ipywidgets IPython pyvis termcolor pandas_profiling ydata_profiling "
    "sweetviz autoviz dataprep klib yellowbrick scikitplot geopandas shapely pywaffle bar_chart_race"
)
"""Import names of what only draws and shows."""
