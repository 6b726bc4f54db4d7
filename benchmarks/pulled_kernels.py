"""A small folder of pulled kernels, made on the spot."""

import json
from pathlib import Path

MODELS = (
    (
        "lightgbm",
        "LGBMClassifier",
        "import lightgbm as lgb\n",
        "lgb.LGBMClassifier(n_estimators={n}, learning_rate=0.05)",
    ),
    (
        "xgboost",
        "XGBClassifier",
        "import xgboost as xgb\n",
        "xgb.XGBClassifier(n_estimators={n}, max_depth=4)",
    ),
    (
        "sklearn",
        "RandomForest",
        "from sklearn.ensemble import RandomForestClassifier\n",
        "RandomForestClassifier(n_estimators={n})",
    ),
)

SCRIPT = """import pandas as pd
{imports}from sklearn.model_selection import {splitter}

train = pd.read_csv('../input/{competition}/train.csv')
test = pd.read_csv('../input/{competition}/test.csv')
sample_{seed} = pd.read_csv('../input/{competition}/sample_submission.csv')
train['age_{seed}'] = train['age_{seed}'].fillna(train['age_{seed}'].median())
test['age_{seed}'] = test['age_{seed}'].fillna(train['age_{seed}'].median())
features_{seed} = ['age_{seed}', 'fare_{seed}', 'rooms_{seed}']
X_{seed}, y_{seed} = train[features_{seed}], train['target_{seed}']
predictions_{seed} = 0
folds_{seed} = {splitter}(n_splits={folds}, shuffle=True, random_state={seed})
for fold_{seed}, (inside, outside) in enumerate(folds_{seed}.split(X_{seed}, y_{seed})):
    model_{seed} = {model}
    model_{seed}.fit(X_{seed}.iloc[inside], y_{seed}.iloc[inside])
    predictions_{seed} += model_{seed}.predict_proba(test[features_{seed}])[:, 1] / {folds}
sample_{seed}['target_{seed}'] = predictions_{seed}
sample_{seed}.to_csv('submission.csv', index=False)
"""


def write_kernel(folder: Path, competition: str, number: int, seed: int) -> str:
    """One more kernel; returns its id."""
    _, _, imports, model = MODELS[seed % len(MODELS)]
    name = f"kernel-{competition}-{number}"
    place = folder / competition / f"ann__{name}"
    place.mkdir(parents=True)
    code = SCRIPT.format(
        competition=competition,
        seed=seed,
        imports=imports,
        model=model.format(n=100 + seed),
        splitter=("KFold", "StratifiedKFold")[seed % 2],
        folds=3 + seed % 5,
    )
    (place / f"{name}.py").write_text(code)
    about = {
        "id": f"ann/{name}",
        "title": name,
        "code_file": f"{name}.py",
        "language": "python",
        "kernel_type": "script",
        "competition_sources": [competition],
    }
    (place / "kernel-metadata.json").write_text(json.dumps(about))
    return f"ann/{name}"


def write_corpus(folder: Path, competitions: int = 3, kernels: int = 4, seed: int = 0) -> Path:
    """A folder of competitions with a metric, each with kernels in a known order."""
    for c in range(competitions):
        competition = f"contest-{seed}-{c}"
        listing = []
        for number in range(kernels):
            kernel = write_kernel(folder, competition, number, 1000 * seed + 100 * c + number)
            listing.append({"kernel": kernel, "listed": number + 1, "votes": 3, "title": kernel})
        write_listing(folder, competition, listing)
        about = {
            "competition": competition,
            "title": f"Contest {c}",
            "description": f"Predict the target of contest {c}, a table of columns.",
            "metric_name": "Area Under Receiver Operating Characteristic Curve",
            "tags": ["Tabular"],
        }
        (folder / competition / "competition.json").write_text(json.dumps(about))
    return folder


def write_listing(folder: Path, competition: str, listing: list[dict[str, object]]) -> None:
    """The order by score."""
    (folder / competition / "listing.json").write_text(json.dumps(listing))


def add_kernel(folder: Path, competition: str, seed: int) -> str:
    """One more kernel at the end of a competition's listing."""
    path = folder / competition / "listing.json"
    listing = json.loads(path.read_text())
    kernel = write_kernel(folder, competition, len(listing), seed)
    write_listing(folder, competition, [*listing, {"kernel": kernel, "listed": len(listing) + 1, "votes": 0}])
    return kernel
