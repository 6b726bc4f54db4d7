import pandas as pd
g = pd.read_csv("./data/train.csv").grade
s = pd.read_csv("./data/sample_submission.csv")
s["grade"] = g.mode()[0]
s.to_csv("submission.csv", index=False)
