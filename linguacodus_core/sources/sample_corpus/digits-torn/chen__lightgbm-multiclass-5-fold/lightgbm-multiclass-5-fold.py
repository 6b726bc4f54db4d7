# ============================================================
#  LightGBM multiclass on half digits, stroke features
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

SEED = 2024
N_FOLDS = 5

PARAMS = {
    "objective": "multiclass",
    "num_class": 10,
    "metric": "multi_logloss",
    "learning_rate": 0.08,
    "num_leaves": 7,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 2.0,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")
PIX = [c for c in test.columns if c != "id"]


# ------------------------------------------------------------ features
def add_features(df):
    a = df[PIX].to_numpy(float).reshape(-1, 4, 8)
    out = df[PIX].copy()
    pos = np.arange(8)
    for r in range(4):
        ink = a[:, r].sum(axis=1)
        centre = (a[:, r] * pos).sum(axis=1) / np.maximum(ink, 1)
        out[f"ink_{r}"] = ink
        out[f"centre_{r}"] = centre
        out[f"width_{r}"] = (a[:, r] * np.abs(pos - centre[:, None])).sum(axis=1) / np.maximum(ink, 1)
        # how often a pen stroke begins in this row
        out[f"strokes_{r}"] = ((a[:, r, 1:] > 6) & (a[:, r, :-1] <= 6)).sum(axis=1)
    for r in range(3):
        out[f"drift_{r}"] = out[f"centre_{r + 1}"] - out[f"centre_{r}"]
    out["left"], out["right"] = a[:, :, :4].sum(axis=(1, 2)), a[:, :, 4:].sum(axis=(1, 2))
    return out


X, X_test = add_features(train), add_features(test)
y = train["digit"]

# ------------------------------------------------------------ training
oof = np.zeros((len(X), 10))
pred = np.zeros((len(X_test), 10))
for fold, (trn, val) in enumerate(StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED).split(X, y)):
    model = lgb.train(
        PARAMS, lgb.Dataset(X.iloc[trn], y.iloc[trn]), num_boost_round=500,
        valid_sets=[lgb.Dataset(X.iloc[val], y.iloc[val])],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    oof[val] = model.predict(X.iloc[val])
    pred += model.predict(X_test) / N_FOLDS
    print(f"fold {fold}: {log_loss(y.iloc[val], oof[val]):.4f} at {model.best_iteration}")

print(f"CV log loss: {log_loss(y, oof):.5f}")

# ------------------------------------------------------------ submission
sub = pd.DataFrame(pred, columns=[f"digit_{d}" for d in range(10)])
sub.insert(0, "id", test["id"])
sub.to_csv("submission.csv", index=False)
