# SVM (its margins turned into probabilities by one temperature), boosting and neighbours; blended on OOF log loss.
import random

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC


class CFG:
    seed = 42
    folds = 5
    floor = 1e-3


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


def build():
    return {
        "svm": SVC(C=5, gamma=0.5, decision_function_shape="ovr", break_ties=True),
        "boosting": HistGradientBoostingClassifier(
            max_iter=90, learning_rate=0.12, max_leaf_nodes=7, max_features=0.3, l2_regularization=1.0,
            random_state=CFG.seed,
        ),
        "neighbours": KNeighborsClassifier(12, weights="distance", n_jobs=1),
    }


def raw(model, X):
    return model.decision_function(X) if isinstance(model, SVC) else model.predict_proba(X)


def safe(p):
    p = np.clip(p, CFG.floor, None)
    return p / p.sum(axis=1, keepdims=True)


def mix(weights, parts):
    weights = np.abs(weights) / np.abs(weights).sum()
    return safe(sum(w * part for w, part in zip(weights, parts)))


def main():
    seed_everything(CFG.seed)
    train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
    pixels = [c for c in test.columns if c != "id"]
    X, X_test = train[pixels].to_numpy() / 16, test[pixels].to_numpy() / 16
    y = train["digit"].to_numpy()
    folds = list(StratifiedKFold(CFG.folds, shuffle=True, random_state=CFG.seed).split(X, y))

    oofs, tests = [], []
    for name, model in build().items():
        oof = np.zeros((len(y), 10))
        for tr, va in folds:
            oof[va] = raw(model.fit(X[tr], y[tr]), X[va])
        predicted = raw(model.fit(X, y), X_test)
        if name == "svm":
            t = minimize_scalar(lambda t: log_loss(y, softmax(t * oof, axis=1)), bounds=(0.1, 20), method="bounded").x
            print("temperature", round(t, 3))
            oof, predicted = softmax(t * oof, axis=1), softmax(t * predicted, axis=1)
        print(f"{name:10s} {log_loss(y, safe(oof)):.4f}")
        oofs.append(oof)
        tests.append(predicted)

    found = minimize(lambda w: log_loss(y, mix(w, oofs)), np.ones(len(oofs)), method="Nelder-Mead")
    print("weights", (np.abs(found.x) / np.abs(found.x).sum()).round(3), "blend", round(found.fun, 4))

    sub = pd.DataFrame(mix(found.x, tests), columns=[f"digit_{d}" for d in range(10)])
    sub.insert(0, "id", test["id"])
    sub.to_csv("submission.csv", index=False)


if __name__ == "__main__":
    main()
