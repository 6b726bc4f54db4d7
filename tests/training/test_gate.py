"""The gate on comparisons of known strength: what it lets through, what it refuses, and what it says."""

from pathlib import Path

import pytest

from linguacodus_core.errors import GateRefused
from linguacodus_core.training.evaluation import Comparison, Row, compare
from linguacodus_core.training.gate import Verdict, judge, refused, said
from tests.training.measured import Subject, change, write_job

BASE = Subject()
BETTER = Subject(loss=1.5, gain=0.3, form=1.0, skill=0.8)


def failing(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def judged(folder: Path, base: Subject, sft: Subject) -> Verdict:
    return judge(compare(write_job(folder, {"base": base, "sft": sft})))


def test_a_truly_better_model_passes(tmp_path: Path) -> None:
    verdict = judged(tmp_path, BASE, BETTER)
    assert verdict.passed, verdict.failed
    assert len(verdict.checks) == 5


def test_an_equal_model_is_refused(tmp_path: Path) -> None:
    verdict = judged(tmp_path, BASE, BASE)
    assert not verdict.passed
    assert failing(verdict) >= {"completion loss lower", "decisions nearer to the best kernels'"}


def test_a_worse_model_is_refused_for_its_form_too(tmp_path: Path) -> None:
    verdict = judged(tmp_path, Subject(loss=1.8, skill=0.6), Subject(form=0.3, skill=0.1))
    assert failing(verdict) >= {
        "completion loss lower",
        "form not worse",
        "decisions nearer to the best kernels'",
    }


def test_shuffled_completions_lower_the_loss_and_are_refused(tmp_path: Path) -> None:
    """Style and form are learned from any completion; what the prompt calls for is not."""
    verdict = judged(tmp_path, Subject(gain=0.03, form=0.1), Subject(loss=1.4, gain=0.0, form=1.0, skill=0.2))
    assert failing(verdict) == {"decisions nearer to the best kernels'", "the own prompt informs"}


def test_a_blind_model_is_refused_even_where_its_decisions_are_nearer(tmp_path: Path) -> None:
    verdict = judged(tmp_path, Subject(skill=0.0, form=0.0), Subject(loss=1.4, gain=0.0, form=1.0, skill=0.9))
    assert failing(verdict) == {"the own prompt informs"}


def test_decisions_nearer_than_the_base_but_not_than_the_prior_are_refused(tmp_path: Path) -> None:
    folder = write_job(tmp_path, {"base": Subject(skill=0.0), "sft": BETTER})
    references = {}

    def kernels(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        references.update({str(row["competition"]): row for row in rows})
        return rows

    change(folder, "references", kernels)
    change(
        folder,
        "prior",
        lambda rows: [
            {"competition": name, "kind": kind, "value": _most(folder, name, kind), "count": 50}
            for name in references
            for kind in ("family", "validation")
        ],
    )
    assert failing(judge(compare(folder))) == {"decisions as near as the prior's"}


def _most(folder: Path, competition: str, kind: str) -> str:
    """The prior that knows what most kernels of the very competition do."""
    from linguacodus_core import store

    table = store.read_table(folder / "references.parquet")
    assert table is not None
    values = [row[kind] for row in table.to_pylist() if row["competition"] == competition]
    return max(sorted(set(values)), key=values.count)


def test_preferences_that_are_better_at_little_cost_pass(tmp_path: Path) -> None:
    subjects = {"sft": Subject(accuracy=0.4, skill=0.5), "dpo": Subject(loss=2.35, accuracy=0.9, skill=0.5)}
    verdict = judge(compare(write_job(tmp_path, subjects, pairs=8), "sft", "dpo"))
    assert verdict.passed, verdict.failed
    assert {check.name for check in verdict.checks} == {
        "held-out preferences better", "completion loss little worse", "form not worse", "decisions not worse",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dpo", "fails"),
    [
        (Subject(accuracy=0.4), "held-out preferences better"),
        (Subject(accuracy=0.9, loss=2.5), "completion loss little worse"),
        (Subject(accuracy=0.9, form=0.4), "form not worse"),
        (Subject(accuracy=0.9, skill=0.0), "decisions not worse"),
    ],
)
def test_preferences_that_cost_too_much_are_refused(tmp_path: Path, dpo: Subject, fails: str) -> None:
    subjects = {
        "sft": Subject(accuracy=0.4, skill=0.7 if fails == "decisions not worse" else 0.2),
        "dpo": dpo,
    }
    verdict = judge(compare(write_job(tmp_path, subjects, pairs=8), "sft", "dpo"))
    assert failing(verdict) == {fails}


def test_without_held_out_pairs_preferences_are_refused_with_the_reason(tmp_path: Path) -> None:
    folder = write_job(tmp_path, {"sft": BASE, "dpo": BETTER}, competitions=3)
    check = judge(compare(folder, "sft", "dpo")).checks[0]
    assert not check.passed
    assert check.words == "preference accuracy is not known: no held-out pair was measured for both subjects"


def known(metric: str, base: float, tuned: float, low: float, high: float, better: str = "less") -> Row:
    return Row.model_validate(
        {
            "metric": metric,
            "base": base,
            "tuned": tuned,
            "difference": tuned - base,
            "low": low,
            "high": high,
            "tuned_low": tuned,
            "tuned_high": tuned,
            "better": better,
        }
    )


def test_words_say_by_how_much() -> None:
    loss = known("completion loss", 2.31, 1.42065, -0.9471, -0.81312)
    assert said(loss) == "completion loss 2.31 -> 1.42 (-38.5 %, 95 % of -41.0 to -35.2)"
    form = known("form", 0.125, 0.98, 0.8, 0.91, "more")
    assert said(form) == "form 0.12 -> 0.98 (+0.855, 95 % of +0.800 to +0.910)"
    near = known("decisions", 0.3041, 0.3049, -0.0002, 0.0018, "more")
    assert said(near) == "decisions 0.304 -> 0.305 (+0.001, 95 % of -0.000 to +0.002)"
    prior = known("decisions, prior", 0.2, 0.31, 0.05, 0.17, "more")
    assert said(prior) == "decisions 0.31, the prior's 0.20 (+0.110, 95 % of +0.050 to +0.170)"


def test_an_interval_that_touches_0_is_not_clear_of_it() -> None:
    assert not known("completion loss", 2.0, 1.9, -0.2, 0.0).improved
    assert known("completion loss", 2.0, 1.9, -0.2, -1e-9).improved
    assert not known("form", 0.5, 0.4, -0.2, 0.0, "more").worsened
    assert known("form", 0.5, 0.4, -0.2, -1e-9, "more").worsened


def test_a_refusal_lists_what_fails_and_by_how_much(tmp_path: Path) -> None:
    verdict = judged(tmp_path, BASE, Subject(gain=0.0))
    error = refused(verdict, "smollm2-135m-cpu-sft-0a1b2c3d")
    assert isinstance(error, GateRefused)
    text = str(error)
    assert "the gate refuses smollm2-135m-cpu-sft-0a1b2c3d, 3 of 5 checks fail:" in text
    for check in verdict.failed:
        assert f"{check.name}: {check.words}" in text
    assert "form not worse" not in text
    assert "the whole interval must lie below 0" in text


def test_a_comparison_without_rows_fails_every_check() -> None:
    verdict = judge(Comparison(base="base", tuned="sft", competitions=0, rows=()))
    assert not verdict.passed
    assert all(not check.passed for check in verdict.checks)
    assert "it was not measured" in verdict.checks[0].words
