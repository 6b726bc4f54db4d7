# ============================================================
#  CatBoost, 7 folds, class probabilities averaged
# ============================================================
import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import LabelEncoder

SEED = 2024
N_FOLDS = 7
TARGET = "kind"

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# ------------------------------------------------------------ features
for df in (train, test):
    df["flavanoid_share"] = df["flavanoids"] / df["total_phenols"]
    df["color_per_alcohol"] = df["color_intensity"] / df["alcohol"]
    df["proline_log"] = np.log(df["proline"])
FEATURES = [c for c in test.columns if c != "id"]

le = LabelEncoder()
y = le.fit_transform(train[TARGET])

# ------------------------------------------------------------ training
oof = np.zeros((len(train), 3))
pred = np.zeros((len(test), 3))
skf = StratifiedKFold(n_splits=N_FOLDS, shuffle=True, random_state=SEED)
for fold, (trn, val) in enumerate(skf.split(train, y)):
    model = CatBoostClassifier(
        iterations=400, learning_rate=0.06, depth=4, l2_leaf_reg=5, loss_function="MultiClass",
        random_seed=SEED + fold, thread_count=1, verbose=0, allow_writing_files=False,
    )
    model.fit(
        Pool(train.loc[trn, FEATURES], y[trn]), eval_set=Pool(train.loc[val, FEATURES], y[val]),
        early_stopping_rounds=60,
    )
    oof[val] = model.predict_proba(train.loc[val, FEATURES])
    pred += model.predict_proba(test[FEATURES]) / N_FOLDS
    print(f"fold {fold}: {accuracy_score(y[val], oof[val].argmax(1)):.4f}")

print(f"CV accuracy: {accuracy_score(y, oof.argmax(1)):.4f}")

# ------------------------------------------------------------ submission
sub = pd.read_csv("./data/sample_submission.csv")
sub[TARGET] = le.inverse_transform(pred.argmax(1))
sub.to_csv("submission.csv", index=False)
