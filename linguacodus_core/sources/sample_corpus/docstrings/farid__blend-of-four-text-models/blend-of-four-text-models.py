# Four text models that read differently, blended on out-of-fold probabilities.
import random

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC


class CFG:
    seed = 42
    folds = 5
    weights = {"words": 0.3, "characters": 0.35, "bayes": 0.2, "complement": 0.15}
    token = r"[A-Za-z]{2,}"


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)


MODELS = {
    "words": make_pipeline(
        TfidfVectorizer(token_pattern=CFG.token, ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, class_weight="balanced", max_iter=500),
    ),
    "characters": make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True),
        LinearSVC(C=0.4, class_weight="balanced", random_state=CFG.seed),
    ),
    "bayes": make_pipeline(
        CountVectorizer(token_pattern=CFG.token, stop_words="english", binary=True), MultinomialNB(alpha=0.3, fit_prior=False),
    ),
    "complement": make_pipeline(TfidfVectorizer(token_pattern=CFG.token, sublinear_tf=True), ComplementNB(alpha=0.3)),
}


def probabilities(model, texts):
    if hasattr(model, "predict_proba"):
        return model.predict_proba(texts)
    return softmax(3 * model.decision_function(texts), axis=1)


seed_everything(CFG.seed)
train, test = pd.read_csv("./data/train.csv"), pd.read_csv("./data/test.csv")
texts, y = train["sentence"].to_numpy(), train["module"].to_numpy()
labels = np.unique(y)

blend, blend_test = 0, 0
for name, model in MODELS.items():
    oof = np.zeros((len(y), len(labels)))
    for tr, va in StratifiedKFold(CFG.folds, shuffle=True, random_state=CFG.seed).split(texts, y):
        oof[va] = probabilities(clone(model).fit(texts[tr], y[tr]), texts[va])
    print(f"{name:12s} macro F1 {f1_score(y, labels[oof.argmax(1)], average='macro'):.4f}")
    blend = blend + CFG.weights[name] * oof
    blend_test = blend_test + CFG.weights[name] * probabilities(clone(model).fit(texts, y), test["sentence"])
print(f"{'blend':12s} macro F1 {f1_score(y, labels[blend.argmax(1)], average='macro'):.4f}")

test["module"] = labels[blend_test.argmax(axis=1)]
test[["id", "module"]].to_csv("submission.csv", index=False)
