from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.select import CELL, Ranked, select

OPTIONS = CurationOptions(top=3)


def code(seed: int, lines: int = 30) -> str:
    return "\n".join(
        [f"x_{seed}_{n} = load({seed * 1000 + n})" for n in range(lines)] + [f"model_{seed}.fit(x)"]
    )


def names(*kernels: str, by: str = "score") -> list[Ranked]:
    return [Ranked(kernel, by, 0.5, 1) for kernel in kernels]


def test_the_best_usable_kernels_get_the_places() -> None:
    sources = {name: code(number) for number, name in enumerate("abcde")}
    found = select("c", names(*"abcde"), sources, OPTIONS)
    assert [(row["kernel"], row["place"]) for row in found.solutions] == [("a", 1), ("b", 2), ("c", 3)]
    assert [(name, reason) for name, reason, _ in found.dropped] == [
        ("d", "beyond the top 3"),
        ("e", "beyond the top 3"),
    ]


def test_the_best_of_a_family_of_forks_is_kept() -> None:
    sources = {"a": code(1), "b": code(1) + "\ny = 3", "c": code(2)}
    found = select("c", names("b", "a", "c"), sources, OPTIONS)
    assert [row["kernel"] for row in found.solutions] == ["b", "c"]
    assert found.dropped[0][:2] == ("a", "near-duplicate")
    assert found.dropped[0][2].startswith("of b (0.9")


def test_every_unusable_kernel_goes_with_its_reason_and_the_next_takes_its_place() -> None:
    sources = {
        "empty": "# only a comment",
        "short": "model.fit(x)",
        "eda": "\n".join(f"plot({n})" for n in range(20)),
        "old": code(3) + "\nprint 'done'",
        "broken": code(4) + "\ndef f(:",
        "long": code(5, lines=20_000),
        "good": code(6),
    }
    found = select("c", names("missing", *sources), sources, OPTIONS)
    assert {name: reason for name, reason, _ in found.dropped} == {
        "missing": "no code",
        "empty": "no code",
        "short": "too short",
        "eda": "no model",
        "old": "python 2",
        "broken": "broken",
        "long": "too long",
    }
    assert [(row["kernel"], row["place"]) for row in found.solutions] == [("good", 1)]


def test_a_fork_of_a_broken_kernel_may_still_be_the_first_of_its_family() -> None:
    sources = {"broken": code(1) + "\ndef f(:", "mended": code(1)}
    found = select("c", names("broken", "mended"), sources, OPTIONS)
    assert [row["kernel"] for row in found.solutions] == ["mended"]


def test_cells_are_joined_and_magics_go() -> None:
    cells = CELL.join(["%matplotlib inline", *code(1).split("\n"), "df?"])
    found = select("c", names("a"), {"a": cells}, OPTIONS)
    assert found.solutions[0]["code"] == "\n" + code(1) + "\n"


def test_line_ends_of_windows_hide_no_help_line() -> None:
    cells = CELL.join([code(1).replace("\n", "\r\n"), "model??\r\n"])
    found = select("c", names("a"), {"a": cells}, OPTIONS)
    assert found.solutions[0]["code"] == code(1) + "\n"


def test_what_nothing_ranks_gets_no_place() -> None:
    found = select("c", names("a", by="nothing"), {"a": code(1)}, OPTIONS)
    assert found.solutions[0]["place"] is None


def test_a_solution_is_named_by_its_competition_kernel_and_code() -> None:
    one, same, other = (
        select(competition, names("a"), {"a": code(1)}, OPTIONS).solutions[0]["solution"]
        for competition in ("c", "c", "d")
    )
    assert one == same != other
