import numpy as np, pandas as pd
from PIL import Image
from sklearn.ensemble import RandomForestRegressor

def f(n):
    p = np.asarray(Image.open("./data/images/" + n), float).reshape(-1, 3)
    return np.r_[p.mean(0), p.std(0)]

tr, te = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
X, T = np.array([f(n) for n in tr.image]), np.array([f(n) for n in te.image])
m = RandomForestRegressor(300, min_samples_leaf=2, n_jobs=1, random_state=1, oob_score=True).fit(X, tr.height)
print("oob r2", m.oob_score_)
te["height"] = m.predict(T)
te.to_csv("submission.csv", index=False)
