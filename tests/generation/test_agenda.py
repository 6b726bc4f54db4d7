from pathlib import Path
from typing import Any

from linguacodus_core.generation.agenda import Step, next_step
from linguacodus_core.generation.request import GenerateRequest
from linguacodus_core.instructions.instruction import Instruction


def request(**changes: Any) -> GenerateRequest:
    return GenerateRequest(task_dir=Path("task"), out=Path("out"), **changes)


def instruction(place: int | None) -> Instruction:
    kind = "refined" if place is None else "raw"
    return Instruction(id=f"i{place}", kind=kind, place=place, text="...", model="m", prompt="p")


def walk(asked: GenerateRequest, most: int = 30) -> list[Step]:
    """Every step in the order in which it would be asked, all of them succeeding."""
    done: set[str] = set()
    known: list[Instruction] = []
    order: list[Step] = []
    written = 0
    while (step := next_step(asked, known, [], done, written)) and len(order) < most:
        order.append(step)
        done.add(step.id)
        if step.kind in ("instruction", "refine"):
            known.append(instruction(step.place))
        else:
            written += 1
    return order


def test_each_instruction_becomes_a_program_before_the_next_place_is_asked() -> None:
    kinds = [(step.kind, step.place or step.instruction) for step in walk(request())][:8]
    assert kinds == [
        ("instruction", 1),
        ("plan", "i1"),
        ("instruction", 2),
        ("plan", "i2"),
        ("instruction", 3),
        ("plan", "i3"),
        ("refine", None),
        ("plan", "iNone"),
    ]


def test_raw_and_refined_instructions_both_go_on() -> None:
    plans = {step.instruction for step in walk(request()) if step.kind == "plan"}
    assert {"i1", "i2", "i3", "iNone"} <= plans


def test_the_number_of_programs_is_bounded() -> None:
    steps = walk(request(max_ideas=5), most=100)
    assert sum(step.kind not in ("instruction", "refine") for step in steps) == 5


def test_no_model_is_asked_when_no_source_needs_one() -> None:
    assert walk(request(sources=("prior", "random"))) == []


def test_one_place_has_nothing_to_refine() -> None:
    assert all(step.kind != "refine" for step in walk(request(places=(1,))))


def test_direct_alone_asks_exactly_once() -> None:
    assert [step.kind for step in walk(request(sources=("direct",)))] == ["direct"]


def test_later_programs_start_from_the_instruction_that_scores_best() -> None:
    known = [instruction(1), instruction(2), instruction(3), instruction(None)]
    done = {step.id for step in walk(request(sources=("plan",)), most=8)}
    step = next_step(request(sources=("plan",)), known, ["i3"], done, 4)
    assert step is not None
    assert (step.kind, step.instruction, step.round) == ("plan", "i3", 1)


def test_step_ids_are_unique() -> None:
    ids = [step.id for step in walk(request(max_ideas=50), most=200)]
    assert len(ids) == len(set(ids))
