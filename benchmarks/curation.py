"""What curation takes at the size of Code4ML, beside a plain pandas script and bare reading and writing.

`python benchmarks/curation.py CORPUS_DIR` (made by benchmarks/code4ml_corpus.py) prints a table: seconds and
peak memory of reading, curating, ranking, selecting and writing; of the same by pandas; of pyarrow reading
the blocks and writing them as Parquet, nothing else. Each in a process of its own, one after the other. It
checks that both selections are the same; `--quarter DIR` (a corpus a quarter as large) shows how cost grows.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from linguacodus_core.curation.corpus import take_in
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.shard import SOLUTIONS, curate_shard
from linguacodus_core.dataset.writer import VersionWriter
from linguacodus_core.sources.code4ml import Code4MLSource
from linguacodus_core.tables import DATASET
from tasks.processes import pool, warm_up

HERE = Path(__file__).parent


def ours(corpus: Path, out: Path) -> None:
    """Read, curate, rank, select and write, as the flow's tasks do."""
    options, source = CurationOptions(), Code4MLSource(corpus)
    began = time.monotonic()
    warm_up()
    read = take_in(source, source.fingerprint(), options, out / "corpus", lambda _: None)
    print(f"read and ranked: {time.monotonic() - began:.1f} s", file=sys.stderr)
    jobs = [
        pool().submit(curate_shard, read, number, options, out / f"curated-{number}")
        for number in range(read.shards)
    ]
    shards = [job.result() for job in jobs]
    print(f"curated: {time.monotonic() - began:.1f} s", file=sys.stderr)
    with VersionWriter() as writer:
        for name in ("competitions", "code_blocks", "dropped"):
            writer.add(name, (shard.read(name) for shard in shards))
        writer.add("kernels", [pq.read_table(read.folder / "kernels.parquet")])
        writer.add(
            "solutions", (shard.read("solutions").select(DATASET["solutions"].names) for shard in shards)
        )
    print(f"written: {time.monotonic() - began:.1f} s", file=sys.stderr)
    everything = pa.concat_tables([shard.read("solutions") for shard in shards]).cast(SOLUTIONS)
    pq.write_table(everything.select(["kernel", "place"]), out / "selected.parquet")
    print(f"{everything.num_rows:,} solutions of {read.competitions:,} competitions, {read.blocks:,} blocks")
    pool().shutdown()


def limit(corpus: Path, out: Path) -> None:
    """Read the blocks with pyarrow and write them as Parquet: what nothing can go below in one thread."""
    parse = pacsv.ParseOptions(newlines_in_values=True)
    read = pacsv.ReadOptions(block_size=16 << 20)
    reader = pacsv.open_csv(corpus / "code_blocks.csv", parse_options=parse, read_options=read)
    with pq.ParquetWriter(out / "blocks.parquet", reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
    print("blocks copied")


def measured(name: str, command: list[str]) -> tuple[float, float]:
    """(wall seconds, peak memory in GB of the process and its children together)."""
    began, peak = time.monotonic(), 0
    child = psutil.Popen(command)
    while child.poll() is None:
        peak = max(peak, _memory(child))
        time.sleep(0.1)
    if child.returncode:
        sys.exit(f"{name} failed with exit status {child.returncode}")
    return time.monotonic() - began, peak / 1e9


def _memory(process: psutil.Process) -> int:
    """Bytes of the whole tree that are its own or shared once (PSS)."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def selection(path: Path, kernel: str) -> set[tuple[str, int]]:
    """(kernel, place) of every solution."""
    found = pq.read_table(path, columns=[kernel, "place"]).to_pydict()
    return set(zip(map(str, found[kernel]), found["place"], strict=True))


def main() -> None:
    """Run all three and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS_DIR")
    parser.add_argument("--quarter", type=Path, help="a corpus of a quarter of the size")
    parser.add_argument("--only", choices=["ours", "limit"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        {"ours": ours, "limit": limit}[given.only](given.corpus, given.out)
        return
    size = sum(path.stat().st_size for path in given.corpus.glob("*.csv")) / 1e9
    print(
        f"corpus: {size:.2f} GB; load before: {os.getloadavg()[0]:.1f}; cores: {len(os.sched_getaffinity(0))}"
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = list(_rows(given.corpus, given.quarter, Path(folder)))
    print("\n| what | seconds | peak GB | times ours |\n|---|---|---|---|")
    base = rows[0][1]
    for name, seconds, peak in rows:
        print(f"| {name} | {seconds:.1f} | {peak:.2f} | {seconds / base:.2f} |")


def _rows(corpus: Path, quarter: Path | None, folder: Path) -> "list[tuple[str, float, float]]":
    rows = []
    environment = str(HERE.parent)
    os.environ["PYTHONPATH"] = environment + os.pathsep + os.environ.get("PYTHONPATH", "")
    for name, where, only in (
        ("curation", corpus, "ours"),
        *([("curation of a quarter", quarter, "ours")] if quarter else []),
        ("pyarrow: read the blocks, write Parquet", corpus, "limit"),
    ):
        out = folder / name.replace(" ", "-").replace(":", "")
        out.mkdir()
        command = [sys.executable, str(HERE / "curation.py"), str(where), "--only", only, "--out", str(out)]
        rows.append((name, *measured(name, command)))
    out = folder / "pandas"
    command = [sys.executable, str(HERE / "curation_pandas.py"), str(corpus), str(out)]
    rows.append(("plain pandas", *measured("plain pandas", command)))
    mine = selection(folder / "curation" / "selected.parquet", "kernel")
    theirs = selection(out / "solutions.parquet", "kernel_id")
    common = len(mine & theirs)
    print(f"the same selection: {mine == theirs} ({len(mine):,} and {len(theirs):,}, {common:,} common)")
    return rows


if __name__ == "__main__":
    main()
