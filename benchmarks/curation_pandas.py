"""The same selection as curation's, by a plain pandas script: what one writes without a thought of scale.

`python benchmarks/curation_pandas.py CORPUS_DIR OUT_DIR` reads the three CSV files whole, merges, joins the
cells, drops what is unusable, near-duplicate or unranked, keeps 75 of each competition, writes Parquet.
What is no matter of scale (the metric table, the handling of magics, what counts as usable) is the project's
own, so that the selections can be compared row by row.
"""

import ast
import sys
import warnings
import zlib
from pathlib import Path

import pandas as pd
from datasketch import MinHash, MinHashLSH

from linguacodus_core.curation import cells
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.select import unusable
from linguacodus_core.metrics.table import find

OPTIONS = CurationOptions()


def usable(code: str) -> bool:
    """Whether a kernel's code is Python 3 with a model, neither too short nor too long."""
    if unusable(code, OPTIONS)[0]:
        return False
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def signature(code: str) -> MinHash:
    """The MinHash of a kernel's lines, as datasketch's first example makes one."""
    made = MinHash(num_perm=128, hashfunc=zlib.crc32, scheme="affine32")
    for line in {line.strip() for line in code.encode().splitlines() if line.strip()}:
        made.update(line)
    return made


def best_of_families(kernels: pd.DataFrame) -> pd.DataFrame:
    """One competition's kernels, best first, without forks of better ones."""
    index = MinHashLSH(threshold=OPTIONS.similarity, num_perm=128)
    known: dict[str, MinHash] = {}
    kept = []
    for kernel, made in zip(kernels["kernel_id"], kernels["code"].map(signature), strict=True):
        if any(made.jaccard(known[other]) >= OPTIONS.similarity for other in index.query(made)):
            continue
        index.insert(kernel, made)
        known[kernel] = made
        kept.append(kernel)
    return kernels[kernels["kernel_id"].isin(kept)].head(OPTIONS.top)


def main() -> None:
    """Read, curate, rank, select, write."""
    warnings.simplefilter("ignore")
    corpus, out = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = pd.read_csv(corpus / "code_blocks.csv")
    kernels = pd.read_csv(corpus / "kernels_meta.csv")
    competitions = pd.read_csv(corpus / "competitions_meta.csv")

    metrics = competitions["metric"].map(lambda name: find(name) if isinstance(name, str) else None)
    known = metrics.map(lambda metric: metric is not None and not metric.dropped).astype(bool)
    competitions = competitions[known].assign(
        direction=metrics[known].map(lambda metric: 1 if metric.direction == "min" else -1)
    )

    kernels["kaggle_score"] = pd.to_numeric(kernels["kaggle_score"], errors="coerce")
    kernels = kernels.merge(competitions[["comp_name", "direction"]], on="comp_name")
    kernels = kernels[kernels["kaggle_score"].abs() < float("inf")]

    blocks = blocks.sort_values(["kernel_id", "code_block_id"])
    code = blocks.groupby("kernel_id")["code_block"].apply(
        lambda column: cells.join([cell for cell in column if isinstance(cell, str)])
    )
    kernels = kernels.merge(code.rename("code").reset_index(), on="kernel_id")
    kernels = kernels[kernels["code"].map(usable)]

    kernels["kernel_id"] = kernels["kernel_id"].astype(str)
    kernels["key"] = kernels["kaggle_score"] * kernels["direction"]
    kernels["popular"] = -kernels["kaggle_upvotes"].fillna(0)
    kernels = kernels.sort_values(["comp_name", "key", "popular", "kernel_id"])
    chosen = pd.concat([best_of_families(group) for _, group in kernels.groupby("comp_name")])
    chosen["place"] = chosen.groupby("comp_name").cumcount() + 1

    out.mkdir(parents=True, exist_ok=True)
    chosen.to_parquet(out / "solutions.parquet")
    blocks[blocks["kernel_id"].astype(str).isin(chosen["kernel_id"])].to_parquet(out / "code_blocks.parquet")
    print(f"{len(chosen):,} solutions of {chosen['comp_name'].nunique():,} competitions")


if __name__ == "__main__":
    main()
