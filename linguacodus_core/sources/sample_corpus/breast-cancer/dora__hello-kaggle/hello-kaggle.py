# Hello! This is my very first submission :-)
# I don't know much yet, I only want to see that the file format is right.
import pandas as pd

train = pd.read_csv("./data/train.csv")
sub = pd.read_csv("./data/sample_submission.csv")

# how many are malignant?
print(train.shape)
print(train["malignant"].value_counts())

# everybody gets the same probability
p = train["malignant"].mean()
print("share of malignant:", p)

sub["malignant"] = p
sub.to_csv("submission.csv", index=False)
print("done!")
