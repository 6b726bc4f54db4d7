"""Blue means sky: a linear regression of height on the mean colour of a patch."""
import numpy as np
import pandas as pd
from PIL import Image

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")


def design(names):
    colours = np.array([np.asarray(Image.open(f"data/images/{n}"), dtype=float).mean(axis=(0, 1)) for n in names]) / 255
    red, green, blue = colours.T
    # brightness and two colour differences: nearly uncorrelated, so the coefficients can be read
    return np.column_stack([np.ones(len(names)), colours.mean(axis=1), blue - red, green - (red + blue) / 2])


A, y = design(train["image"]), train["height"].to_numpy()
beta, *_ = np.linalg.lstsq(A, y, rcond=None)
residual = y - A @ beta
print("R2 on the training set", 1 - residual.var() / y.var())
print(dict(zip(["constant", "brightness", "blue-red", "green"], beta.round(3))))

test["height"] = design(test["image"]) @ beta
test.to_csv("submission.csv", index=False)
