# ============================================================
#  CatBoost on HSV statistics and edges - LB score 0.9211
# ============================================================
import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from PIL import Image
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

SEED = 2024
N_FOLDS = 4
IMG_DIR = "./data/images/"
TARGET = "height"

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")


# ------------------------------------------------------------ features
def features(name):
    img = Image.open(IMG_DIR + name)
    rgb = np.asarray(img).astype("float32") / 255.0
    hsv = np.asarray(img.convert("HSV")).astype("float32") / 255.0
    grey = rgb.mean(axis=2)
    row = {}
    for i, ch in enumerate("rgb"):
        row[f"{ch}_mean"], row[f"{ch}_std"] = rgb[..., i].mean(), rgb[..., i].std()
        row[f"{ch}_q10"], row[f"{ch}_q90"] = np.quantile(rgb[..., i], [0.1, 0.9])
    for i, ch in enumerate("hsv"):
        row[f"hsv_{ch}"] = hsv[..., i].mean()
    row["hue_x"] = np.cos(2 * np.pi * hsv[..., 0]).mean()
    row["hue_y"] = np.sin(2 * np.pi * hsv[..., 0]).mean()
    row["edge_h"] = np.abs(np.diff(grey, axis=0)).mean()
    row["edge_v"] = np.abs(np.diff(grey, axis=1)).mean()
    row["top_minus_bottom"] = grey[:8].mean() - grey[8:].mean()
    row["b_top_minus_bottom"] = rgb[:8, :, 2].mean() - rgb[8:, :, 2].mean()
    return row


X = pd.DataFrame([features(n) for n in train["image"]])
X_test = pd.DataFrame([features(n) for n in test["image"]])
y = train[TARGET].values

# ------------------------------------------------------------ training
oof, pred = np.zeros(len(X)), np.zeros(len(X_test))
for fold, (trn, val) in enumerate(KFold(N_FOLDS, shuffle=True, random_state=SEED).split(X)):
    model = CatBoostRegressor(
        iterations=600, learning_rate=0.05, depth=6, l2_leaf_reg=3, loss_function="RMSE", random_seed=SEED,
        thread_count=1, verbose=0, allow_writing_files=False,
    )
    model.fit(X.iloc[trn], y[trn], eval_set=(X.iloc[val], y[val]), early_stopping_rounds=60)
    oof[val] = model.predict(X.iloc[val])
    pred += model.predict(X_test) / N_FOLDS
    print(f"fold {fold}: {r2_score(y[val], oof[val]):.4f}")

print(f"CV R2: {r2_score(y, oof):.5f}")

# ------------------------------------------------------------ submission
test[TARGET] = pred.clip(0, 1)
test.to_csv("submission.csv", index=False)
