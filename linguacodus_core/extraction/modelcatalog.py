"""Which callables construct a predictive model, and of which family; networks are in `networkcatalog`."""

import re
from typing import Final

from linguacodus_core.extraction.vocabulary import word_set

_BY_FAMILY: Final[dict[str, str]] = {
    "lightgbm": "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel LightGBMModel LightGBMClassifier "
    "LightGBMRegressor",
    "xgboost": "XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor XGBoostClassifier "
    "SparkXGBClassifier SparkXGBRegressor XGBModel",
    "catboost": "CatBoostClassifier CatBoostRegressor CatBoostRanker CatBoost CatBoostModel",
    "hist_gradient_boosting": "HistGradientBoostingClassifier HistGradientBoostingRegressor",
    "gradient_boosting": "GradientBoostingClassifier GradientBoostingRegressor GBTClassifier GBTRegressor "
    "GradientBoostedTreesModel NGBRegressor NGBClassifier NGBoost H2OGradientBoostingEstimator "
    "GradientBoostedTreesLearner ExplainableBoostingClassifier ExplainableBoostingRegressor",
    "random_forest": "RandomForestClassifier RandomForestRegressor RandomForestModel RandomForestLearner "
    "BalancedRandomForestClassifier H2ORandomForestEstimator RandomForest RandomSurvivalForest",
    "extra_trees": "ExtraTreesClassifier ExtraTreesRegressor ExtraTreeClassifier ExtraTreeRegressor",
    "decision_tree": "DecisionTreeClassifier DecisionTreeRegressor CartModel RuleFitClassifier",
    "adaboost": "AdaBoostClassifier AdaBoostRegressor RUSBoostClassifier EasyEnsembleClassifier",
    "linear": "LinearRegression LogisticRegression LogisticRegressionCV Ridge RidgeCV RidgeClassifier "
    "RidgeClassifierCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC Lars LarsCV BayesianRidge "
    "ARDRegression SGDClassifier SGDRegressor Perceptron PassiveAggressiveClassifier "
    "PassiveAggressiveRegressor HuberRegressor TheilSenRegressor RANSACRegressor QuantileRegressor "
    "PoissonRegressor TweedieRegressor GammaRegressor OrthogonalMatchingPursuit PLSRegression OLS GLM Logit "
    "WLS GeneralizedLinearRegression MultiTaskLasso LinearRegressor LinearClassifier LinearModel "
    "LinearRegressionModel "
    "LogisticRegressionWithLBFGS IsotonicRegression LinearGAM LogisticGAM",
    "elastic_net": "ElasticNet ElasticNetCV MultiTaskElasticNet MultiTaskElasticNetCV",
    "svm": "SVC SVR LinearSVC LinearSVR NuSVC NuSVR KernelRidge OneClassSVM",
    "knn": "KNeighborsClassifier KNeighborsRegressor RadiusNeighborsClassifier NearestNeighbors "
    "NearestCentroid KNeighborsTimeSeriesClassifier",
    "naive_bayes": "GaussianNB MultinomialNB BernoulliNB ComplementNB CategoricalNB NaiveBayes "
    "NaiveBayesClassifier",
    "discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
    "gaussian_process": "GaussianProcessClassifier GaussianProcessRegressor BART GPRegression",
    "mlp": "MLPClassifier MLPRegressor MultilayerPerceptronClassifier DNNRegressor DNNClassifier NBEATSModel "
    "NHiTSModel NLinearModel DLinearModel TiDEModel TSMixerModel NBeats NHiTS",
    "transformer": "TFTModel TransformerModel TemporalFusionTransformer",
    "rnn": "BlockRNNModel RNNModel DeepAR",
    "cnn": "TCNModel",
    "tabular_network": "TabNetClassifier TabNetRegressor TabNetMultiTaskClassifier TabPFNClassifier "
    "TabPFNRegressor TabularModel FTTransformer NODE TabTransformer TabMClassifier RealMLP_TD_Classifier "
    "RealMLP_TD_Regressor RealMLP TabM_D_Classifier TabM_D_Regressor TabM TabICLClassifier "
    "AutoTabPFNClassifier",
    "statistical_series": "ARIMA SARIMAX auto_arima AutoARIMA AutoETS AutoReg VAR VARMAX Prophet "
    "NeuralProphet ExponentialSmoothing SimpleExpSmoothing Holt UnobservedComponents AutoTheta "
    "StatsForecast ThetaForecaster TBATS GARCH arch_model",
    "clustering": "KMeans MiniBatchKMeans DBSCAN HDBSCAN AgglomerativeClustering GaussianMixture "
    "BayesianGaussianMixture MeanShift SpectralClustering Birch AffinityPropagation OPTICS",
    "automl": "TabularPredictor MultiModalPredictor TimeSeriesPredictor H2OAutoML TabularAutoML "
    "TabularUtilizedAutoML AutoML TPOTClassifier TPOTRegressor AutoSklearnClassifier AutoSklearnRegressor "
    "StructuredDataClassifier StructuredDataRegressor compare_models LazyClassifier LazyRegressor "
    "AutoTS AutoViML TextPredictor",
    "recommender": "SVDpp LightFM ALS AlternatingLeastSquares FMClassifier FMRegressor FMModel LightGCN",
}

MODELS: Final = {name: family for family, names in _BY_FAMILY.items() for name in names.split()}
"""Class or function -> family, by its bare name."""

TRAINERS: Final[dict[str, str]] = {
    "lightgbm.train": "lightgbm",
    "lightgbm.cv": "lightgbm",
    "xgboost.train": "xgboost",
    "xgboost.cv": "xgboost",
    "catboost.train": "catboost",
    "catboost.cv": "catboost",
    "lightgbm.Booster": "lightgbm",
    "xgboost.Booster": "xgboost",
    "fasttext.train_supervised": "mlp",
    "pycaret.classification.create_model": "automl",
    "pycaret.regression.create_model": "automl",
}
"""Functions, by their full name, that train or load a model of a family."""

LIBRARY_OF: Final = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "tabular_network": "pytorch_tabnet",
    "statistical_series": "statsmodels",
    "automl": "autogluon",
}
"""The library of a family's models where no import says it; sklearn for the others."""

PYCARET: Final = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "gbc": "gradient_boosting",
    "gbr": "gradient_boosting",
    "rf": "random_forest",
    "et": "extra_trees",
    "dt": "decision_tree",
    "ada": "adaboost",
    "lr": "linear",
    "ridge": "linear",
    "lasso": "linear",
    "br": "linear",
    "huber": "linear",
    "en": "elastic_net",
    "svm": "svm",
    "rbfsvm": "svm",
    "knn": "knn",
    "nb": "naive_bayes",
    "lda": "discriminant_analysis",
    "qda": "discriminant_analysis",
    "mlp": "mlp",
}
"""The names that PyCaret's `create_model` takes."""

WRAPPERS: Final = word_set(
    "BaggingClassifier BaggingRegressor MultiOutputRegressor MultiOutputClassifier RegressorChain "
    "ClassifierChain OneVsRestClassifier OneVsOneClassifier CalibratedClassifierCV "
    "TransformedTargetRegressor "
    "CalibratedClassifier SelfTrainingClassifier OutputCodeClassifier BalancedBaggingClassifier"
)
"""Meta-estimators around one kind of model."""

ENSEMBLES: Final = {
    "StackingClassifier": "stacking",
    "StackingRegressor": "stacking",
    "StackingCVClassifier": "stacking",
    "StackingCVRegressor": "stacking",
    "SuperLearner": "stacking",
    "VotingClassifier": "voting",
    "VotingRegressor": "voting",
    "EnsembleVoteClassifier": "voting",
}
"""Ensembles that are constructed from named models -> their kind."""

SEARCHES: Final = {
    "GridSearchCV": "grid search",
    "RandomizedSearchCV": "randomised search",
    "HalvingGridSearchCV": "successive-halving search",
    "HalvingRandomSearchCV": "successive-halving search",
    "BayesSearchCV": "Bayesian search",
    "OptunaSearchCV": "Optuna",
    "TuneSearchCV": "randomised search",
    "RandomSearch": "Keras Tuner",
    "Hyperband": "Keras Tuner",
    "BayesianOptimization": "Bayesian optimisation",
    "create_study": "Optuna",
    "fmin": "Hyperopt",
    "gp_minimize": "Bayesian search",
    "forest_minimize": "Bayesian search",
}
"""What searches for hyper-parameters -> its name in words."""

HELPERS: Final = word_set(
    "SelectFromModel RFE RFECV IterativeImputer SequentialFeatureSelector BorutaPy Boruta "
    "PermutationImportance permutation_importance EFS SFS ExhaustiveFeatureSelector"
)
"""What takes a model only to choose or fill columns."""

LINEAR_BASE: Final = word_set("OLS GLM Logit WLS")

NOT_HYPERPARAMETERS: Final = word_set(
    "verbose verbosity n_jobs random_state seed silent thread_count nthread device device_type gpu_id "
    "task_type allow_writing_files gpu_device_id gpu_platform_id random_seed logging_level n_thread "
    "num_threads predictor bagging_seed feature_fraction_seed data_random_seed drop_seed extra_seed devices "
    "train_dir copy_X force_col_wise force_row_wise deterministic first_metric_only use_label_encoder "
    "missing warm_start importance_type metric_freq is_training_metric name input_shape callbacks "
    "cat_features categorical_feature categorical_features estimators estimator base_estimator "
    "sampling_method "
    "metric_period save_snapshot early_stopping_rounds probability cv store_cv_values oob_score od_wait "
    "od_type use_best_model gpu_ram_part copy_x "
    "data train_set train_data dtrain evals valid_sets cache_size trainable dtype "
    "gpu_cat_features_storage snapshot_file bounds path problem_type label"
)
"""Settings that say nothing of the model: threads, seeds, verbosity, data."""

ROUNDS: Final = word_set("num_boost_round n_estimators iterations num_iterations num_round num_rounds")

_WORDS: Final = {
    "LinearRegression": "linear regression",
    "LogisticRegression": "logistic regression",
    "LogisticRegressionCV": "logistic regression with a cross-validated penalty",
    "Ridge": "ridge regression",
    "RidgeCV": "ridge regression with a cross-validated penalty",
    "RidgeClassifier": "ridge classifier",
    "Lasso": "lasso regression",
    "LassoCV": "lasso regression with a cross-validated penalty",
    "ElasticNet": "elastic net",
    "ElasticNetCV": "elastic net with a cross-validated penalty",
    "BayesianRidge": "Bayesian ridge regression",
    "SGDClassifier": "linear classifier trained by stochastic gradient descent",
    "SGDRegressor": "linear regressor trained by stochastic gradient descent",
    "SVC": "support vector classifier",
    "LinearSVC": "linear support vector classifier",
    "SVR": "support vector regressor",
    "LinearSVR": "linear support vector regressor",
    "KernelRidge": "kernel ridge regression",
    "KNeighborsClassifier": "k-nearest-neighbours classifier",
    "KNeighborsRegressor": "k-nearest-neighbours regressor",
    "NearestNeighbors": "nearest-neighbour search",
    "GaussianNB": "Gaussian naive Bayes classifier",
    "MultinomialNB": "multinomial naive Bayes classifier",
    "BernoulliNB": "Bernoulli naive Bayes classifier",
    "ComplementNB": "complement naive Bayes classifier",
    "LinearDiscriminantAnalysis": "linear discriminant analysis",
    "QuadraticDiscriminantAnalysis": "quadratic discriminant analysis",
    "MLPClassifier": "multi-layer perceptron classifier",
    "MLPRegressor": "multi-layer perceptron regressor",
    "KMeans": "k-means clustering",
    "GaussianMixture": "Gaussian mixture",
    "TabularPredictor": "AutoGluon TabularPredictor",
    "compare_models": "PyCaret comparison of its models",
    "Perceptron": "perceptron",
    "HuberRegressor": "Huber regression",
    "PLSRegression": "partial least squares regression",
    "OLS": "ordinary least squares",
    "ExtraTreeClassifier": "extremely randomised tree",
    "DBSCAN": "DBSCAN clustering",
}
_BRANDS: Final = {
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "hist_gradient_boosting": "histogram gradient boosting",
    "gradient_boosting": "gradient boosting",
    "random_forest": "random forest",
    "extra_trees": "extra-trees",
    "decision_tree": "decision tree",
    "adaboost": "AdaBoost",
    "gaussian_process": "Gaussian process",
    "linear": "linear model",
    "svm": "support vector machine",
    "knn": "k-nearest-neighbours model",
    "naive_bayes": "naive Bayes classifier",
    "statistical_series": "statistical series model",
    "clustering": "clustering",
    "recommender": "recommender",
    "automl": "AutoML",
}
_KINDS: Final = (("Classifier", "classifier"), ("Regressor", "regressor"), ("Ranker", "ranker"))


def in_words(name: str, family: str) -> str:
    """The model as a data scientist would call it: "LightGBM classifier", "ridge regression", "SARIMAX"."""
    if name in _WORDS:
        return _WORDS[name]
    if family == "statistical_series":
        return f"{name} model"
    if family in ("statistical_series", "tabular_network", "automl", "recommender", "clustering"):
        kind = next((word for ending, word in _KINDS if name.endswith(ending)), "")
        return f"{name.removesuffix('Classifier').removesuffix('Regressor')} {kind}".strip() + (
            "" if kind or family != "clustering" else " clustering"
        )
    brand = _BRANDS.get(family)
    if brand is None:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    kind = next((word for ending, word in _KINDS if name.endswith(ending)), "model")
    return brand if brand.endswith(("model", kind, "machine")) else f"{brand} {kind}"
