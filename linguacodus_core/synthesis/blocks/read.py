"""Verified blocks for reading the tables of ./data, whatever their compression, encoding or separator."""

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


def read_table(name: str, raw: list[str]) -> pd.DataFrame:
    """The table `name` of ./data; the columns in `raw` stay the text that stands in the file."""
    path = find_file(name)
    if path is None:
        raise FileNotFoundError(f"no {name} in ./data")
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            columns = pd.read_csv(path, nrows=0, encoding=encoding).columns
            separator = next((s for s in "\t;|" if len(columns) == 1 and s in columns[0]), ",")
            table = pd.read_csv(path, encoding=encoding, sep=separator, low_memory=False)
            written = [name for name in dict.fromkeys(raw) if name in table]
            if written:  # "NA" and "None" may be labels, "007" an id
                text = pd.read_csv(
                    path, encoding=encoding, sep=separator, usecols=written, dtype=str, keep_default_na=False
                )
                table[written] = text[written].astype(object)
            return table
        except UnicodeDecodeError:
            continue
    raise ValueError(f"cannot decode {path}")


def read_sample(name: str, test: pd.DataFrame, id_column: str | None, columns: list[str]) -> pd.DataFrame:
    """The sample submission; made from the test table when the file is missing."""
    if find_file(name) is not None:
        return read_table(name, [id_column] if id_column else [])
    sample = pd.DataFrame(index=range(len(test)))
    if id_column and id_column not in columns:
        sample[id_column] = test[id_column] if id_column in test else [str(row) for row in range(len(test))]
    for column in columns:
        sample[column] = 0
    return sample
