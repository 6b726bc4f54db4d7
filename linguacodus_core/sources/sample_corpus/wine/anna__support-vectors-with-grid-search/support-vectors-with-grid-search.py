"""Support vector machine on standardised measurements, tuned by a grid search."""

from pathlib import Path

import pandas as pd
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

DATA = Path("data")
GRID = {"svc__C": [0.1, 0.3, 1, 3, 10], "svc__gamma": [0.01, 0.03, 0.1], "svc__kernel": ["rbf", "linear"]}


def search(X: pd.DataFrame, y: pd.Series) -> GridSearchCV:
    """The best of the grid under five folds, repeated three times because the set is small."""
    pipeline = Pipeline([("scale", StandardScaler()), ("svc", SVC(random_state=0))])
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    return GridSearchCV(pipeline, GRID, cv=folds, scoring="accuracy", n_jobs=1).fit(X, y)


def main() -> None:
    """Read, search, predict, write."""
    train = pd.read_csv(DATA / "train.csv", index_col="id")
    test = pd.read_csv(DATA / "test.csv", index_col="id")
    found = search(train.drop(columns="kind"), train["kind"])
    print(f"best parameters {found.best_params_}, accuracy {found.best_score_:.4f}")
    submission = pd.DataFrame({"kind": found.predict(test)}, index=test.index)
    submission.to_csv("submission.csv")


if __name__ == "__main__":
    main()
