"""Two numbers a patch: how bright it is and how much its brightness varies.

A blurred background varies little, a temple's ornaments vary much. Both numbers, their squares and their
product go into a logistic regression, fitted by Newton's method.
"""
import numpy as np
import pandas as pd
from PIL import Image

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")


def summary(names):
    rows = []
    for name in names:
        grey = np.asarray(Image.open("data/images/" + name), dtype=float)
        rows.append((grey.mean() / 255, np.log1p(grey.std())))
    m, s = np.array(rows).T
    return np.column_stack([np.ones(len(rows)), m, s, m * m, s * s, m * s])


A, y = summary(train["image"]), train["flower"].to_numpy(float)
beta = np.zeros(A.shape[1])
penalty = 0.01 * np.eye(A.shape[1])
for _ in range(30):
    p = 1 / (1 + np.exp(-A @ beta))
    gradient = A.T @ (y - p) - penalty @ beta
    hessian = A.T @ (A * (p * (1 - p))[:, None]) + penalty
    beta += np.linalg.solve(hessian, gradient)
p = 1 / (1 + np.exp(-A @ beta))
print("log loss on the training set", -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))

test["flower"] = 1 / (1 + np.exp(-summary(test["image"]) @ beta))
test.to_csv("submission.csv", index=False)
