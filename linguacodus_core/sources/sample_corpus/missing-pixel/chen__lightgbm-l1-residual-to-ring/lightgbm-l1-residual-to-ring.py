# ============================================================
#  LightGBM with L1 loss on what the inner ring leaves over
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold

SEED = 2024
N_FOLDS = 5
TARGET = "r3c3"

PARAMS = {
    "objective": "l1",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 12,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# the 16 pixels that touch the hole, and the 24 at the rim
INNER = [f"r{r}c{c}" for r in range(1, 6) for c in range(1, 6) if r in (1, 5) or c in (1, 5)]
RIM = [f"r{r}c{c}" for r in range(7) for c in range(7) if r in (0, 6) or c in (0, 6)]


# ------------------------------------------------------------ features
def add_features(df):
    base = df[INNER].mean(axis=1)
    out = pd.DataFrame({"base": base})
    for c in INNER + RIM:
        out[c] = df[c] - base
    # across the hole in four directions: mean and difference of opposite pixels
    for name, a, b in [("h", "r3c1", "r3c5"), ("v", "r1c3", "r5c3"), ("d1", "r1c1", "r5c5"), ("d2", "r1c5", "r5c1")]:
        out[f"{name}_mean"] = (df[a] + df[b]) / 2 - base
        out[f"{name}_diff"] = (df[a] - df[b]).abs()
    out["inner_std"] = df[INNER].std(axis=1)
    out["rim_std"] = df[RIM].std(axis=1)
    out["rim_minus_inner"] = df[RIM].mean(axis=1) - base
    return out


X, X_test = add_features(train), add_features(test)
y = train[TARGET] - X["base"]

# ------------------------------------------------------------ training
oof, pred = np.zeros(len(X)), np.zeros(len(X_test))
for fold, (trn, val) in enumerate(KFold(N_FOLDS, shuffle=True, random_state=SEED).split(X)):
    model = lgb.train(
        PARAMS, lgb.Dataset(X.iloc[trn], y.iloc[trn]), num_boost_round=1000,
        valid_sets=[lgb.Dataset(X.iloc[val], y.iloc[val])],
        callbacks=[lgb.early_stopping(60, verbose=False)],
    )
    oof[val] = model.predict(X.iloc[val])
    pred += model.predict(X_test) / N_FOLDS
    print(f"fold {fold}: MAE {mean_absolute_error(y.iloc[val], oof[val]):.4f}")

print(f"CV MAE: {mean_absolute_error(y, oof):.4f}")

# ------------------------------------------------------------ submission
sub = pd.read_csv("./data/sample_submission.csv")
sub[TARGET] = np.clip(pred + X_test["base"], 0, 255)
sub.to_csv("submission.csv", index=False)
