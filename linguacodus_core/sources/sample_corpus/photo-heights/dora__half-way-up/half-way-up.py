# Everything is in the middle: the mean height of the train set. R2 = 0 by definition (I think)
import pandas as pd

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")
test["height"] = train["height"].mean()
test.to_csv("submission.csv", index=False)
