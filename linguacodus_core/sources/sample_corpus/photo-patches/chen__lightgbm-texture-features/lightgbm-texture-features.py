# ============================================================
#  LightGBM on texture features: histogram, gradients, blur
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

SEED = 2024
N_FOLDS = 5
IMG_DIR = "./data/images/"

PARAMS = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 3.0,
    "verbosity": -1,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
}

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")


# ------------------------------------------------------------ features
def features(name):
    img = np.array(Image.open(IMG_DIR + name)).astype("float32")
    hist = np.histogram(img, bins=16, range=(0, 256))[0] / img.size
    gy, gx = np.gradient(img)
    mag = np.hypot(gx, gy)
    ang = np.arctan2(gy, gx)
    hog = np.histogram(ang, bins=8, range=(-np.pi, np.pi), weights=mag)[0]
    lap = img[1:-1, 1:-1] * 4 - img[:-2, 1:-1] - img[2:, 1:-1] - img[1:-1, :-2] - img[1:-1, 2:]
    cells = img.reshape(4, 4, 4, 4).mean(axis=(1, 3))
    return np.concatenate([
        hist, hog / (hog.sum() + 1e-6),
        [img.mean(), img.std(), img.min(), img.max(), mag.mean(), mag.std(), mag.max(), np.abs(lap).mean(), lap.std()],
        [cells.std(), np.median(img), np.abs(np.diff(cells, axis=0)).mean(), np.abs(np.diff(cells, axis=1)).mean()],
    ])


X = np.stack([features(n) for n in train["image"]])
X_test = np.stack([features(n) for n in test["image"]])
y = train["flower"].values

# ------------------------------------------------------------ training
oof, pred = np.zeros(len(X)), np.zeros(len(X_test))
for fold, (trn, val) in enumerate(StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED).split(X, y)):
    model = lgb.train(
        PARAMS, lgb.Dataset(X[trn], y[trn]), num_boost_round=1000, valid_sets=[lgb.Dataset(X[val], y[val])],
        callbacks=[lgb.early_stopping(60, verbose=False)],
    )
    oof[val] = model.predict(X[val])
    pred += model.predict(X_test) / N_FOLDS
    print(f"fold {fold}: {log_loss(y[val], oof[val]):.4f}")

print(f"CV log loss: {log_loss(y, oof):.5f}")

# ------------------------------------------------------------ submission
test["flower"] = pred
test.to_csv("submission.csv", index=False)
