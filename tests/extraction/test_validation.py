"""How rows are held back: splitters, calls, hand-made splits, searches, and which of them validates."""

from textwrap import dedent

import pytest

from linguacodus_core.extraction.evidence import Evidence, Split
from linguacodus_core.extraction.syntax import evidence
from linguacodus_core.extraction.trainingprose import main_split, validation_of


def read(code: str) -> Evidence:
    return evidence(dedent(code))


def split_of(code: str) -> Split:
    split = main_split(read(code))
    assert split is not None
    return split


@pytest.mark.parametrize(
    ("splitter", "scheme", "folds"),
    [
        ("KFold(n_splits=5, shuffle=True)", "kfold", 5),
        ("KFold(10)", "kfold", 10),
        ("StratifiedKFold(n_splits=FOLDS)", "stratified_kfold", 7),
        ("GroupKFold(n_splits=4)", "group_kfold", 4),
        ("StratifiedGroupKFold(3)", "stratified_group_kfold", 3),
        ("RepeatedStratifiedKFold(n_splits=5, n_repeats=3)", "repeated_kfold", 5),
        ("LeaveOneOut()", "leave_one_out", None),
        ("TimeSeriesSplit(n_splits=6)", "time_split", 6),
        ("MultilabelStratifiedKFold(n_splits=5)", "stratified_kfold", 5),
        ("PurgedGroupTimeSeriesSplit(n_splits=5)", "time_split", 5),
        ("ShuffleSplit(n_splits=10, test_size=0.3)", "holdout", None),
    ],
)
def test_a_splitter_whose_split_is_looped_over_validates(
    splitter: str, scheme: str, folds: int | None
) -> None:
    split = split_of(
        f"""
        from sklearn.model_selection import *
        FOLDS = 7
        cv = {splitter}
        for fold, (tr, va) in enumerate(cv.split(X, y, groups)):
            model = Ridge().fit(X[tr], y[tr])
        """
    )
    assert (split.scheme, split.folds, split.purpose, split.fits) == (scheme, folds, "evaluation", True)


def test_the_group_column_is_named() -> None:
    split = split_of(
        "for a, b in GroupKFold(5).split(X, y, groups=df['patient_id']):\n    Ridge().fit(X[a], y[a])"
    )
    assert split.by == "patient_id"


def test_cross_validation_by_a_number_or_by_a_splitter() -> None:
    assert split_of("s = cross_val_score(SVC(), X, y, cv=8)").folds == 8
    split = split_of("skf = StratifiedKFold(6)\ns = cross_val_score(SVC(), X, y, cv=skf)")
    assert (split.scheme, split.folds) == ("stratified_kfold", 6)
    assert split_of("s = cross_validate(SVC(), X, y)").scheme == "kfold"


@pytest.mark.parametrize(
    ("code", "scheme", "size", "stratified"),
    [
        ("a, b = train_test_split(df, test_size=0.2)", "holdout", 0.2, False),
        ("a, b, c, d = train_test_split(X, y, stratify=y)", "holdout", 0.25, True),
        ("a, b = train_test_split(df, train_size=0.9)", "holdout", 0.1, False),
        ("a, b = train_test_split(df, test_size=30, shuffle=False)", "time_split", 30.0, False),
        ("train_ds, val_ds = random_split(ds, [0.8, 0.2])", "holdout", 0.2, False),
        ("val = train.sample(frac=0.1)", "holdout", 0.1, False),
        ("X_val = X[:10000]", "holdout", None, False),
        ("valid = df[df['date'] >= '2017-08-01']", "time_split", None, False),
        ("val_df = df[df.week > 40]", "time_split", None, False),
        ("valid = df[df.kfold == 0]", "kfold", None, False),
        ("train_pd, valid_pd = split_dataset(df)", "holdout", None, False),
        ("train, val = series.split_before(day)", "time_split", None, False),
        ("split = dataset.train_test_split(test_size=0.1)", "holdout", 0.1, False),
        ("self.val_df = df[-500:]", "holdout", None, False),
        ("valid_files = '/kaggle/input/flowers/val/*.tfrec'", "holdout", None, False),
    ],
)
def test_hold_outs_by_call_and_by_hand(code: str, scheme: str, size: float | None, stratified: bool) -> None:
    split = split_of(code)
    assert (split.scheme, split.size, split.stratified) == (scheme, size, stratified)


@pytest.mark.parametrize(
    "code",
    [
        "from sklearn.model_selection import train_test_split, KFold",
        "# train_test_split(X, y)",
        "val_scores = scores[:3]",
        "validation_path = paths['val']",
        "text = 'KFold(n_splits=5)'",
        "valid = True",
        "val_y = val_y[:, None]",
    ],
)
def test_what_only_looks_like_validation_is_none(code: str) -> None:
    found = read(code + "\nm = Ridge().fit(X, y)")
    assert found.splits == ()
    assert validation_of(found) == "none"


def test_options_of_fit_hold_rows_back() -> None:
    keras = "from tensorflow import keras\nm = keras.Sequential([keras.layers.Dense(1)])\n"
    assert split_of(keras + "m.fit(X, y, validation_split=0.2)").size == 0.2
    assert split_of(keras + "m.fit(X, y, validation_data=(a, b))").how == "validation_data"
    assert read(keras + "m.fit(X, y, validation_data=None)").splits == ()


def test_folds_are_preferred_to_a_hold_out_and_both_to_the_folds_of_a_search() -> None:
    search = "g = GridSearchCV(SVC(), {'C': [1, 2]}, cv=3).fit(X, y)\n"
    holdout = "a, b = train_test_split(df)\n"
    folds = "s = cross_val_score(SVC(), X, y, cv=10)\n"
    assert (split_of(search).purpose, split_of(search).folds) == ("search", 3)
    assert split_of(search + holdout).scheme == "holdout"
    assert split_of(holdout + search + folds).folds == 10


def test_folds_that_only_encode_do_not_validate() -> None:
    split = split_of(
        """
        for tr, va in KFold(4).split(train):
            train.loc[va, "te"] = train.loc[va, "c"].map(train.loc[tr].groupby("c")["y"].mean())
        X_tr, X_va, y_tr, y_va = train_test_split(train, y, test_size=0.1)
        model = Ridge().fit(X_tr, y_tr)
        """
    )
    assert (split.scheme, split.size) == ("holdout", 0.1)


def test_a_function_that_fits_makes_the_folds_count() -> None:
    split = split_of(
        """
        def run(tr, va):
            m = LGBMRegressor()
            m.fit(X[tr], y[tr])
        a, b = train_test_split(df)
        for tr, va in KFold(6).split(X):
            run(tr, va)
        """
    )
    assert (split.scheme, split.folds) == ("kfold", 6)


def test_a_loop_over_folds_of_a_column_is_cross_validation() -> None:
    split = split_of(
        "for fold in range(5):\n    tr = df[df.part != fold]\n    m = Ridge().fit(tr[f], tr['y'])"
    )
    assert (split.scheme, split.folds) == ("kfold", 5)


def test_folds_that_a_function_makes_count_too() -> None:
    loop = "for fold, (tr, va) in enumerate({}):\n    Ridge().fit(X[tr], y[tr])"
    assert split_of(loop.format("make_folds(df)")).scheme == "kfold"
    assert split_of(loop.format("make_time_folds(df)")).scheme == "time_split"


def test_a_search_inside_the_folds_is_nested() -> None:
    assert (
        split_of("s = cross_val_score(GridSearchCV(SVC(), {'C': [1]}, cv=3), X, y, cv=5)").scheme == "nested"
    )
    nested = "g = GridSearchCV(SVC(), {'C': [1]})\nfor tr, va in KFold(5).split(X):\n    g.fit(X[tr], y[tr])"
    assert split_of(nested).scheme == "nested"


def test_the_boosters_own_cross_validation() -> None:
    split = split_of("r = lgb.cv(params, data, nfold=7, stratified=True)")
    assert (split.scheme, split.folds) == ("stratified_kfold", 7)


def test_a_splitter_that_never_splits_is_only_prepared() -> None:
    found = read("kf = KFold(n_splits=5)\nm = Ridge().fit(X, y)")
    assert [(s.scheme, s.purpose) for s in found.splits] == [("kfold", "prepared")]


def test_the_old_iteration_over_a_splitter_counts() -> None:
    split = split_of("kf = KFold(891, n_folds=10)\nfor tr, te in kf:\n    SVC().fit(X[tr], y[tr])")
    assert (split.scheme, split.folds) == ("kfold", 10)
