import pandas as pd
from sklearn.ensemble import RandomForestRegressor

tr = pd.read_csv("./data/train.csv")
te = pd.read_csv("./data/test.csv")
f = [c for c in te if c != "id"]
m = RandomForestRegressor(300, min_samples_leaf=5, max_features=0.4, n_jobs=1, random_state=1)
m.fit(tr[f], tr.progression)
print(dict(zip(f, m.feature_importances_.round(3))))
te["progression"] = m.predict(te[f])
te[["id", "progression"]].to_csv("submission.csv", index=False)
