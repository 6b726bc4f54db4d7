import pandas as pd
s = pd.read_csv("./data/sample_submission.csv")
s["flower"] = pd.read_csv("./data/train.csv").flower.mean()
s.to_csv("submission.csv", index=False)
