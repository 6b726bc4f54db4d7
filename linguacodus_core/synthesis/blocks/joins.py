"""Verified blocks that join further tables of ./data to train and test."""

import pandas as pd

from linguacodus_core.synthesis.blocks.read import find_file, read_table
from linguacodus_core.synthesis.blocks.targets import plain_label


def join_table(
    train: pd.DataFrame, test: pd.DataFrame, name: str, key: str, targets: list[str], **dialect: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the columns of the table `name` for their keys; rows and their order stay.

    Where a key has several rows: how many, and the means of the numbers. Never a column named as a target.
    """
    if find_file(name) is None or key not in train or key not in test:
        return train, test
    side = read_table(name, [key], **dialect).drop(columns=targets, errors="ignore")
    keys = side[key].map(plain_label)
    kept = ~keys.str.lower().isin(["", "nan", "none", "na"])
    side, keys = side.drop(columns=key)[kept], keys[kept]
    if not keys.is_unique:
        numbers = side.select_dtypes(["number", "bool"]).astype(float)
        grouped = numbers.groupby(keys.to_numpy())
        side = grouped.mean().add_prefix("mean ").assign(rows=grouped.size().astype(float))
    else:
        side = side.set_axis(keys.to_numpy(), axis=0)
    side = side.add_prefix(f"{name.split('.')[0]} ")
    side = side[[column for column in side.columns if column not in train and column not in test]]
    joined = []
    for table in (train, test):
        found = side.reindex(table[key].map(plain_label).to_numpy()).set_axis(table.index, axis=0)
        joined.append(pd.concat([table, found], axis=1))
    return joined[0], joined[1]
