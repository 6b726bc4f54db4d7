"""A source in memory, for tests of what reads sources."""

import hashlib
from collections.abc import Iterator

import pyarrow as pa

from linguacodus_core.tables import DATASET, table


def script(seed: int, lines: int = 12) -> list[str]:
    """The cells of a small solution that is unlike those of other seeds."""
    made = [f"x_{seed}_{n} = train['column_{seed}_{n}'] * {n}" for n in range(lines)]
    return ["import lightgbm as lgb", "\n".join(made), f"model_{seed} = lgb.LGBMRegressor().fit(x, y)"]


class MemorySource:
    """Competitions as {name: metric name}; kernels as {(competition, kernel): (score, cells)}."""

    name = "memory"

    def __init__(
        self,
        competitions: dict[str, str | None],
        kernels: dict[tuple[str, str], tuple[float | None, list[str]]],
    ) -> None:
        self._competitions, self._kernels = competitions, kernels

    def fingerprint(self) -> str:
        return hashlib.sha256(repr((self._competitions, self._kernels)).encode()).hexdigest()

    def competitions(self) -> pa.Table:
        rows = [
            {"competition": name, "metric_name": metric, "description": f"Predict {name}."}
            for name, metric in self._competitions.items()
        ]
        return table("competitions", rows, DATASET)

    def kernels(self) -> pa.Table:
        rows = [
            {"kernel": kernel, "competition": competition, "score": score, "language": "python"}
            for (competition, kernel), (score, _) in self._kernels.items()
        ]
        return table("kernels", rows, DATASET)

    def blocks(self) -> Iterator[pa.RecordBatch]:
        rows = [
            {"kernel": kernel, "block": number, "kind": "code", "code": cell}
            for (_, kernel), (_, cells) in self._kernels.items()
            for number, cell in enumerate(cells)
        ]
        rows.sort(key=lambda row: hashlib.sha256(str(row).encode()).digest())  # in no order at all
        yield from table("code_blocks", rows, DATASET).to_batches(max_chunksize=7)

    def unreadable(self) -> pa.Table:
        return table("dropped", [{"table": "code_blocks", "row": "9", "reason": "torn"}], DATASET)
