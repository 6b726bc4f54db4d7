"""Ridge regression from scratch: one formula, no library but numpy.

beta = (Z'Z + lambda I)^-1 Z'y on standardised columns. Lambda by generalised cross-validation, which for
ridge costs a single SVD: GCV = mean(residual^2) / (1 - df/n)^2 with df = sum d^2 / (d^2 + lambda).
"""
import numpy as np
import pandas as pd

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")
columns = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]

X = train[columns].to_numpy(float)
y = train["progression"].to_numpy(float)
mu, sigma = X.mean(0), X.std(0)
Z = (X - mu) / sigma
centre = y.mean()

U, d, Vt = np.linalg.svd(Z, full_matrices=False)
uy = U.T @ (y - centre)
n = len(y)

best = None
for lam in np.logspace(-2, 4, 61):
    shrink = d**2 / (d**2 + lam)
    residual = (y - centre) - U @ (shrink * uy)
    gcv = np.mean(residual**2) / (1 - (shrink.sum() + 1) / n) ** 2
    if best is None or gcv < best[0]:
        best = (gcv, lam)
gcv, lam = best
print(f"lambda {lam:.2f}, estimated RMSE {gcv ** 0.5:.2f}")

beta = Vt.T @ (d / (d**2 + lam) * uy)
for name, b in sorted(zip(columns, beta), key=lambda pair: -abs(pair[1])):
    print(f"{name:4s} {b:8.2f}")

prediction = centre + (test[columns].to_numpy(float) - mu) / sigma @ beta
pd.DataFrame({"id": test["id"], "progression": prediction}).to_csv("submission.csv", index=False)
