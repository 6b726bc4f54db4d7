from pathlib import Path

import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.generation.clock import Clock
from linguacodus_core.generation.journal import Journal
from linguacodus_core.generation.search import Search
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.taskfolder.read import read_task
from tests.tiny import write_task


def candidate(name: str, route: str = "prior", instruction: str | None = None) -> Candidate:
    return Candidate(route=route, label=name, program=f"# {name}\n", instruction=instruction)


def scored(item: Candidate, score: float | None, seconds: float = 1.0) -> Evaluation:
    status = "crashed" if score is None else "scored"
    return Evaluation(candidate=item.id, status=status, score=score, seconds=seconds)


@pytest.fixture
def parts(tmp_path: Path):
    spec = read_task(write_task(tmp_path / "task", rows=400))
    return spec, carve(spec, 0, tmp_path / "split"), tmp_path / "journal.jsonl"


def search(parts, limit: float = 600.0) -> Search:
    spec, split, path = parts
    journal = Journal(path)
    return Search(spec, split, Clock(limit, used=journal.elapsed), journal)


def test_what_the_model_wrote_runs_before_what_the_prior_proposes(parts) -> None:
    found = search(parts)
    prior, plan = candidate("prior"), candidate("plan", "plan")
    found.offer(prior)
    found.offer(plan, "plan/1")
    assert found.next() == plan
    found.record(scored(plan, 0.7))
    assert found.next() == prior
    found.record(scored(prior, 0.6))
    assert found.next() is None


def test_best_follows_the_direction_of_the_metric(parts) -> None:
    found = search(parts)
    a, b, broken = candidate("a"), candidate("b"), candidate("broken")
    for item in (a, b, broken):
        found.offer(item)
    assert found.record(scored(a, 0.7))
    assert found.record(scored(b, 0.8))
    assert not found.record(scored(broken, None))
    assert found.best is not None
    assert found.best.candidate == b.id
    lower = parts[0].model_copy(update={"direction": "min"})
    assert search((lower, *parts[1:])).best.candidate == a.id


def test_the_same_program_is_run_once(parts) -> None:
    found = search(parts)
    assert found.offer(candidate("same"))
    assert not found.offer(candidate("same", "plan"), "plan/1")
    assert "plan/1" in found.done
    found.record(scored(candidate("same"), 0.5))
    assert found.next() is None


def of_plan(program: str, family: str) -> Candidate:
    return Candidate(route="prior", label=program, program=f"# {program}\n", plan={"family": family})


def test_a_plan_is_not_run_again_as_a_program_of_more_effort(parts) -> None:
    found = search(parts)
    for family in ("linear", "svm"):
        found.propose(of_plan(f"brief {family}", family))
    found.record(scored(of_plan("brief linear", "linear"), 0.7))
    with_more_time = search(parts)
    for family in ("linear", "svm"):
        with_more_time.propose(of_plan(f"longer {family}", family))
    assert [item.label for item in with_more_time.candidates.values()] == ["brief linear", "longer svm"]
    assert with_more_time.next() == of_plan("longer svm", "svm")


def test_an_end_with_candidates_left_says_why(parts) -> None:
    found = search(parts, limit=30.0)
    assert found.why_it_ended == ""
    found.offer(candidate("a"))
    assert "no time for another candidate" in found.why_it_ended


def test_a_new_process_knows_everything_that_was_recorded(parts) -> None:
    first = search(parts)
    a, b = candidate("a", "plan", "i1"), candidate("b", "plan", "i2")
    first.offer(a, "plan/i1")
    first.offer(b, "plan/i2")
    first.record(scored(a, 0.7))
    first.give_up("refine", "nothing usable")
    second = search(parts)
    assert second.done == {"plan/i1", "plan/i2", "refine"}
    assert second.next() == b
    assert second.ranked_instructions == ["i1"]


def test_time_is_kept_back_for_the_full_run_of_slow_candidates(parts) -> None:
    found = search(parts, limit=600)
    free = found.seconds_for_next
    slow = candidate("slow")
    found.offer(slow)
    found.record(scored(slow, 0.7, seconds=300))
    assert found.reserve > 60
    assert found.seconds_for_next <= free


def test_no_candidate_starts_when_the_time_is_used(parts) -> None:
    search(parts).journal.add("failure", 599.0, step="x", note="")
    assert search(parts, limit=600).seconds_for_next == 0
    assert search(parts, limit=1200).seconds_for_next > 0


def test_history_tells_what_was_tried_best_first(parts) -> None:
    found = search(parts)
    for name, score in (("worse", 0.6), ("better", 0.9)):
        found.offer(candidate(name))
        found.record(scored(candidate(name), score))
    assert found.history() == ("better: auc 0.9", "worse: auc 0.6")
