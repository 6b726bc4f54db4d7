# No machine learning, just reading. I know a little bit of scikit-learn so I wrote down some words.
import pandas as pd

test = pd.read_csv("./data/test.csv")

rules = [
    ("cluster", ["cluster", "centroid", "linkage", "leaf", "bandwidth"]),
    ("svm", ["support vector", "kernel", "margin", "libsvm"]),
    ("neighbors", ["neighbor", "leaf_size", "radius", "tree"]),
    ("decomposition", ["component", "dictionary", "singular", "variance", "atoms"]),
    ("ensemble", ["estimators", "forest", "boosting", "bootstrap", "trees", "split"]),
    ("metrics", ["score", "labels", "curve", "distance", "average", "y_true"]),
    ("preprocessing", ["categor", "encod", "transform", "quantile", "knots", "feature names"]),
    ("linear_model", ["regression", "coef", "alpha", "intercept", "solver"]),
]


def guess(sentence):
    sentence = sentence.lower()
    for module, words in rules:
        for word in words:
            if word in sentence:
                return module
    # nothing found: say the biggest one
    return "linear_model"


test["module"] = test["sentence"].apply(guess)
print(test["module"].value_counts())
test[["id", "module"]].to_csv("submission.csv", index=False)
