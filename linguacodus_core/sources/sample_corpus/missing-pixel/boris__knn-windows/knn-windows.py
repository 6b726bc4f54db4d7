import pandas as pd
from sklearn.neighbors import KNeighborsRegressor

tr, te = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
f = [c for c in te if c != "id"]
# similar windows have similar middles
m = KNeighborsRegressor(6, weights="distance", n_jobs=1).fit(tr[f], tr.r3c3)
te["r3c3"] = m.predict(te[f])
te[["id", "r3c3"]].to_csv("submission.csv", index=False)
