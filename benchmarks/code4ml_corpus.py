"""Makes a corpus in the form of the Code4ML release, of any size, with its truth beside it.

    python benchmarks/code4ml_corpus.py DIR [--kernels 100000] [--competitions 1000] [--seed 0]

It writes code_blocks.csv, kernels_meta.csv and competitions_meta.csv as the release spells them
(https://doi.org/10.7717/peerj-cs.1230), and truth.json: which kernels are forks of which, which are
Python 2, broken, R, empty or very short, and what each competition's spelling of its metric means. The
same seed and sizes give the same bytes. None of it is anybody's code: it is drawn from a grammar of our own.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.code4ml.author import GRAMMAR
from benchmarks.code4ml.competitions import HEADER
from benchmarks.code4ml.grammar import Voice
from benchmarks.code4ml.plan import Corpus
from benchmarks.code4ml.truth import Truth

KERNELS, COMPETITIONS = 100_000, 1_000
_BLOCKS = ("", "code_block_id", "kernel_id", "code_block")
_META = ("kernel_id", "kaggle_score", "kaggle_comments", "kaggle_upvotes", "kernel_link", "comp_name")

Row = tuple[object, ...]


@dataclass(frozen=True)
class Made:
    """What was written: rows and bytes of each file, the counts of the truth, the time it took."""

    rows: dict[str, int]
    bytes: dict[str, int]
    counts: dict[str, int]
    seconds: float


def write_corpus(
    folder: Path, kernels: int = KERNELS, competitions: int = COMPETITIONS, seed: int = 0
) -> Made:
    """Write the four files; the folder is made. What is held in memory does not grow with the cells."""
    start = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(kernels, competitions, seed)
    truth, rng = Truth(corpus), Random(seed + 1)
    hosts = rng.sample(corpus.hosts, len(corpus.hosts))
    rows = {
        "code_blocks.csv": _write(folder / "code_blocks.csv", _BLOCKS, _blocks(corpus, truth, rng)),
        "kernels_meta.csv": _write(folder / "kernels_meta.csv", _META, _kernels(corpus, rng)),
        "competitions_meta.csv": _write(
            folder / "competitions_meta.csv", HEADER, (host.row for host in hosts)
        ),
    }
    (folder / "truth.json").write_text(json.dumps(truth.content(), indent=1), encoding="utf-8")
    sizes = {name: (folder / name).stat().st_size for name in rows}
    return Made(rows, sizes, truth.counts(), time.perf_counter() - start)


def _write(path: Path, header: tuple[str, ...], rows: Iterable[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="", buffering=1 << 20) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _blocks(corpus: Corpus, truth: Truth, rng: Random) -> Iterator[Row]:
    """Rows of code_blocks.csv: a kernel's cells together and in order, but strewn for one in a hundred."""
    plan = corpus.plan
    order = [place for place, planned in enumerate(plan) if not planned.scattered]
    rng.shuffle(order)
    strewn: list[tuple[int, Row]] = []
    for place, planned in enumerate(plan):
        if planned.scattered:
            cells = truth.see(place, corpus.kernel(place)).cells
            strewn += [
                (rng.randint(0, len(order)), (number, planned.id, cell)) for number, cell in enumerate(cells)
            ]
    strewn.sort(key=lambda item: -item[0])
    index = 0
    for slot in range(len(order) + 1):
        ready: list[Row] = []
        while strewn and strewn[-1][0] <= slot:
            ready.append(strewn.pop()[1])
        if slot < len(order):
            name = plan[order[slot]].id
            cells = truth.see(order[slot], corpus.kernel(order[slot])).cells
            ready += [(number, name, cell) for number, cell in enumerate(cells)]
        for row in ready:
            yield index, *row
            index += 1


def _kernels(corpus: Corpus, rng: Random) -> Iterator[Row]:
    """Rows of kernels_meta.csv, in an order of their own."""
    voice = Voice(rng.getrandbits(48))
    for planned in rng.sample(corpus.plan, len(corpus.plan)):
        if not planned.listed:
            continue
        votes = min(int(rng.paretovariate(0.8)) - 1, 9000)
        comments = int(votes * rng.random() * 0.4)
        user = f"{GRAMMAR.draw('user', voice)}{rng.randint(1, 9999)}"
        title = "-".join(GRAMMAR.draw(part, voice) for part in ("verb", "adj", "word"))
        slug = corpus.hosts[planned.competition].world.slug
        name = slug if planned.known_competition else f"{slug}-withdrawn"
        yield planned.id, planned.score, comments, votes, f"/{user}/{title}-{planned.id % 1000}", name


def main() -> None:
    """Write a corpus and print what it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--kernels", type=int, default=KERNELS)
    parser.add_argument("--competitions", type=int, default=COMPETITIONS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    made = write_corpus(given.folder, given.kernels, given.competitions, given.seed)
    print("| file | rows | bytes |\n|---|---|---|")
    for name, rows in made.rows.items():
        print(f"| {name} | {rows:,} | {made.bytes[name]:,} |")
    print("\n| in it | |\n|---|---|")
    for name, count in made.counts.items():
        print(f"| {name} | {count:,} |")
    print(f"\nwritten in {made.seconds:.0f} s")


if __name__ == "__main__":
    main()
