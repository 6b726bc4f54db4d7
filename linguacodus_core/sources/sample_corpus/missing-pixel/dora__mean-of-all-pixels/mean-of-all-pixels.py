# I take the mean of all the pixels that are there. No machine learning!
import pandas as pd

test = pd.read_csv("./data/test.csv")
pixels = test.drop("id", axis=1)

sub = pd.DataFrame()
sub["id"] = test["id"]
sub["r3c3"] = pixels.mean(axis=1)
sub.to_csv("submission.csv", index=False)
