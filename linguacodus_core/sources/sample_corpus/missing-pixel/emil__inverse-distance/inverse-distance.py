"""Inverse-distance interpolation: nothing is learned but one exponent.

A pixel at distance d from the hole's centre gets the weight d^-p. p is the value that would have been best on
the training windows.
"""
import re

import numpy as np
import pandas as pd

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")
columns = [c for c in test.columns if c != "id"]
places = np.array([[int(v) for v in re.findall(r"\d", c)] for c in columns])
distance = np.hypot(places[:, 0] - 3, places[:, 1] - 3)


def interpolate(frame, power):
    w = distance ** -float(power)
    return frame[columns].to_numpy() @ (w / w.sum())


errors = {p: np.abs(interpolate(train, p) - train["r3c3"]).mean() for p in np.arange(0, 30.5, 0.5)}
power = min(errors, key=errors.get)
print(f"p = {power}, MAE {errors[power]:.3f}")

test["r3c3"] = interpolate(test, power)
test[["id", "r3c3"]].to_csv("submission.csv", index=False)
