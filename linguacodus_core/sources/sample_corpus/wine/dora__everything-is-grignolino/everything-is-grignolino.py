# The simplest thing: most wines are Grignolino, so I say Grignolino every time.
import pandas as pd

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

counts = train["kind"].value_counts()
print(counts)
winner = counts.index[0]

answer = test[["id"]].copy()
answer["kind"] = winner
answer.to_csv("submission.csv", index=False)
