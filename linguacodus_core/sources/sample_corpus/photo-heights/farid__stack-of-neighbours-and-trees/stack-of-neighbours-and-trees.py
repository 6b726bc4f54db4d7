# Colours, textures and a coarse 4 x 4 thumbnail; trees, boosting and neighbours, stacked.
import random

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, StackingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR


class CFG:
    seed = 42
    folds = 5
    mirror = True


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


def describe(image):
    rgb = np.asarray(image, dtype=float) / 255
    lab = np.stack([rgb.mean(2), rgb[..., 2] - rgb[..., 0], rgb[..., 1] - (rgb[..., 0] + rgb[..., 2]) / 2], axis=2)
    grey = lab[..., 0]
    thumb = lab.reshape(4, 4, 4, 4, 3).mean(axis=(1, 3)).ravel()
    flat = lab.reshape(-1, 3)
    texture = [np.log(np.abs(np.diff(grey, axis=a)).mean() + 1e-3) for a in (0, 1)]
    return np.r_[thumb, flat.mean(0), flat.std(0), np.quantile(flat, [0.1, 0.5, 0.9], axis=0).ravel(), texture]


def load(names, mirror):
    rows = []
    for name in names:
        image = Image.open(f"./data/images/{name}")
        rows.append(describe(image))
        if mirror:
            rows.append(describe(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    return np.stack(rows)


def stack():
    level_one = [
        ("trees", ExtraTreesRegressor(100, max_features=0.4, n_jobs=1, random_state=CFG.seed)),
        ("boosting", HistGradientBoostingRegressor(max_iter=120, learning_rate=0.05, max_leaf_nodes=12, random_state=CFG.seed)),
        ("svr", make_pipeline(StandardScaler(), SVR(C=1.0, epsilon=0.02, gamma=0.02))),
        ("neighbours", make_pipeline(StandardScaler(), KNeighborsRegressor(8, weights="distance", n_jobs=1))),
    ]
    return StackingRegressor(level_one, RidgeCV(np.logspace(-3, 2, 12)), cv=KFold(CFG.folds, shuffle=False), n_jobs=1)


seed_everything(CFG.seed)
train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")

fit, held = train_test_split(train, test_size=0.25, random_state=CFG.seed)
twice = 2 if CFG.mirror else 1
model = stack().fit(load(fit["image"], CFG.mirror), np.repeat(fit["height"].to_numpy(), twice))
print("hold-out R2", r2_score(held["height"], model.predict(load(held["image"], False))))

model = stack().fit(load(train["image"], CFG.mirror), np.repeat(train["height"].to_numpy(), twice))
test["height"] = model.predict(load(test["image"], False)).clip(0, 1)
test.to_csv("submission.csv", index=False)
