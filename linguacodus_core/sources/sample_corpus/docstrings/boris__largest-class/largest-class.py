import pandas as pd
tr, te = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
te["module"] = tr.module.value_counts().idxmax()
te[["id", "module"]].to_csv("submission.csv", index=False)
