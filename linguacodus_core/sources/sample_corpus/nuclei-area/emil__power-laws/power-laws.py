"""Areas, radii and perimeters are tied by power laws: take logarithms and everything is linear.

log(worst area) = a + sum b_j log(x_j). Percentage errors are absolute errors of the logarithm, to first
order, so least absolute deviations on the log scale is the right loss; iteratively reweighted least squares
solves it.
"""
import numpy as np
import pandas as pd

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")
columns = list(test.columns.drop("id"))


def design(frame):
    logs = np.log(frame[columns].to_numpy() + 1e-3)
    return np.column_stack([np.ones(len(frame)), logs])


A, y = design(train), np.log(train["worst_area"].to_numpy())
ridge = 1e-2 * np.eye(A.shape[1])
weights = np.ones(len(y))
for step in range(60):
    W = A * weights[:, None]
    beta = np.linalg.solve(A.T @ W + ridge, W.T @ y)
    residual = np.abs(y - A @ beta)
    weights = 1 / np.maximum(residual, 1e-3)
print("median error", np.median(residual).round(4), "mean error", residual.mean().round(4))

test["worst_area"] = np.exp(design(test) @ beta)
test[["id", "worst_area"]].to_csv("submission.csv", index=False)
