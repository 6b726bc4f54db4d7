"""Stored hold-out predictions of one candidate: Parquet, one row a held-out row, every fold."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from linguacodus_core.scoring.holdout import ROW, Fold, Split
from linguacodus_core.scoring.soft import target_columns
from linguacodus_core.store import read_table, write_table
from linguacodus_core.taskfolder.spec import TaskSpec

_HARD, _SOFT = "prediction:", "soft:"


def predictions_path(folder: Path, candidate: str, split: Split) -> Path:
    """Where a candidate's predictions on a split are kept."""
    return folder / f"{candidate}-{split.sha256[:12]}.parquet"


def answers(fold: Fold) -> pd.DataFrame:
    """A fold's answers: id and targets as raw strings, in the order of its sample submission."""
    table = read_table(fold.answers)
    if table is None:
        raise FileNotFoundError(fold.answers)
    return pd.DataFrame(table.to_pandas())


def write_predictions(
    path: Path, spec: TaskSpec, split: Split, hard: list[pd.DataFrame], soft: list[pd.DataFrame | None]
) -> None:
    """Store the validated submissions of every fold, with the soft predictions if every fold has them.

    Columns: fold, id, prediction:<column> ..., soft:<column> ... Rows in the order of the answers.
    """
    columns = target_columns(spec)
    tables = []
    for number, fold in enumerate(split.folds):
        key = answers(fold)[spec.id_column or ROW]
        table = pd.DataFrame({"fold": number, "id": key.astype(str)})
        table = table.join(hard[number][columns].add_prefix(_HARD))
        extra = soft[number]
        if extra is not None and all(part is not None for part in soft):
            table = table.join(extra.add_prefix(_SOFT))
        tables.append(table)
    write_table(path, pa.Table.from_pandas(pd.concat(tables, ignore_index=True), preserve_index=False))


def read_predictions(path: Path | str) -> tuple[list[pd.DataFrame], list[pd.DataFrame] | None]:
    """Each fold's predictions, and each fold's soft predictions where they were stored.

    Raises FileNotFoundError when there is no such file.
    """
    table = read_table(path)
    if table is None:
        raise FileNotFoundError(path)
    frame = table.to_pandas()
    folds = [part.reset_index(drop=True) for _, part in frame.groupby("fold", sort=True)]

    def columns(prefix: str) -> list[pd.DataFrame]:
        names = [name for name in frame.columns if name.startswith(prefix)]
        return [part[names].rename(columns=lambda name: name.removeprefix(prefix)) for part in folds]

    soft = columns(_SOFT)
    return columns(_HARD), soft if len(soft[0].columns) else None
