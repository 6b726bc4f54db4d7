import pandas as pd
from sklearn.ensemble import RandomForestClassifier as RF

tr, te = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
y = tr.malignant
tr, te = tr.drop(columns=["id", "malignant"]), te.drop(columns="id")
for d in (tr, te):
    d["laboratory"] = d.laboratory.map({"north": 0, "south": 1, "east": 2, "west": 3})
    d.fillna(-999, inplace=True)

m = RF(n_estimators=400, min_samples_leaf=2, max_features="sqrt", n_jobs=1, random_state=1, oob_score=True)
m.fit(tr, y)
print("oob acc", m.oob_score_)

s = pd.read_csv("./data/sample_submission.csv")
s["malignant"] = m.predict_proba(te)[:, 1]
s.to_csv("submission.csv", index=False)
