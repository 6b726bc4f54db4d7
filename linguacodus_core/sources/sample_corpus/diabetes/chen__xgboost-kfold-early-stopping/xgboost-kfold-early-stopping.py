# ============================================================
#  XGBoost, 5 folds with early stopping
# ============================================================
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold

SEED = 2024
N_FOLDS = 5
TARGET = "progression"

PARAMS = {
    "objective": "reg:squarederror",
    "eval_metric": "rmse",
    "eta": 0.02,
    "max_depth": 3,
    "min_child_weight": 8,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "lambda": 10.0,
    "nthread": 1,
    "seed": SEED,
}

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# ------------------------------------------------------------ features
for df in (train, test):
    df["bmi_x_s5"] = df["bmi"] * df["s5"]
    df["bmi_x_bp"] = df["bmi"] * df["bp"]
    df["ldl_share"] = df["s2"] / df["s1"]
    df["age_band"] = pd.cut(df["age"], [0, 35, 45, 55, 65, 120], labels=False)
    df["is_first_sex"] = (df["sex"] == 1).astype(int)

FEATURES = [c for c in test.columns if c not in ("id", "sex")]

# ------------------------------------------------------------ training
oof = np.zeros(len(train))
pred = np.zeros(len(test))
dtest = xgb.DMatrix(test[FEATURES])
for fold, (trn, val) in enumerate(KFold(N_FOLDS, shuffle=True, random_state=SEED).split(train)):
    dtrain = xgb.DMatrix(train.loc[trn, FEATURES], train.loc[trn, TARGET])
    dvalid = xgb.DMatrix(train.loc[val, FEATURES], train.loc[val, TARGET])
    model = xgb.train(
        PARAMS, dtrain, num_boost_round=2000, evals=[(dvalid, "valid")],
        early_stopping_rounds=80, verbose_eval=False,
    )
    best = (0, model.best_iteration + 1)
    oof[val] = model.predict(dvalid, iteration_range=best)
    pred += model.predict(dtest, iteration_range=best) / N_FOLDS
    print(f"fold {fold}: rmse {mean_squared_error(train.loc[val, TARGET], oof[val]) ** 0.5:.3f}")

print(f"CV RMSE: {mean_squared_error(train[TARGET], oof) ** 0.5:.4f}")

# ------------------------------------------------------------ submission
submission = pd.read_csv("./data/sample_submission.csv")
submission[TARGET] = pred
submission.to_csv("submission.csv", index=False)
