"""Comparisons whose answer is known by construction or by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from linguacodus_core.errors import TrainingError
from linguacodus_core.training.agreement import Prior, kernels_of
from linguacodus_core.training.bootstrap import Unit, estimate, fixed, means, ratios, sides
from linguacodus_core.training.evaluation import Comparison, Row, as_json, compare, from_json
from linguacodus_core.training.gate import judge
from linguacodus_core.training.measures import MEASURES
from tests.training.measured import FAMILY_WORDS, Subject, change, write_job

BASE = Subject()
BETTER = Subject(loss=1.5, gain=0.3, form=1.0, skill=0.8)
SAMPLED = ("form", "family", "validation", "decisions", "diversity", "place 1 against 3")
DRAWS = 300


def row(comparison: Comparison, metric: str) -> Row:
    found = comparison.row(metric)
    assert found is not None, comparison.left_out
    return found


def test_a_better_model_is_better_in_everything_that_was_made_better(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE, "sft": BETTER}))
    for metric in (
        "completion loss",
        "perplexity",
        "own prompt",
        "form",
        "family",
        "validation",
        "decisions",
    ):
        assert row(found, metric).improved, metric
        assert not row(found, metric).worsened, metric
    assert found.competitions == 12


def test_the_other_way_round_it_is_worse(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BETTER, "sft": BASE}))
    for metric in ("completion loss", "perplexity", "own prompt", "form", "family", "decisions"):
        assert row(found, metric).worsened, metric


def test_equal_models_differ_in_nothing(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE, "sft": BASE}))
    for each in found.rows:
        if each.metric not in ("decisions, prior", "decisions, prior's first"):
            assert each.low <= 0 <= each.high, each.metric


def test_a_model_against_itself_is_no_different(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE}), "base", "base")
    loss = row(found, "completion loss")
    assert (loss.difference, loss.low, loss.high) == (0, 0, 0)


def test_the_loss_is_the_token_mean_within_and_the_mean_between_competitions(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2, examples=2)
    nll = {"competition-00": [(100.0, 50), (30.0, 10)], "competition-01": [(8.0, 8), (8.0, 8)]}

    def known(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        for each in rows:
            number = int(str(each["example"])[-1])
            each["nll"], each["tokens"] = nll[str(each["competition"])][number]
            if each["subject"] == "sft":
                each["nll"] /= 2
            if each["prompt"] == "other":
                each["nll"] += each["tokens"]
        return rows

    change(tmp_path, "measure/losses", known)
    found = compare(tmp_path)
    expected = (130 / 60 + 1) / 2
    assert row(found, "completion loss").base == pytest.approx(expected)
    assert row(found, "completion loss").tuned == pytest.approx(expected / 2)
    assert row(found, "perplexity").base == pytest.approx(math.exp(expected))
    assert row(found, "perplexity").difference == pytest.approx(math.exp(expected / 2) - math.exp(expected))
    assert row(found, "own prompt").base == pytest.approx(1.0)
    assert row(found, "own prompt").tuned == pytest.approx(1.0)


def test_decisions_are_held_against_the_shares_of_the_best_kernels(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BASE}, competitions=1, kernels=12, ranked=True, samples=1)
    families = ["xgboost"] * 6 + ["linear"] * 4 + ["transformer"] * 2

    def kernels(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        for each, family in zip(rows, families, strict=True):
            each |= {"family": family, "validation": "kfold"}
        return rows

    def texts(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        for each in rows:
            family = {1: "xgboost", 2: "linear", 3: "transformer"}[int(str(each["place"]))]
            words = (
                "Validation is 5-fold cross-validation."
                if each["subject"] == "sft"
                else "Nothing is trained."
            )
            each["text"] = (
                f"Data preprocessing: none at all.\n\nModel architecture: {FAMILY_WORDS[family]}\n\n"
                f"Model training: {words}"
            )
        return rows

    change(tmp_path, "references", kernels)
    change(tmp_path, "measure/samples", texts)
    found = compare(tmp_path)
    # of the first ten kernels 6 are by XGBoost, 4 linear; the transformers of places 11 and 12 are none of the best
    assert row(found, "family").tuned == pytest.approx((0.6 + 0.4 + 0) / 3)
    assert row(found, "validation").tuned == pytest.approx(1)
    assert row(found, "validation").base == pytest.approx(0)
    assert row(found, "decisions").tuned == pytest.approx((1 / 3 + 1) / 2)
    # of the first three kernels all are by XGBoost, which place 1 names; place 3 names the transformer
    assert row(found, "place 1 against 3").tuned == pytest.approx((1 + 1) / 2 - (0 + 1) / 2)


def test_a_prior_agrees_in_proportion_or_by_its_first() -> None:
    kernels = kernels_of(
        {"competition": "c", "place": None, "family": family, "validation": "kfold"}
        for family in ("xgboost", "xgboost", "linear", "mlp")
    )["c"]
    prior = Prior({"linear": 3, "xgboost": 1}, {"kfold": 1, "none": 1})
    assert prior.drawn(kernels) == pytest.approx(((0.75 * 0.25 + 0.25 * 0.5) + 0.5) / 2)
    assert prior.first(kernels) == pytest.approx((0.25 + 1) / 2)
    assert kernels.among_themselves() == pytest.approx((2 / 12 + 1) / 2)


def test_without_a_place_all_kernels_count_and_with_places_the_first_ten() -> None:
    rows = [{"competition": "c", "place": None, "family": "mlp", "validation": "none"} for _ in range(15)]
    assert kernels_of(rows)["c"].count == 15
    ranked = [each | {"place": place} for place, each in enumerate(rows, 1)]
    assert kernels_of(ranked)["c"].count == 10


def test_what_names_no_family_is_a_miss(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=3)

    def rambling(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [each | {"text": "The goal is to predict the price."} for each in rows]

    change(tmp_path, "measure/samples", rambling)
    found = compare(tmp_path)
    for metric in ("family", "validation", "decisions", "form"):
        assert row(found, metric).tuned == 0, metric
        assert row(found, metric).tuned_high == 0, metric
    assert row(found, "diversity").tuned == 0


def test_one_competition_resamples_its_rows_and_says_so(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=1))
    loss = row(found, "completion loss")
    assert loss.low < loss.difference < loss.high
    assert "1 held-out competition: the interval knows its rows alone" in loss.note


def test_few_competitions_are_called_few(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=3))
    assert "3 held-out competitions: so few" in row(found, "decisions").note


def test_a_competition_without_samples_of_one_subject_is_left_out_and_said(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER})
    change(
        tmp_path,
        "measure/samples",
        lambda rows: [
            each for each in rows if (each["subject"], each["competition"]) != ("sft", "competition-03")
        ],
    )
    found = compare(tmp_path)
    assert "11 held-out competitions; 1 more without samples of both subjects" in row(found, "form").note
    assert "12 held-out competitions" in row(found, "completion loss").note
    assert found.competitions == 12


def test_the_same_tables_give_the_same_intervals(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=4)
    first = compare(tmp_path, draws=DRAWS)
    assert compare(tmp_path, draws=DRAWS) == first
    assert compare(tmp_path, draws=DRAWS, seed=1) != first


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=4)
    first = compare(tmp_path, draws=DRAWS)
    for name in ("measure/losses", "measure/samples", "references", "prior"):
        change(tmp_path, name, lambda rows: rows[::-1])
    assert compare(tmp_path, draws=DRAWS) == first


@pytest.mark.parametrize("empty", ["measure/losses", "measure/samples", "references", "prior", "pairs"])
def test_an_empty_table_leaves_its_measures_out_with_a_reason(tmp_path: Path, empty: str) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2, pairs=2)
    change(tmp_path, empty, lambda rows: [])
    found = compare(tmp_path, draws=DRAWS)
    gone = {
        "measure/losses": {"completion loss", "perplexity", "own prompt"},
        "measure/samples": {*SAMPLED, "decisions, prior", "decisions, prior's first"},
        "references": {
            "family", "validation", "decisions", "place 1 against 3", "decisions, prior", "decisions, prior's first"
        },
        "prior": {"decisions, prior", "decisions, prior's first"},
        "pairs": {"preference accuracy", "preference margin"},
    }[empty]  # fmt: skip
    assert set(found.left_out) == gone
    assert {each.metric for each in found.rows} | gone == {measure.metric for measure in MEASURES}
    assert all(reason and "nan" not in reason for reason in found.left_out.values())


def test_all_tables_empty_is_no_error(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=0)
    found = compare(tmp_path)
    assert found.rows == ()
    assert set(found.left_out) == {measure.metric for measure in MEASURES}
    assert not judge(found).passed


def test_a_loss_that_is_no_number_is_not_passed_over(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2)

    def diverged(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [
            each
            | (
                {"nll": math.nan}
                if each["subject"] == "sft" and each["example"] == "competition-00/0"
                else {}
            )
            for each in rows
        ]

    change(tmp_path, "measure/losses", diverged)
    found = compare(tmp_path)
    assert found.left_out["completion loss"] == "the loss of 1 held-out example is not a number"
    assert not judge(found).passed


def test_an_unmeasured_subject_is_an_error_that_names_the_measured(tmp_path: Path) -> None:
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2)
    with pytest.raises(TrainingError, match=r"dpo has not been measured.*base, sft"):
        compare(tmp_path, "sft", "dpo")


def test_a_job_without_measurement_and_a_damaged_table_are_errors(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing is measured yet"):
        compare(tmp_path)
    write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2)
    (tmp_path / "measure" / "losses.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(TrainingError, match=r"losses.parquet is damaged"):
        compare(tmp_path)


def test_preferences_count_the_held_out_pairs_of_both(tmp_path: Path) -> None:
    subjects = {"sft": Subject(accuracy=0.4), "dpo": Subject(accuracy=0.9)}
    found = compare(write_job(tmp_path, subjects, pairs=8), "sft", "dpo")
    accuracy = row(found, "preference accuracy")
    assert accuracy.improved
    assert accuracy.base < 0.55
    assert accuracy.tuned > 0.8
    assert row(found, "preference margin").tuned == pytest.approx(0.2 * (2 * accuracy.tuned - 1))
    change(tmp_path, "pairs", lambda rows: [each | {"split": "train"} for each in rows])
    assert "preference accuracy" in compare(tmp_path, "sft", "dpo").left_out


def test_metrics_json_reads_back(tmp_path: Path) -> None:
    found = compare(write_job(tmp_path, {"base": BASE, "sft": BETTER}, competitions=2), draws=DRAWS)
    record = as_json(found, judge(found))
    assert from_json(record) == (found, judge(found))
    assert "NaN" not in str(record)


def test_intervals_cover_the_truth() -> None:
    """Competitions differ, and so do rows within them: about 95 of 100 intervals hold the true difference."""
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(150):
        units: list[Unit] = []
        for _ in range(20):
            gain = rng.normal(0.3, 0.2)
            base = rng.normal(0, 0.3, 6)
            units.append(sides(means(base, [3, 3]), means(rng.normal(gain, 0.3, 6), [3, 3])))
        found = estimate(units, draws=400, seed=trial)
        covered += found.low <= 0.3 <= found.high
    assert 0.86 <= covered / 150 <= 0.99


def test_paired_rows_make_narrower_intervals_than_unpaired_ones() -> None:
    rng = np.random.default_rng(5)
    paired, apart = [], []
    for _ in range(8):
        hard = rng.normal(0, 1, 10)
        sums = np.stack([hard, hard - 0.1 + rng.normal(0, 0.01, 10)], axis=1)
        paired.append(ratios(sums, np.ones(10)))
        apart.append(sides(means(sums[:, 0], [10]), means(sums[:, 1], [10])))
    tight, loose = estimate(paired), estimate(apart)
    assert tight.difference == pytest.approx(loose.difference)
    assert tight.high < 0
    assert loose.high - loose.low > 5 * (tight.high - tight.low)


def test_a_fixed_side_has_no_spread() -> None:
    found = estimate([sides(fixed(0.25), fixed(0.5))])
    assert (found.low, found.difference, found.high) == (0.25, 0.25, 0.25)


def test_an_estimate_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a competition"):
        estimate([])
