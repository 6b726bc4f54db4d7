import pandas as pd
from sklearn.ensemble import RandomForestClassifier

tr, te = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
f = [c for c in te.columns if c.startswith("row")]
m = RandomForestClassifier(n_estimators=300, n_jobs=1, random_state=1).fit(tr[f], tr.digit)
p = pd.DataFrame(m.predict_proba(te[f]), columns=[f"digit_{c}" for c in m.classes_])
# p = p.clip(1e-3)   # todo: try
p.insert(0, "id", te.id)
p.to_csv("submission.csv", index=False)
