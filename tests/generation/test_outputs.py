"""What a run leaves behind, from a search whose candidates are made up."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from linguacodus_core.adapters import registry
from linguacodus_core.candidate import Candidate
from linguacodus_core.errors import LinguacodusError, StoreError
from linguacodus_core.generation.chart import COLOURS, _points, _room, score_chart
from linguacodus_core.generation.finish import contenders, ranked, submission_path
from linguacodus_core.generation.outputs import (
    call_rows,
    candidate_rows,
    clear_outputs,
    instruction_document,
    money_spent,
    stands,
    write_outputs,
)
from linguacodus_core.generation.report import _counted, _seconds
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.generation.run import Run, open_run, run_folder
from linguacodus_core.generation.search import Contender
from linguacodus_core.instructions.instruction import Instruction
from linguacodus_core.llm.ledger import CallRecord, Ledger
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.llm.prompts import prompts_root
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.settings import ledger_path
from linguacodus_core.taskfolder.profile import profile
from linguacodus_core.taskfolder.read import read_task
from tests.adapter_files import registered
from tests.tiny import write_task


@pytest.fixture
def parts(home: Path, tmp_path: Path):
    spec = read_task(write_task(tmp_path / "task", rows=400))
    return spec, load_profile("local"), profile(spec), carve(spec, 0, tmp_path / "split")


def opened(parts, tmp_path: Path, limit: float = 600.0):
    request = GenerateRequest(task_dir=parts[0].folder, out=tmp_path / "out", time_limit=limit)
    return open_run(request, *parts)


def candidate(name: str, route: str = "plan", instruction: str | None = None) -> Candidate:
    return Candidate(route=route, label=name, program=f"print({name!r})\n", instruction=instruction)


def evaluate(run: Run, item: Candidate, score: float | None, status: str = "scored") -> None:
    run.search.offer(item)
    run.search.record(
        Evaluation(
            candidate=item.id, status=status, score=score, claimed=0.99, error="" if score else "it broke"
        )
    )


def fill(run: Run) -> Candidate:
    """A floor, a failure and a plan made from an instruction; returns the plan."""
    evaluate(run, candidate("the floor", "floor"), 0.7)
    evaluate(run, candidate("<script>alert(1)</script>", "whole"), None, "crashed")
    raw = Instruction(
        id="i1", kind="raw", place=1, text="Use boosting & care.", model="m", prompt="default/instruction@1"
    )
    refined = Instruction(
        id="r1", kind="refined", place=None, text="Use more care.", critique="Too vague.", model="m",
        prompt="default/resolve@1", parents=("i1",),
    )  # fmt: skip
    run.search.learn(raw, "instruction/1")
    run.search.learn(refined, "refine")
    plan = candidate("the plan", "plan", "i1")
    evaluate(run, plan, 0.8)
    run.journal.add("submission", 5.0, note=plan.id, enforced=["no network"])
    return plan


def test_every_output_is_there_and_says_what_was_found(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        plan = fill(run)
        write_outputs(run, ranked(run)[0], b"id,rain\n")
    out = tmp_path / "out"
    record = json.loads((out / "run.json").read_text())
    assert record["winner"]["candidate"] == plan.id
    assert (record["floor_score"], record["winner"]["score"], record["winner"]["claimed"]) == (0.7, 0.8, 0.99)
    assert (record["scored"], record["candidates"], record["sandbox"]) == (2, 3, ["no network"])
    assert record["first_submission_seconds"] == 5.0
    rows = {row["label"]: row for row in pq.read_table(out / "candidates.parquet").to_pylist()}
    assert rows["the plan"]["best"]
    assert rows["<script>alert(1)</script>"]["error"] == "it broke"
    assert len(pq.read_table(out / "instructions.parquet")) == 2
    assert (out / "solution.py").read_text() == plan.program


def test_the_report_shows_all_and_escapes_what_is_hostile(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        run.note("the disk is nearly full")
        write_outputs(run, ranked(run)[0], b"")
    report = (tmp_path / "out" / "report.html").read_text()
    assert "<script>" not in report
    for said in (
        "the plan",
        "it broke",
        "Too vague.",
        "boosting &amp; care",
        "no network",
        "nearly full",
        "<svg",
    ):
        assert said in report
    for field in ("metric", "targets", "id column", "prediction"):
        assert f"<td>{field}</td>" in report


def test_the_instruction_document_holds_the_winner_s_the_ranked_and_the_critique(
    parts, tmp_path: Path
) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        write_outputs(run, ranked(run)[0], b"")
    text = (tmp_path / "out" / "instruction.md").read_text()
    assert text.index("The instruction it was made from") < text.index("Use boosting & care.")
    assert "Instruction of place 1" in text
    assert "Critique" in text
    assert "Refined instruction" in text


def test_a_folder_that_cannot_be_written_is_one_clear_error(parts, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file stands here")
    with pytest.raises(StoreError, match="cannot write"), opened(parts, tmp_path):
        pass


def test_the_same_work_is_not_done_twice_at_a_time(parts, tmp_path: Path) -> None:
    with (
        opened(parts, tmp_path),
        pytest.raises(LinguacodusError, match="another process"),
        opened(parts, tmp_path),
    ):
        pass


def test_finished_work_is_known_until_more_time_is_given(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        run.finish(ranked(run)[0])
    with opened(parts, tmp_path) as again:
        assert again.finished is not None
        assert again.finished.candidate.label == "the plan"
        assert len(candidate_rows(again, again.finished)) == 3
    with opened(parts, tmp_path, limit=1200) as longer:
        assert longer.finished is None


def test_work_that_ended_without_its_model_is_not_finished_and_says_why(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        run.go_on_without_model(LinguacodusError("the budget is spent", "raise it"))
        run.finish(ranked(run)[0])
    with opened(parts, tmp_path) as again:
        assert again.finished is None
        again.finish(ranked(again)[0])
    with opened(parts, tmp_path) as done:
        assert done.finished is not None


def test_what_the_user_was_told_is_told_again_of_finished_work(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        run.note("the second best won")
        run.finish(ranked(run)[0])
    with opened(parts, tmp_path) as again:
        assert again.seconds == again.journal.elapsed < again.clock.elapsed
        assert again.notes == run.notes
        assert "the second best won" in again.notes


def test_other_prompts_are_other_work(parts, tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "set"
    shutil.copytree(prompts_root() / "default", folder)
    request = GenerateRequest(task_dir=parts[0].folder, out=tmp_path / "out", prompt_set=str(folder))
    before = run_folder(request, parts[0], parts[1], {"svm": 3})
    assert run_folder(request, parts[0], parts[1], {"svm": 3}) == before
    assert run_folder(request, parts[0], parts[1], {"svm": 4}) != before
    (folder / "plan.md").write_text((folder / "plan.md").read_text() + "\nThink twice.\n")
    assert run_folder(request, parts[0], parts[1], {"svm": 3}) != before


def test_another_adapter_is_other_work(parts, tmp_path: Path, home: Path) -> None:
    request = GenerateRequest(task_dir=parts[0].folder, out=tmp_path / "out", profile="tuned")

    def promote(name: str) -> Path:
        registered(tmp_path, name)
        registry.promote(name)
        return run_folder(request, parts[0], load_profile("tuned"), {}).relative_to(home)

    first = promote("small-sft-0123abcd")
    assert promote("other-sft-0123abcd") != first
    assert promote("small-sft-0123abcd") == first, "the run of the first is found again"


def test_a_submission_of_another_run_does_not_stand_for_this_one(parts, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with opened(parts, tmp_path) as run:
        plan = fill(run)
        assert not stands(run)
        (out / "submission.csv").write_text("id,rain\n")
        (out / "report.html").write_text("of another run")
        (out / "notes.txt").write_text("the user's own")
        (out / "solution.py").write_text("print('of another run')\n")
        assert not stands(run)
        (out / "solution.py").write_text(plan.program)
        assert stands(run)
        blend = candidate("a blend that won before Ctrl-C", "blend")
        (out / "solution.py").write_text(blend.program)
        assert not stands(run)
        run.journal.add("submission", 9.0, note=blend.id)
        assert stands(run)
    clear_outputs(out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_a_winning_blend_is_in_the_chart(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        blend = candidate("a blend", "blend")
        found = Evaluation(candidate=blend.id, status="scored", score=0.85)
        assert 'id="legend' in score_chart(run, ranked(run)[0])
        assert COLOURS["blend"] not in score_chart(run, ranked(run)[0])
        assert COLOURS["blend"] in score_chart(run, Contender(blend, found))


def test_what_was_cut_short_is_tried_again_only_with_more_time(parts, tmp_path: Path) -> None:
    slow = candidate("slow")
    with opened(parts, tmp_path) as run:
        evaluate(run, slow, None, "timeout")
    with opened(parts, tmp_path) as same:
        assert same.search.next() is None
    with opened(parts, tmp_path, limit=1200) as longer:
        assert longer.search.next() == slow


def test_contenders_are_the_scored_best_first_with_an_unscored_floor_last(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        evaluate(run, candidate("floor", "floor"), None, "timeout")
        evaluate(run, candidate("good"), 0.8)
        evaluate(run, candidate("better"), 0.9)
        found = contenders(run, 100.0)
        assert [item.candidate.label for item in found] == ["better", "good", "floor"]
        assert all(isinstance(item, Contender) for item in found)
        assert not submission_path(run, found[0].candidate).exists()


def test_calls_of_failed_steps_are_accounted_for(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        assert call_rows(run) == []
        run.search.give_up("refine", "nonsense", ["key-1"])
        assert run.journal.entries[-1].calls == ("key-1",)
        assert call_rows(run) == []


def test_only_calls_made_since_the_run_began_cost_it_money(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run, Ledger(ledger_path()) as ledger:
        for key, created in (("before", "2020-01-01T00:00:00.000+00:00"), ("since", run.journal.began)):
            ledger.put(
                CallRecord(
                    key=key, role="coder", model="m", endpoint="e", prompt="p", messages="[]", parameters="{}",
                    reply="r", finish_reason="stop", prompt_tokens=1, completion_tokens=1, usd=0.25, seconds=1.0,
                    attempts=1, created=created,
                )
            )  # fmt: skip
        run.search.give_up("refine", "nonsense", ["before", "since"])
        assert len(call_rows(run)) == 2
        assert money_spent(run) == 0.25


def test_scratch_of_a_killed_run_is_cleared(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        (run.work / "left").mkdir()
    with opened(parts, tmp_path) as again:
        assert list(again.work.iterdir()) == []


def blended(run: Run, *members: tuple[Candidate, float]) -> Contender:
    """A made-up winning blend of candidates."""
    blend = Candidate(
        route="blend", label="a blend", program="print('blend')\n",
        members=tuple((item.id, weight) for item, weight in members),
    )  # fmt: skip
    return Contender(blend, Evaluation(candidate=blend.id, status="scored", score=0.85))


def planned(label: str, idea: str, route: str = "prior") -> Candidate:
    return Candidate(
        route=route, label=label, program=f"print({label + idea!r})\n",
        plan={"idea": idea, "family": "lightgbm", "features": ["<b>"]},
    )  # fmt: skip


def test_the_chart_holds_the_floor_and_marks_what_is_off_its_scale(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        evaluate(run, candidate("floor", "floor"), 0.5)
        for number in range(8):
            evaluate(run, candidate(f"good {number}"), 0.8 + number / 100)
        points = _points(run, ranked(run)[0])
        low, high = _room(points, run.spec.direction)
        assert low < 0.5 < 0.87 < high
        assert "-123.5" not in score_chart(run, ranked(run)[0])
        evaluate(run, candidate("far off"), -123.456)
        low, _ = _room(_points(run, ranked(run)[0]), run.spec.direction)
        assert -1 < low < 0.5
        assert "-123.5" in score_chart(run, ranked(run)[0]).replace("\N{MINUS SIGN}", "-")


def test_candidates_of_one_name_are_told_apart_by_their_plans(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        run.search.offer(planned("prior: lightgbm", "Large trees."))
        run.search.offer(planned("prior: lightgbm", "Slow & <i>steady</i>."))
        write_outputs(run, ranked(run)[0], b"")
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Large trees." in report
    assert "Slow &amp; &lt;i&gt;steady&lt;/i&gt;." in report
    assert "family: lightgbm\nfeatures: [&#34;&lt;b&gt;&#34;]" in report
    assert report.count('<tr class="waiting">') == 2
    assert report.index("it broke") < report.index('<tr class="waiting">')


def test_times_in_the_table_have_one_unit_and_one_call_is_singular() -> None:
    assert [_seconds(value) for value in (None, 103.21, 120.0)] == ["", "103.2 s", "120.0 s"]
    assert [_counted(number, "call") for number in (0, 1, 2)] == ["0 calls", "1 call", "2 calls"]


def test_the_instruction_document_of_a_blend_lists_its_members(parts, tmp_path: Path) -> None:
    with opened(parts, tmp_path) as run:
        fill(run)
        prior = planned("prior: lightgbm", "Large trees.")
        whole = candidate("whole", "whole", "i1")
        for item in (prior, whole):
            evaluate(run, item, 0.8)
        without = instruction_document(
            run, blended(run, (candidate("the floor", "floor"), 0.25), (prior, 0.75))
        )
        both = instruction_document(run, blended(run, (prior, 0.75), (whole, 0.25)))
    assert without.index("### 75% prior: lightgbm") < without.index("### 25% the floor")
    assert '```json\n{\n  "idea": "Large trees."' in without
    assert "made without an instruction" in without
    members = both[both.index("## The members") : both.index("## Instruction of place 1")]
    assert "### 25% whole\n\nUse boosting & care." in members
