from linguacodus_core.curation.duplicates import packed, signature
from linguacodus_core.dataset.split import across_the_split, splits
from linguacodus_core.tables import DATASET, table

TEXT = "\n".join(f"Rule {n}: predict the number {n} from the column {n} of the table." for n in range(40))


def competitions(*names: str, description: str = "") -> "object":
    return table(
        "competitions", [{"competition": name, "description": description} for name in names], DATASET
    )


def test_a_competition_keeps_its_split_when_others_come() -> None:
    few = splits(competitions(*(f"c{n}" for n in range(30))), 0.1, 0.8)
    many = splits(competitions(*(f"c{n}" for n in range(200))), 0.1, 0.8)
    assert all(many[name] == side for name, side in few.items())


def test_the_shares_are_about_those_asked_for() -> None:
    sides = list(splits(competitions(*(f"c{n}" for n in range(1000))), 0.1, 0.8).values())
    assert 70 < sides.count("test") < 130
    assert 70 < sides.count("validation") < 130


def test_validation_is_never_empty_where_it_can_be() -> None:
    for names in (("a", "b", "c"), ("x1", "x2", "x3", "x4")):
        assert "validation" in splits(competitions(*names), 0.01, 0.8).values()


def test_re_runs_of_a_competition_stay_together() -> None:
    found = splits(competitions(*(f"rerun-{n}" for n in range(30)), description=TEXT), 0.2, 0.8)
    assert len(set(found.values())) == 1


def test_short_descriptions_tell_nothing() -> None:
    found = splits(competitions(*(f"c{n}" for n in range(60)), description="Predict it."), 0.2, 0.8)
    assert len(set(found.values())) == 3


def test_the_training_side_gives_way_to_a_near_duplicate_that_is_held_out() -> None:
    code = "\n".join(f"x{n} = {n}" for n in range(60))

    def row(name: str, competition: str, text: str) -> dict[str, object]:
        return {"solution": name, "competition": competition, "signature": packed([signature(text)])[0]}

    rows = [
        row("train-fork", "a", code + "\ny = 1"),
        row("test", "c", code),
        row("validation-fork", "b", code + "\nz = 1"),
        row("train-own", "a", "\n".join(f"w{n} = {n}" for n in range(60))),
    ]
    split = {"a": "train", "b": "validation", "c": "test"}
    assert across_the_split(rows, split, 0.8) == {"train-fork": "test", "validation-fork": "test"}


def test_forks_within_one_side_do_not_matter() -> None:
    code = packed([signature("a = 1\nb = 2")])[0]
    rows = [{"solution": str(n), "competition": "a", "signature": code} for n in range(3)]
    assert across_the_split(rows, {"a": "test"}, 0.8) == {}
    assert across_the_split(rows, {"a": "train"}, 0.8) == {}
