import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import cross_val_score

tr = pd.read_csv("./data/train.csv").set_index("id")
te = pd.read_csv("./data/test.csv").set_index("id")
y = tr.pop("worst_area")
m = ExtraTreesRegressor(300, min_samples_leaf=2, n_jobs=1, random_state=1)
print(-cross_val_score(m, tr, y, cv=4, scoring="neg_mean_absolute_percentage_error"))
te["worst_area"] = m.fit(tr, y).predict(te)
te[["worst_area"]].to_csv("submission.csv")
