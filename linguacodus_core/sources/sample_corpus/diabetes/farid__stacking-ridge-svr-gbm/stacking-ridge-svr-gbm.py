# Stacking: four plain models, a non-negative linear model on top of their out-of-fold predictions.
import random

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor, StackingRegressor
from sklearn.linear_model import Lasso, LinearRegression, RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR


class CFG:
    seed = 42
    folds = 5
    target = "progression"


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


def load():
    train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
    for frame in (train, test):
        frame["log_s4"] = np.log(frame["s4"])
        frame["log_s3"] = np.log(frame["s3"])
    features = [c for c in test.columns if c != "id"]
    return train[features], train[CFG.target], test[features], test["id"]


def stack():
    level_one = [
        ("ridge", make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 3, 20)))),
        ("pairs", make_pipeline(
            StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(),
            Lasso(alpha=2.0, max_iter=20000),
        )),
        ("svr", make_pipeline(StandardScaler(), SVR(C=80, epsilon=10, gamma=0.02))),
        ("gbm", GradientBoostingRegressor(
            n_estimators=150, learning_rate=0.04, max_depth=2, subsample=0.6, random_state=CFG.seed,
        )),
        ("trees", ExtraTreesRegressor(120, min_samples_leaf=4, n_jobs=1, random_state=CFG.seed)),
    ]
    folds = KFold(CFG.folds, shuffle=True, random_state=CFG.seed)
    return StackingRegressor(level_one, LinearRegression(positive=True), cv=folds, n_jobs=1)


seed_everything(CFG.seed)
X, y, X_test, ids = load()
scores = -cross_val_score(
    stack(), X, y, cv=KFold(3, shuffle=True, random_state=CFG.seed), scoring="neg_root_mean_squared_error",
)
print("outer CV RMSE", scores.round(2), scores.mean().round(3))

model = stack().fit(X, y)
print("weights", dict(zip([n for n, _ in model.estimators], model.final_estimator_.coef_.round(3))))
pd.DataFrame({"id": ids, CFG.target: model.predict(X_test)}).to_csv("submission.csv", index=False)
