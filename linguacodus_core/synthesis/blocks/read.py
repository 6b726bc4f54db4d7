"""Verified blocks for reading the tables of ./data, compressed or not; UTF-8 with commas unless told."""

from pathlib import Path

import pandas as pd


def find_file(name: str) -> Path | None:
    """The file `name` in ./data, plain or compressed; None when there is none."""
    stem = name
    for suffix in (".gz", ".zip", ".bz2", ".xz"):
        stem = stem.removesuffix(suffix)
    for candidate in (name, stem, f"{stem}.gz", f"{stem}.zip", f"{stem}.bz2", f"{stem}.xz"):
        if (Path("data") / candidate).is_file():
            return Path("data") / candidate
    return None


def read_table(
    name: str, raw: list[str], encoding: str = "utf-8-sig", sep: str = ",", decimal: str = "."
) -> pd.DataFrame:
    """The table `name` of ./data; the columns in `raw` stay the text that stands in the file."""
    path = find_file(name)
    if path is None:
        raise FileNotFoundError(f"no {name} in ./data")
    table = pd.read_csv(path, encoding=encoding, sep=sep, decimal=decimal, low_memory=False)
    written = [name for name in dict.fromkeys(raw) if name in table]
    if written:  # "NA" and "None" may be labels, "007" an id
        text = pd.read_csv(
            path, encoding=encoding, sep=sep, usecols=written, dtype=str, keep_default_na=False
        )
        table[written] = text[written].astype(object)
    return table


def read_sample(
    name: str, test: pd.DataFrame, id_column: str | None, columns: list[str], **dialect: str
) -> pd.DataFrame:
    """The sample submission; made from the test table when the file is missing."""
    if find_file(name) is not None:
        return read_table(name, [id_column] if id_column else [], **dialect)
    sample = pd.DataFrame(index=range(len(test)))
    if id_column and id_column not in columns:
        sample[id_column] = test[id_column] if id_column in test else [str(row) for row in range(len(test))]
    for column in columns:
        sample[column] = 0
    return sample
