from linguacodus_core.dataset.funnel import added, lines, reasons
from linguacodus_core.tables import DATASET, table


def dropped(*rows: tuple[str, str]):
    return table("dropped", [{"table": name, "row": "x", "reason": reason} for name, reason in rows], DATASET)


ONE = dropped(
    ("instructions", "no solution"), ("kernels", "broken"), ("kernels", "no score"), ("kernels", "broken")
)
OTHER = dropped(("kernels", "no score"), ("kernels", "no score"), ("note", "a remark"))


def test_reasons_are_counted_in_the_order_of_the_steps() -> None:
    assert list(reasons(ONE)) == [
        ("kernels", "broken", 2),
        ("kernels", "no score", 1),
        ("instructions", "no solution", 1),
    ]


def test_a_sources_remarks_are_no_loss() -> None:
    assert list(reasons(OTHER)) == [("kernels", "no score", 2)]


def test_the_counts_of_several_shards_are_one() -> None:
    assert added([reasons(ONE), reasons(OTHER)])[0] == ("kernels", "no score", 3)


def test_the_funnel_adds_up_for_a_reader() -> None:
    counts = added([reasons(ONE), reasons(OTHER)])
    assert [line.split() for line in lines(counts, kernels=10, solutions=5)] == [
        ["10", "kernels"],
        ["-3", "no", "score"],
        ["-2", "broken"],
        ["5", "solutions"],
        ["-1", "no", "solution"],
    ]
