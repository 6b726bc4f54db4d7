"""tf-idf and a multinomial logit.

The classes are unequal and macro F1 counts each of them once, so rows are weighted by the inverse frequency of
their class. sublinear_tf: a word that comes twice is not twice as telling.
"""
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

train = pd.read_csv("data/train.csv")
test = pd.read_csv("data/test.csv")

vectoriser = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
X = vectoriser.fit_transform(train["sentence"])
X_test = vectoriser.transform(test["sentence"])
y = train["module"]
print(X.shape)

folds = StratifiedKFold(5, shuffle=True, random_state=3)
best = max(
    (f1_score(y, cross_val_predict(LogisticRegression(C=c, class_weight="balanced", max_iter=1000), X, y, cv=folds), average="macro"), c)
    for c in (1, 3, 10, 30)
)
print("macro F1 %.4f at C = %g" % best)

model = LogisticRegression(C=best[1], class_weight="balanced", max_iter=1000).fit(X, y)
for module, weights in zip(model.classes_, model.coef_):
    top = np.array(vectoriser.get_feature_names_out())[np.argsort(-weights)[:6]]
    print(f"{module:15s}", ", ".join(top))

test["module"] = model.predict(X_test)
test[["id", "module"]].to_csv("submission.csv", index=False)
