# ============================================================
#  LightGBM, L1 on log(target), residual to the geometric guess
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_percentage_error as mape
from sklearn.model_selection import KFold

SEED = 2024
N_FOLDS = 5
TARGET = "worst_area"

PARAMS = dict(
    objective="l1", learning_rate=0.03, num_leaves=10, min_child_samples=8, colsample_bytree=0.5,
    subsample=0.8, subsample_freq=1, reg_lambda=1.0, n_estimators=600, n_jobs=1, random_state=SEED,
    deterministic=True, verbose=-1,
)

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# ------------------------------------------------------------ features
for df in (train, test):
    # the errors say how different the nuclei are: mean plus a few errors is close to the largest
    df["upper_area"] = df["mean area"] + 3 * df["area error"]
    df["upper_radius_area"] = np.pi * (df["mean radius"] + 3 * df["radius error"]) ** 2
    df["roundness"] = 4 * np.pi * df["mean area"] / df["mean perimeter"] ** 2
    df["relative_error"] = df["area error"] / df["mean area"]
    df["guess"] = np.log(df["mean area"])
FEATURES = [c for c in test.columns if c != "id"]
ratio = np.log(train[TARGET]) - train["guess"]

# ------------------------------------------------------------ training
oof, pred = np.zeros(len(train)), np.zeros(len(test))
for fold, (trn, val) in enumerate(KFold(N_FOLDS, shuffle=True, random_state=SEED).split(train)):
    model = lgb.LGBMRegressor(**PARAMS)
    model.fit(
        train.loc[trn, FEATURES], ratio[trn], eval_set=[(train.loc[val, FEATURES], ratio[val])],
        callbacks=[lgb.early_stopping(60, verbose=False)],
    )
    oof[val] = np.exp(model.predict(train.loc[val, FEATURES]) + train.loc[val, "guess"])
    pred += np.exp(model.predict(test[FEATURES]) + test["guess"]) / N_FOLDS
    print(f"fold {fold}: {mape(train.loc[val, TARGET], oof[val]):.5f}")

print(f"CV MAPE: {mape(train[TARGET], oof):.5f}")

# ------------------------------------------------------------ submission
pd.DataFrame({"id": test["id"], TARGET: pred}).to_csv("submission.csv", index=False)
