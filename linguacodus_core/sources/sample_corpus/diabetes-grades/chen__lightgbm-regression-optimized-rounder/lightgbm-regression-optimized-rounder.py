# ============================================================
#  LightGBM regression + optimized thresholds for QWK
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
import scipy.optimize
from sklearn.metrics import cohen_kappa_score
from sklearn.model_selection import StratifiedKFold

SEED = 2024
N_FOLDS = 5
TARGET = "grade"

PARAMS = {
    "objective": "regression",
    "learning_rate": 0.03,
    "num_leaves": 6,
    "min_child_samples": 15,
    "colsample_bytree": 0.5,
    "subsample": 0.8,
    "subsample_freq": 1,
    "reg_lambda": 5.0,
    "n_estimators": 160,
    "n_jobs": 1,
    "random_state": SEED,
    "deterministic": True,
    "verbose": -1,
}


class OptimizedRounder:
    """Three cuts between four grades, moved until kappa is best."""

    def __init__(self):
        self.cuts = np.array([1.5, 2.5, 3.5])

    def apply(self, values, cuts=None):
        return np.digitize(values, np.sort(self.cuts if cuts is None else cuts)) + 1

    def fit(self, values, truth):
        def loss(cuts):
            return -cohen_kappa_score(truth, self.apply(values, cuts), weights="quadratic")

        self.cuts = scipy.optimize.minimize(loss, self.cuts, method="nelder-mead").x
        return self


train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# ------------------------------------------------------------ features
for df in (train, test):
    df["bmi_s5"] = df["bmi"] * df["s5"]
    df["bmi_bp"] = df["bmi"] * df["bp"]
    df["s1_s3"] = df["s1"] / df["s3"]
FEATURES = [c for c in test.columns if c != "id"]

# ------------------------------------------------------------ training
oof, pred = np.zeros(len(train)), np.zeros(len(test))
skf = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED)
for trn, val in skf.split(train, train[TARGET]):
    model = lgb.LGBMRegressor(**PARAMS)
    model.fit(train.loc[trn, FEATURES], train.loc[trn, TARGET])
    oof[val] = model.predict(train.loc[val, FEATURES])
    pred += model.predict(test[FEATURES]) / N_FOLDS

rounder = OptimizedRounder().fit(oof, train[TARGET])
print("cuts:", rounder.cuts)
print("CV QWK:", cohen_kappa_score(train[TARGET], rounder.apply(oof), weights="quadratic"))

# ------------------------------------------------------------ submission
sub = pd.read_csv("./data/sample_submission.csv")
sub[TARGET] = rounder.apply(pred)
sub.to_csv("submission.csv", index=False)
