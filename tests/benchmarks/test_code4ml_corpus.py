"""The made Code4ML corpus is what its truth says, and the same for the same seed."""

import csv
import itertools
import json
from collections import defaultdict
from types import SimpleNamespace

import pyarrow.csv as pacsv
import pytest

from benchmarks.code4ml.author import GRAMMAR, Author
from benchmarks.code4ml.forks import fork, jaccard
from benchmarks.code4ml.grammar import fill
from benchmarks.code4ml.kernels import Kernel, sample_world, write
from benchmarks.code4ml_corpus import write_corpus
from linguacodus_core.curation.cells import join
from linguacodus_core.curation.syntax import flaw
from linguacodus_core.metrics.table import find

KERNELS, COMPETITIONS = 300, 20
KINDS = ("tabular", "text", "image", "series", "audio")


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    made = write_corpus(folder, KERNELS, COMPETITIONS, seed=3)
    cells = defaultdict(dict)
    for row in rows(folder / "code_blocks.csv"):
        cells[int(row["kernel_id"])][int(row["code_block_id"])] = row["code_block"]
    kernels = {name: Kernel([by_number[n] for n in sorted(by_number)]) for name, by_number in cells.items()}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return SimpleNamespace(folder=folder, made=made, numbers=cells, kernels=kernels, truth=truth)


def flawed(truth, *sorts):
    return {name for sort in sorts for name in truth["kernels"][sort]}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        write_corpus(tmp_path / name, kernels=30, competitions=5, seed=seed)
    for file in ("code_blocks.csv", "kernels_meta.csv", "competitions_meta.csv", "truth.json"):
        first, second, other = ((tmp_path / name / file).read_bytes() for name in ("one", "two", "other"))
        assert first == second != other


def test_columns_are_spelled_as_in_the_release(corpus):
    heads = {
        name: (corpus.folder / name).open(encoding="utf-8").readline().strip() for name in corpus.made.rows
    }
    assert heads == {
        "code_blocks.csv": ",code_block_id,kernel_id,code_block",
        "kernels_meta.csv": "kernel_id,kaggle_score,kaggle_comments,kaggle_upvotes,kernel_link,comp_name",
        "competitions_meta.csv": "comp_name,ref_link,comp_type,description,metric,data type,subject,problem type",
    }


def test_what_is_reported_is_what_lies_in_the_files(corpus):
    for name, count in corpus.made.rows.items():
        assert len(rows(corpus.folder / name)) == count
        assert (corpus.folder / name).stat().st_size == corpus.made.bytes[name]
    characters = sum(len(cell) for kernel in corpus.kernels.values() for cell in kernel.cells)
    assert corpus.made.counts["characters of code"] == characters
    assert corpus.made.counts == corpus.truth["counts"]


def test_arrow_reads_the_cells_as_the_csv_module_does(corpus):
    table = pacsv.read_csv(
        corpus.folder / "code_blocks.csv",
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types={"code_block": "string"}, strings_can_be_null=False
        ),
    )
    assert table["code_block"].to_pylist() == [
        row["code_block"] for row in rows(corpus.folder / "code_blocks.csv")
    ]


def test_each_kernel_has_all_its_cells_and_some_lie_apart(corpus):
    assert all(sorted(numbers) == list(range(len(numbers))) for numbers in corpus.numbers.values())
    order = [row["kernel_id"] for row in rows(corpus.folder / "code_blocks.csv")]
    runs = [int(name) for name, _ in itertools.groupby(order)]
    apart = {name for name in runs if runs.count(name) > 1}
    strewn = {name for name in corpus.truth["kernels"]["scattered"] if len(corpus.numbers.get(name, ())) > 2}
    assert strewn
    assert strewn <= apart


def test_sound_kernels_parse_and_the_others_do_not(corpus):
    wrong = flawed(corpus.truth, "python2", "broken", "r")
    assert wrong
    for name, kernel in corpus.kernels.items():
        reason, says = flaw(join(kernel.cells))
        assert bool(reason) == (name in wrong), says


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_is_written_in_python_that_parses(kind):
    for seed in range(40):
        kernel = write(seed, sample_world(kind), cells=30)
        assert flaw(join(kernel.cells)) == ("", "")
        assert flaw(join(fork(seed + 1, kernel, sample_world(kind), exact=False).cells)) == ("", "")


@pytest.mark.parametrize("section", ["python2", "broken"])
def test_every_cell_made_to_be_wrong_is_wrong(section):
    for seed, alternative in enumerate(GRAMMAR.sections[section].alternatives):
        cell = fill(alternative, Author(seed, sample_world("tabular")))
        assert flaw(f"{cell}\nx = 5\n")[0], cell


def test_forks_share_most_lines_with_their_parents_and_nobody_else_does(corpus):
    lines = {name: kernel.lines() for name, kernel in corpus.kernels.items()}
    family = {int(name): found["family"] for name, found in corpus.truth["forks"].items()}
    for name, found in corpus.truth["forks"].items():
        shared = jaccard(lines[int(name)], lines[found["parent"]])
        assert shared == pytest.approx(found["jaccard"], abs=1e-4)
        assert shared > 0.8
    alone = set(lines) - set(family) - flawed(corpus.truth, "short", "empty")
    assert max(jaccard(lines[a], lines[b]) for a, b in itertools.combinations(sorted(alone), 2)) < 0.6


def test_metrics_are_spelled_in_ways_that_the_table_knows_but_for_those_invented(corpus):
    for truth in corpus.truth["competitions"].values():
        metric = find(truth["spelled"])
        assert (metric.category if metric else "") == truth["category"]


def test_about_six_kernels_in_ten_have_a_score_and_a_quarter_are_forks(corpus):
    counts = corpus.truth["counts"]
    assert 0.5 < counts["of them scored"] / KERNELS < 0.7
    assert 0.18 < counts["forks"] / KERNELS < 0.32
