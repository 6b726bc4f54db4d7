# ============================================================
#  LightGBM on pixels, sums of rows and columns, and edges
# ============================================================
import lightgbm as lgb
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold

SEED = 2024
N_FOLDS = 3
IMG_DIR = "./data/images/"

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")


def load_img(name):
    return np.array(Image.open(IMG_DIR + name)).astype("float32") / 255.0


def make_features(imgs):
    n = len(imgs)
    flat = imgs.reshape(n, -1)
    rows, cols = imgs.sum(axis=2), imgs.sum(axis=1)
    dy = np.abs(np.diff(imgs, axis=1)).mean(axis=2)
    dx = np.abs(np.diff(imgs, axis=2)).mean(axis=1)
    quads = imgs.reshape(n, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(n, -1)
    return np.hstack([flat, rows, cols, dy, dx, quads])


X = make_features(np.stack([load_img(f) for f in train["image"]]))
X_test = make_features(np.stack([load_img(f) for f in test["image"]]))
y = train["digit"].values
print(X.shape, X_test.shape)

# ------------------------------------------------------------ training
oof = np.zeros((len(X), 10))
pred = np.zeros((len(X_test), 10))
skf = StratifiedKFold(n_splits=N_FOLDS, shuffle=True, random_state=SEED)
for fold, (trn, val) in enumerate(skf.split(X, y)):
    clf = lgb.LGBMClassifier(
        n_estimators=150, learning_rate=0.1, num_leaves=8, colsample_bytree=0.3, subsample=0.8,
        subsample_freq=1, min_child_samples=8, n_jobs=1, random_state=SEED, deterministic=True, verbose=-1,
    )
    clf.fit(X[trn], y[trn])
    oof[val] = clf.predict_proba(X[val])
    pred += clf.predict_proba(X_test) / N_FOLDS
    print("fold", fold, accuracy_score(y[val], oof[val].argmax(1)))

print("CV:", accuracy_score(y, oof.argmax(1)))

# ------------------------------------------------------------ submission
sub = pd.DataFrame({"image": test["image"], "digit": pred.argmax(1)})
sub.to_csv("submission.csv", index=False)
