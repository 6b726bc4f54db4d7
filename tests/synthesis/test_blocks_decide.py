"""Blocks for targets, validation, scores, decisions, series and the submission."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.synthesis.blocks import decide, scores, series, submit, targets, training, validation


def test_labels_become_codes_in_the_order_of_the_classes() -> None:
    codes, known = targets.label_codes(pd.Series(["b", "a", "", "new"]), ["b", "a"])
    assert codes.tolist() == [0, 1, -1, 2]
    assert known == ["b", "a", "new"]
    assert targets.label_codes(pd.Series(["1.0", "0", "1"]), ["0", "1"])[0].tolist() == [1, 0, 1]


def test_number_targets_read_words_and_refuse_infinities() -> None:
    given = pd.DataFrame({"a": ["True", "no", "3"], "b": [1.0, np.inf, np.nan]})
    found = targets.number_target(given, ["a", "b"])
    assert found[:, 0].tolist() == [1, 0, 3]
    assert np.isnan(found[1:, 1]).all()


@pytest.mark.parametrize("scale", [targets.log_scale, targets.power_scale, targets.plain_scale])
def test_scales_can_be_undone(scale: object) -> None:
    y = np.array([[0.0], [1.0], [10.0], [500.0], [2.0]])
    scaled, back = scale(y)  # type: ignore[operator]
    assert back(scaled) == pytest.approx(y, abs=1e-6)
    assert np.isfinite(back(np.array([[1e9], [-1e9]]))).all()


def test_exclusive_labels_get_a_class_for_none() -> None:
    assert targets.exclusive_codes(np.array([[1, 0], [0, 1], [0, 0], [1, 1]])).tolist() == [0, 1, 2, 0]


def test_balanced_weights_give_every_class_the_same_weight() -> None:
    y = np.array([0, 0, 0, 1])
    weights = targets.balanced_weights(y)
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())


@pytest.mark.parametrize(
    "y",
    [
        np.arange(50.0),
        np.arange(50) % 2,
        np.array([0] * 48 + [1, 2]),
        np.eye(2, dtype=int)[np.arange(50) % 2],
    ],
)
def test_stratified_folds_hold_out_every_row_once(y: np.ndarray) -> None:
    folds = validation.stratified_folds(y, 5, 0)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(50))
    assert all(not set(inside) & set(held) for inside, held in folds)


def test_one_row_has_no_folds() -> None:
    assert validation.stratified_folds(np.array([1]), 5, 0) == []
    assert validation.shuffled_folds(np.array([1]), 5, 0) == []
    assert validation.group_folds(np.array(["a", "a"]), 5, 0) == []


def test_groups_are_never_parted() -> None:
    groups = np.repeat(np.arange(20), 5)
    for inside, held in validation.group_folds(groups, 5, 1):
        assert not set(groups[inside]) & set(groups[held])


def test_time_folds_ahead_are_fitted_on_the_past_alone() -> None:
    times = pd.Series(pd.date_range("2018-01-01", periods=1000))
    later = pd.Series(pd.date_range("2020-09-27", periods=90))
    folds = validation.time_folds(times, later, 5, 0)
    assert len(folds) == 5
    assert all(inside.max() < held.min() for inside, held in folds)
    assert all(len(held) == 90 for _, held in folds)


def test_time_folds_in_between_keep_days_whole() -> None:
    times = pd.Series(pd.date_range("2018-01-01", periods=240, freq="h"))
    for inside, held in validation.time_folds(times, times, 5, 0):
        assert not set(times[inside].dt.date) & set(times[held].dt.date)


def test_quadratic_kappa_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    draw = np.random.default_rng(0)
    y, p = draw.integers(3, 9, 200), draw.integers(3, 9, 200)
    assert scores.score_quadratic_kappa(y, p) == pytest.approx(cohen_kappa_score(y, p, weights="quadratic"))


def test_scores_of_perfect_answers() -> None:
    y = np.array([0, 1, 2, 1, 0, 2])
    p = np.eye(3)[y]
    assert scores.score_auc(y, p) == 1
    assert scores.score_log_loss(y, p) == pytest.approx(0, abs=1e-9)
    assert scores.score_reciprocal_rank(y, p, 3) == 1
    for name in (
        "accuracy",
        "balanced_accuracy",
        "f1",
        "f1_macro",
        "f1_micro",
        "f1_weighted",
        "f2",
        "matthews",
        "kappa",
    ):
        assert getattr(scores, f"score_{name}")(y, y) == 1, name
    v = np.array([[1.0], [2.0], [5.0]])
    for name in ("rmse", "mse", "mae", "rmsle", "rmse_of_log", "mape", "rmspe", "smape", "median_absolute"):
        assert getattr(scores, f"score_{name}")(v, v) == 0, name
    for name in ("r2", "pearson", "spearman", "gini"):
        assert getattr(scores, f"score_{name}")(v, v) == pytest.approx(1), name


def test_known_values_of_scores() -> None:
    y, p = np.array([[100.0], [0.0]]), np.array([[50.0], [0.0]])
    assert scores.score_smape(y, p) == pytest.approx(200 * 0.5 * 50 / 150)
    assert scores.score_rmse(y, p) == pytest.approx(np.sqrt(1250))
    assert scores.score_rmsle(np.array([[np.e - 1]]), np.array([[-5.0]])) == pytest.approx(1)


def test_a_threshold_for_a_rare_class_lies_below_one_half() -> None:
    draw = np.random.default_rng(0)
    p = draw.beta(1, 6, 3000)
    y = (draw.random(3000) < p).astype(int)
    cut = decide.best_threshold(y, p, scores.score_f1)
    assert cut < 0.4
    assert scores.score_f1(y, (p >= cut).astype(int)) > scores.score_f1(y, (p >= 0.5).astype(int))
    moved = decide.around_half(p, cut)
    assert np.array_equal(moved >= 0.5, p >= cut)
    assert np.array_equal(np.argsort(moved, kind="stable"), np.argsort(p, kind="stable"))


def test_thresholds_and_factors_never_lose_in_sample() -> None:
    draw = np.random.default_rng(1)
    p = draw.dirichlet([6, 2, 1], 800)
    y = np.array([draw.choice(3, p=row) for row in p])
    factors = decide.class_factors(y, p, scores.score_f1_macro)
    assert scores.score_f1_macro(y, (p * factors).argmax(axis=1)) >= scores.score_f1_macro(
        y, p.argmax(axis=1)
    )
    labels = (draw.random((500, 2)) < 0.3).astype(int)
    chances = np.clip(0.25 + 0.2 * labels + 0.1 * draw.normal(size=labels.shape), 0.01, 0.99)
    cuts = decide.label_thresholds(labels, chances, scores.score_f1_macro)
    assert scores.score_f1_macro(labels, (chances >= cuts).astype(int)) > 0.7


def test_cut_points_undo_a_shrunken_scale() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=2000)
    grades = np.array([3.0, 4, 5, 6, 7])
    y = grades[np.digitize(truth, [-1.5, -0.5, 0.5, 1.5])]
    p = 5 + 0.4 * (truth + 0.3 * draw.normal(size=2000))
    cuts = decide.cut_points(y, p, grades, scores.score_quadratic_kappa)
    tuned = scores.score_quadratic_kappa(y, grades[np.searchsorted(cuts, p)])
    assert tuned > scores.score_quadratic_kappa(y, np.clip(np.rint(p), 3, 7)) + 0.03
    soft = decide.on_grades(p, cuts, grades)
    assert (np.rint(soft) == grades[np.searchsorted(cuts, p)]).mean() > 0.999


def test_values_stay_in_range_and_never_turn_negative() -> None:
    y = np.array([[0.0], [10.0]])
    assert decide.keep_in_range(np.array([[-5.0], [99.0]]), y, 0.0).ravel().tolist() == [0, 10]
    assert decide.keep_in_range(np.array([[-5.0], [99.0]]), y, 0.5).ravel().tolist() == [0, 15]


def test_rounding_happens_only_where_it_helps() -> None:
    y = np.repeat(np.arange(10.0), 10)[:, None]
    close = y + 0.2 * np.sin(np.arange(100))[:, None]
    assert decide.refine_values(y, close, close, scores.score_mae, False)[2] != "as predicted"
    far = y + 3.3
    assert decide.refine_values(y, far, far, scores.score_r2, True)[2] in (
        "as predicted",
        "nearest value seen in train",
    )
    assert (
        decide.refine_values(y + 0.5, close + 0.5, close, scores.score_mae, False)[2]
        == "nearest value seen in train"
    )


def test_the_best_factor_mends_a_bias() -> None:
    y = np.linspace(1, 9, 50)[:, None]
    assert decide.best_factor(y, y / 1.1, scores.score_rmse, False) == pytest.approx(1.1, abs=0.006)


def test_levels_follow_the_series_and_the_forecast_knows_no_future() -> None:
    dates = pd.Series(pd.date_range("2016-01-01", "2020-12-31"))
    rows = int((dates < "2020-01-01").sum())
    periods = series.periods_of(dates, rows)
    assert set(periods[rows:]) == {0}
    y = np.log(100.0) + 0.1 * (dates.dt.year - 2016).to_numpy(dtype=float)
    names = pd.Series("all", index=dates.index)
    level, expected = series.series_levels(y[:rows], names, periods, rows)
    assert expected[-1] == pytest.approx(np.log(100.0) + 0.4, abs=0.06)
    changed = y[:rows].copy()
    changed[periods[:rows] == -1] += 5
    assert series.series_levels(changed, names, periods, rows)[1][periods == -2].max() < np.log(100.0) + 0.4
    assert level[:rows] == pytest.approx(y[:rows], abs=0.11)


def test_series_are_told_apart_by_what_makes_dates_unique() -> None:
    dates = pd.date_range("2020-01-01", periods=60)
    table = pd.DataFrame({"date": list(dates) * 2, "shop": [1.0] * 60 + [2.0] * 60, "promo": [0.0, 1.0] * 60})
    assert series.series_of(table, "date", 120, None).nunique() == 2
    assert series.series_of(table.iloc[:60], "date", 60, None).nunique() == 1


def test_lags_reach_back_past_the_whole_test_period() -> None:
    dates = pd.Series(pd.date_range("2020-01-01", periods=100))
    names = pd.Series("all", index=dates.index)
    y = np.arange(80.0)
    made = series.lag_features(y, dates, names, 80)
    assert made["21 days before"][99] == 78
    assert np.isnan(made["21 days before"][0])
    assert (
        series.lag_features(y, pd.concat([dates[:80], dates[:20]], ignore_index=True), names, 80).shape[1]
        == 0
    )


def test_a_class_absent_from_a_fold_gets_probability_zero() -> None:
    def model(X, y, others, stop, problem, width, **options):  # type: ignore[no-untyped-def]
        assert set(y) == set(range(width))
        return [np.full((len(other), width), 1 / width) for other in others], 1

    X = pd.DataFrame({"f0": range(20)})
    y = np.array([0, 2] * 10)
    found, _ = training.fit_one(model, X, y, [X], None, "multiclass", 3, False, [])
    assert found[0][:, 1].max() == 0
    assert found[0].sum(axis=1) == pytest.approx(np.ones(20))


def test_submissions_follow_the_samples_order_and_columns(tmp_path: Path) -> None:
    sample = pd.DataFrame({"id": ["b", "a", "z"], "y": 0, "carried": [7, 8, 9]})
    test = pd.DataFrame({"id": ["a", "b"]})
    rows = submit.rows_of_sample(sample, test, "id")
    assert rows.tolist() == [1, 0, -1]
    path = str(tmp_path / "s.csv")
    submit.write_columns(path, sample, rows, "id", {"y": np.array([1.0, 3.0])}, ["id", "y", "carried"])
    assert pd.read_csv(path).to_dict("list") == {
        "id": ["b", "a", "z"],
        "y": [3.0, 1.0, 2.0],
        "carried": [7, 8, 9],
    }


def test_rows_go_by_order_without_an_id() -> None:
    sample, test = pd.DataFrame({"y": [0, 0]}), pd.DataFrame({"x": [1, 2]})
    assert submit.rows_of_sample(sample, test, None).tolist() == [0, 1]


def test_yes_and_no_are_written_as_the_sample_writes_them() -> None:
    labels = np.array(["True", "False"], dtype=object)
    assert submit.as_sample_writes(labels, pd.Series([0, 1])).tolist() == ["1", "0"]
    assert submit.as_sample_writes(labels, pd.Series([True, False])).tolist() == ["True", "False"]
    assert submit.as_sample_writes(np.array(["0", "1"]), pd.Series([False])).tolist() == ["False", "True"]
    assert submit.as_sample_writes(np.array(["a", "b"]), pd.Series(["0"])).tolist() == ["a", "b"]
