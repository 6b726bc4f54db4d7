"""Grades are numbers: regress them and round.

Least squares shrinks towards the mean, so plain rounding gives too few 1s and 4s. The fitted values are
therefore stretched until their spread is that of the grades.
"""
import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")
columns = [c for c in test.columns if c != "id"]


def design(frame):
    X = frame[columns].to_numpy(float).copy()
    X[:, columns.index("s4")] = np.log(X[:, columns.index("s4")])
    return X


X, y = design(train), train["grade"].to_numpy(float)
mu, sd = X.mean(0), X.std(0)
A = np.column_stack([np.ones(len(X)), (X - mu) / sd])
penalty = 10.0 * np.eye(A.shape[1])
penalty[0, 0] = 0.0
beta = np.linalg.solve(A.T @ A + penalty, A.T @ y)

fitted = A @ beta
stretch = y.std() / fitted.std()


def grades(values):
    return np.clip(np.rint(y.mean() + stretch * (values - y.mean())), 1, 4).astype(int)


print("stretch", round(stretch, 3))
print("kappa on the training set, plain    ", cohen_kappa_score(y, np.clip(np.rint(fitted), 1, 4), weights="quadratic"))
print("kappa on the training set, stretched", cohen_kappa_score(y, grades(fitted), weights="quadratic"))

B = np.column_stack([np.ones(len(test)), (design(test) - mu) / sd])
test["grade"] = grades(B @ beta)
test[["id", "grade"]].to_csv("submission.csv", index=False)
