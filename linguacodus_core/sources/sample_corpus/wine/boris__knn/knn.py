import pandas as pd
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

tr = pd.read_csv("./data/train.csv", index_col=0)
te = pd.read_csv("./data/test.csv", index_col=0)
y = tr.pop("kind")
for k in 1, 3, 5, 7, 9, 15:
    print(k, cross_val_score(KNeighborsClassifier(k), tr, y, cv=5).mean().round(3))
# 5 looks fine. why is it so bad? maybe there is not more in the data
te["kind"] = KNeighborsClassifier(5).fit(tr, y).predict(te)
te[["kind"]].to_csv("submission.csv")
