# Random forest on images. On my own validation I get 0.96, but my submission is terrible.
# Can somebody tell me what is wrong?
import os

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")

# read ALL the images
files = sorted(os.listdir("./data/images"))
pixels = {}
for f in files:
    pixels[f] = np.array(Image.open("./data/images/" + f)).flatten()

X = np.array([pixels[f] for f in train["image"]])
y = train["digit"]

X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.2, random_state=0)
rf = RandomForestClassifier(n_estimators=200, random_state=0)
rf.fit(X_train, y_train)
print("validation accuracy:", rf.score(X_valid, y_valid))

# the test images are the last ones in the folder
X_test = np.array([pixels[f] for f in files[-len(test):]])
test["digit"] = rf.predict(X_test)
test.to_csv("submission.csv", index=False)
