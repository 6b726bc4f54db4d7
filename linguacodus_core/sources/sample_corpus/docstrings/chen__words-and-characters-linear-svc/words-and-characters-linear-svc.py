# ============================================================
#  Word and character n-grams, linear SVM
# ============================================================
import re

import pandas as pd
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

SEED = 2024
N_FOLDS = 5
TARGET = "module"

train = pd.read_csv("./data/train.csv")
test = pd.read_csv("./data/test.csv")


# ------------------------------------------------------------ features
def clean(text):
    text = re.sub(r"`+", " ", text)
    # n_components -> n_components n components
    parts = re.findall(r"[A-Za-z]+(?:_[A-Za-z]+)+", text)
    return text + " " + " ".join(p.replace("_", " ") for p in parts)


texts = pd.concat([train["sentence"], test["sentence"]]).map(clean)
word = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
char = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
full = hstack([word.fit_transform(texts), char.fit_transform(texts)]).tocsr()
X, X_test = full[: len(train)], full[len(train):]
y = train[TARGET]
print(X.shape)

# ------------------------------------------------------------ training
oof = y.copy()
for trn, val in StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED).split(X, y):
    svc = LinearSVC(C=0.5, class_weight="balanced", random_state=SEED)
    oof.iloc[val] = svc.fit(X[trn], y.iloc[trn]).predict(X[val])
print(classification_report(y, oof, digits=3))
print("CV macro F1:", f1_score(y, oof, average="macro"))

# ------------------------------------------------------------ submission
svc = LinearSVC(C=0.5, class_weight="balanced", random_state=SEED).fit(X, y)
sub = pd.DataFrame({"id": test["id"], TARGET: svc.predict(X_test)})
sub.to_csv("submission.csv", index=False)
