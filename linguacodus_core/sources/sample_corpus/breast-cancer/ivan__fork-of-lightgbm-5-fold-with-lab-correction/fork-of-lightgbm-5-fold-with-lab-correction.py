# ============================================================
#  LightGBM, 5 folds, instruments of each laboratory corrected
#  (fork: thanks to chen! I only changed the learning rate and the seed)
# ============================================================
import os

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

print(os.listdir("./data"))

SEED = 7
N_FOLDS = 5
TARGET = "malignant"

PARAMS = {
    "objective": "binary",
    "metric": "auc",
    "learning_rate": 0.05,
    "num_leaves": 12,
    "min_data_in_leaf": 12,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# ------------------------------------------------------------ features
NUM = [c for c in test.columns if c not in ("id", "laboratory")]
full = pd.concat([train[NUM + ["laboratory"]], test[NUM + ["laboratory"]]], ignore_index=True)

full["n_missing"] = full[NUM].isna().sum(axis=1)
# every laboratory reads a little high or low: take its own median out, on the log scale
logs = np.log1p(full[NUM])
logs = logs - logs.groupby(full["laboratory"]).transform("median")
full[NUM] = logs
# three columns that say the same thing, averaged, are less noisy than each alone
for when in ("mean", "worst"):
    full[f"{when}_size"] = full[[f"{when} radius", f"{when} perimeter", f"{when} area"]].mean(axis=1)
    full[f"{when}_shape"] = full[[f"{when} concavity", f"{when} concave points", f"{when} compactness"]].mean(
        axis=1
    )
full["growth"] = full["worst_size"] - full["mean_size"]

FEATURES = [c for c in full.columns if c != "laboratory"]
X = full[FEATURES].iloc[: len(train)].to_numpy()
X_test = full[FEATURES].iloc[len(train) :].to_numpy()
y = train[TARGET].to_numpy()

# ------------------------------------------------------------ training
oof = np.zeros(len(train))
pred = np.zeros(len(test))
folds = StratifiedKFold(n_splits=N_FOLDS, shuffle=True, random_state=SEED)
for fold, (trn, val) in enumerate(folds.split(X, y)):
    dtrain = lgb.Dataset(X[trn], y[trn])
    dvalid = lgb.Dataset(X[val], y[val])
    model = lgb.train(
        PARAMS,
        dtrain,
        num_boost_round=1500,
        valid_sets=[dvalid],
        callbacks=[lgb.early_stopping(100, verbose=False)],
    )
    oof[val] = model.predict(X[val])
    pred += model.predict(X_test) / N_FOLDS
    print(f"fold {fold}: {roc_auc_score(y[val], oof[val]):.5f} ({model.best_iteration} rounds)")

print(f"CV AUC: {roc_auc_score(y, oof):.5f}")

# ------------------------------------------------------------ submission
pd.DataFrame({"id": test["id"], TARGET: pred}).to_csv("submission.csv", index=False)
