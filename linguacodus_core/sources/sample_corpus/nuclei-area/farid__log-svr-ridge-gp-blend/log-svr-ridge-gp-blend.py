# Smooth models on the log scale, blended: a Gaussian process, a support vector regression and pairwise ridge.
import random

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_percentage_error
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR


class CFG:
    seed = 42
    folds = 5
    target = "worst_area"


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


def features(frame):
    logs = np.log(frame.drop(columns=["id", CFG.target], errors="ignore") + 1e-3)
    logs["spread"] = logs["area error"] - logs["mean area"]
    return logs.to_numpy()


MODELS = [
    make_pipeline(StandardScaler(), SVR(C=10, epsilon=0.005, gamma=0.002)),
    make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), RidgeCV(np.logspace(0, 4, 17))),
    make_pipeline(
        StandardScaler(),
        GaussianProcessRegressor(
            DotProduct(1.0) + RBF(10.0) + WhiteKernel(0.01), normalize_y=True, random_state=CFG.seed,
        ),
    ),
]


def blend(X, y, X_new):
    return np.mean([clone(model).fit(X, y).predict(X_new) for model in MODELS], axis=0)


seed_everything(CFG.seed)
train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
X, y, X_test = features(train), np.log(train[CFG.target].to_numpy()), features(test)

oof = np.zeros(len(y))
for tr, va in KFold(CFG.folds, shuffle=True, random_state=CFG.seed).split(X):
    oof[va] = blend(X[tr], y[tr], X[va])
print("oof MAPE", mean_absolute_percentage_error(np.exp(y), np.exp(oof)))

test[CFG.target] = np.exp(blend(X, y, X_test))
test[["id", CFG.target]].to_csv("submission.csv", index=False)
