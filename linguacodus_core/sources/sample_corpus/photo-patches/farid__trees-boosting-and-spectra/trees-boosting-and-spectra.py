# Texture statistics and the power spectrum of every patch; Extra-Trees, boosting and an SVM, stacked by a logit.
import random

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


class CFG:
    seed = 42
    folds = 5
    floor = 0.002


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


def describe(name):
    patch = np.asarray(Image.open(f"./data/images/{name}"), dtype=float)
    spectrum = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(patch - patch.mean()))))
    yy, xx = np.indices(spectrum.shape) - 8
    ring = np.hypot(yy, xx).astype(int)
    rings = [spectrum[ring == r].mean() for r in range(1, 9)]
    steps = [np.log1p(np.abs(np.diff(patch, axis=a)).mean()) for a in (0, 1)]
    second = [np.log1p(np.abs(np.diff(patch, n=2, axis=a)).mean()) for a in (0, 1)]
    quantiles = np.quantile(patch, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    halves = [patch[:8].mean() - patch[8:].mean(), patch[:, :8].mean() - patch[:, 8:].mean()]
    return np.r_[rings, steps, second, quantiles, np.log1p(patch.std()), np.abs(halves)]


def level_one():
    return [
        ExtraTreesClassifier(400, min_samples_leaf=1, max_features=0.4, n_jobs=1, random_state=CFG.seed),
        HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06, max_leaf_nodes=8, random_state=CFG.seed),
        make_pipeline(StandardScaler(), SVC(C=20, gamma=0.05)),
    ]


def logit(p):
    p = np.clip(p, 0.005, 0.995)
    return np.log(p / (1 - p))


def signal(model, X):
    if hasattr(model, "predict_proba"):
        return logit(model.predict_proba(X)[:, 1])
    return model.decision_function(X)


seed_everything(CFG.seed)
train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
X = np.stack([describe(name) for name in train["image"]])
X_test = np.stack([describe(name) for name in test["image"]])
y = train["flower"].to_numpy()

folds = StratifiedKFold(CFG.folds, shuffle=True, random_state=CFG.seed)
Z, Z_test = [], []
for model in level_one():
    z = np.zeros(len(y))
    for tr, va in folds.split(X, y):
        z[va] = signal(model.fit(X[tr], y[tr]), X[va])
    Z.append(z)
    Z_test.append(signal(model.fit(X, y), X_test))
Z, Z_test = np.column_stack(Z), np.column_stack(Z_test)

judge = LogisticRegression(C=0.1)
oof = cross_val_predict(judge, Z, y, cv=folds, method="predict_proba")[:, 1]
print("stacked log loss", log_loss(y, oof.clip(CFG.floor, 1 - CFG.floor)))

test["flower"] = judge.fit(Z, y).predict_proba(Z_test)[:, 1].clip(CFG.floor, 1 - CFG.floor)
test.to_csv("submission.csv", index=False)
