"""Multinomial logistic regression on the 32 pixels, its penalty chosen for log loss."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DATA = Path("data")


def main() -> None:
    """Read, search, predict, write."""
    train = pd.read_csv(DATA / "train.csv", index_col="id")
    test = pd.read_csv(DATA / "test.csv", index_col="id")
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    search = GridSearchCV(
        pipeline, {"logisticregression__C": np.logspace(-2, 0.5, 6)}, scoring="neg_log_loss", cv=5, n_jobs=1
    )
    search.fit(train.drop(columns="digit"), train["digit"])
    print(f"{search.best_params_}: log loss {-search.best_score_:.4f}")
    probabilities = search.predict_proba(test)
    columns = [f"digit_{label}" for label in search.classes_]
    pd.DataFrame(probabilities, index=test.index, columns=columns).to_csv("submission.csv")


if __name__ == "__main__":
    main()
